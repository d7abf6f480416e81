"""The services, each found by its kind and imported when first used.

To add one: a file or package with a `KIND`, a line in `KINDS`, a test file, a page of docs.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel

from sync_workers.errors import SettingsError
from sync_workers.services.base import Mapped, Service
from sync_workers.services.budget import Account, Budget

KINDS: dict[str, str] = {
    "notion": "sync_workers.services.notion",
    "caldav": "sync_workers.services.caldav",
    "sql": "sync_workers.services.sql",
    "memory": "sync_workers.services.memory",
}
"""Where each kind lives: a module whose `KIND` is a `ServiceKind`."""


@dataclass(frozen=True, slots=True)
class ServiceKind:
    """How one kind of service is configured and made.

    Attributes:
        connection: what stands in `[connections.NAME]` besides `kind`.
        container: what stands on a task's side besides `connection`: which list, table, calendar.
        connect: makes the service from both, the mapped fields and the budget that each call goes by;
            imports its library only here, and raises MissingExtraError where that is not installed. It
            makes no call yet.
        title: which field records are matched by when the task file does not say.
    """

    connection: type[BaseModel]
    container: type[BaseModel]
    connect: Callable[[Any, Any, Mapped, Budget], Service]
    title: str | None = None


@runtime_checkable
class Counted(Protocol):
    """What stands in a `[connections.NAME]` whose calls are counted."""

    def account(self) -> Account | None:
        """Whose calls count together; None where none are counted.

        Raises:
            SettingsError: a secret is missing.
        """


def find(kind: str) -> ServiceKind:
    """The kind of that name.

    Raises:
        SettingsError: there is none; names the nearest.
    """
    if kind not in KINDS:
        near = difflib.get_close_matches(kind, KINDS, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(sorted(KINDS))}"
        msg = f"there is no service {kind!r}{hint}"
        raise SettingsError(msg)
    found: ServiceKind = import_module(KINDS[kind]).KIND
    return found
