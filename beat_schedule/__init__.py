"""From the registered tasks to the entries of Celery beat; imports sync_workers, never the reverse."""
