"""Whether this worker is being shut down, told to its pool's children.

Celery tells only the main process. The byte below is memory that the children share with it, since they are
forked after it was made.
"""

from __future__ import annotations

import mmap
from typing import Any

from celery.signals import worker_shutting_down

_shared = mmap.mmap(-1, 1)


def is_shutting_down() -> bool:
    """Whether the worker was asked to end: long phases save and hand over now."""
    return _shared[0] != 0


def _tell(**_details: Any) -> None:
    _shared[0] = 1


worker_shutting_down.connect(_tell)
