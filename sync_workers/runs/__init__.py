"""The three phases around the engine: get, diff, apply. No Celery and no Redis in here."""
