"""The Celery app, its three phases and their chain, and `enqueue`."""
