"""How log records are written: as text for people, or as one JSON object a line for machines.

As JSON each says which task and run it belongs to, also one of a library that knows nothing of either.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sync_workers.sides import NOTHING

NAMED = ("task", "run", "phase", "trigger", "action", "connection", "event", "type")
"""What our own records say besides their sentence, as `extra`; names and ids, never values of fields."""

_about: ContextVar[Mapping[str, str]] = ContextVar("about", default=NOTHING)


class LogFormat(StrEnum):
    """In which form records are written."""

    TEXT = "text"
    JSON = "json"


@contextmanager
def about(**names: str) -> Iterator[None]:
    """Inside, every record of this thread says that it is about these."""
    token = _about.set({**_about.get(), **names})
    try:
        yield
    finally:
        _about.reset(token)


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_about.get(),
            "process": record.process,
        }
        told |= {name: str(value) for name in NAMED if (value := getattr(record, name, None)) is not None}
        if record.exc_info and record.exc_info[0] is not None:
            told["error"] = record.exc_info[0].__name__
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False, default=str)


TEXT = "[%(asctime)s: %(levelname)s] %(message)s"


def formatter(form: LogFormat) -> logging.Formatter:
    """What writes records in that form."""
    return JsonFormatter() if form is LogFormat.JSON else logging.Formatter(TEXT)


def set_up(level: str, form: LogFormat) -> None:
    """Write all records of this process to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(formatter(form))
    logging.basicConfig(level=level.upper(), handlers=[handler])
