"""How a worker receives messages: one that is none is refused and logged, and the next one is taken.

Celery itself refuses what it cannot decode, and content that is no JSON. A body of another shape would end
the worker and come again to the next one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import Task
from celery.exceptions import InvalidTaskError
from celery.worker.strategy import default

MALFORMED = (ValueError, TypeError, AttributeError, KeyError)
"""What Celery's own code raises where it takes a message apart."""


def strategy(task: Any, app: Any, consumer: Any) -> Callable[..., Any]:
    """Celery's way to receive a message of a task, but for what is none."""
    receive = default(task, app, consumer)

    def received(message: Any, *arguments: Any, **options: Any) -> Any:
        try:
            return receive(message, *arguments, **options)
        except MALFORMED as error:
            raise InvalidTaskError(f"this is no message ({type(error).__name__})") from error

    return received


class Received(Task):  # type: ignore[misc] # Celery has no types
    """A Celery task whose messages are received like that."""

    abstract = True
    Strategy = f"{__name__}:{strategy.__name__}"
