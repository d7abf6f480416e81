"""Every error of the project, sorted by what to do next.

    SyncError
    ├── SettingsError            fix the settings; `.problems` lists all of them
    │   └── MissingExtraError    install the named extra
    ├── AccessError              a person has to give or renew access to a service
    ├── LaterError               try again after `.wait`
    │   └── NotYetError          our own calls are used up, or paused; goes on by itself
    ├── RejectedError            this record will never work as it is
    ├── MovedError               the record changed since it was read: decide again in the next run
    ├── UnknownOutcomeError      the reply to a write was lost: look before trying again
    ├── StateError               the stored state cannot be used; the message names the remedy
    │   ├── RedisUnreachableError
    │   ├── OtherVersionError    another version wrote it: a worker of that version goes on
    │   └── LeaseLostError       another run owns the task now: stop writing
    └── DecisionError            a person must decide
        ├── GuardError           the plan looks like an accident; `.plan`, nothing was changed
        └── ConflictError        fields are held on both sides; `.conflicts`, `.state`

Services translate what their libraries raise into these at their boundary, so that above them nobody
knows HTTP codes. Messages name the task, service and record and the next step; they never carry
field values or secrets, since they end in logs and Celery results.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sync_workers.model import Conflict, Plan
    from sync_workers.state import State


class SyncError(Exception):
    """The root: catch it to catch everything that this project raises on purpose."""


class SettingsError(SyncError, ValueError):
    """Settings or the task file are wrong.

    Attributes:
        problems: one sentence each, with file and line where there is one; all of them, not the first.
    """

    def __init__(self, *problems: str) -> None:
        self.problems: tuple[str, ...] = problems
        super().__init__("\n".join(problems))


class MissingExtraError(SettingsError):
    """A part that is installed by an extra is missing."""

    def __init__(self, what: str, extra: str) -> None:
        self.extra = extra
        super().__init__(f"{what} needs the extra '{extra}': pip install 'sync-workers[{extra}]'")


class AccessError(SyncError):
    """The service refuses this credential, or does not show it the container."""


class LaterError(SyncError):
    """The service asks for patience, or was not reached before anything was sent.

    Attributes:
        wait: how long the service asked to be left alone; never cut it short.
    """

    def __init__(self, message: str, *, wait: timedelta = timedelta(0)) -> None:
        self.wait = wait
        super().__init__(message)


class NotYetError(LaterError):
    """It is not yet this call's turn; nothing was sent.

    Raised by the budget (`services.budget`), or where a service asked all of us for patience: the run gives
    its worker back and goes on after `.wait`. No sign that the service does not work.
    """


class RejectedError(SyncError):
    """The service will never take this record as it is.

    Attributes:
        fields: those of the written side that it is about, where they were refused before anything was sent,
            and the rest of the record could be written; else none.
    """

    def __init__(self, message: str, *, fields: tuple[str, ...] = ()) -> None:
        self.fields = fields
        super().__init__(message)


class MovedError(SyncError):
    """The record is no longer what the plan was made from; nothing was written."""


class UnknownOutcomeError(SyncError):
    """A write was sent and its reply was lost: it may or may not have happened."""


class StateError(SyncError):
    """The stored state cannot be read or written; the message names the remedy."""


class RedisUnreachableError(StateError):
    """Redis does not answer."""


class OtherVersionError(StateError):
    """Another version of sync-workers wrote it; a worker of that version can go on."""


class LeaseLostError(StateError):
    """The lease of the task has gone to another run; this one must write nothing more."""


class DecisionError(SyncError):
    """Everything that could be done is done; the rest waits for a person."""


class GuardError(DecisionError):
    """A guard refused the plan; nothing was changed.

    Attributes:
        plan: what would have been done.
        reasons: one sentence for each guard that refused.
        final: nobody can mean this plan: a side contradicted itself.
        kept: the name under which the plan waits for a person; None when nobody keeps it.
    """

    def __init__(
        self, plan: Plan, reasons: Sequence[str], *, final: bool = False, kept: str | None = None
    ) -> None:
        self.plan = plan
        self.reasons = tuple(reasons)
        self.final = final
        self.kept = kept
        super().__init__("; ".join(self.reasons) + ("" if final else f". {self._next_step()}"))

    def _next_step(self) -> str:
        if self.kept is None:
            return (
                "If it is meant, run once with `--accept-guards` (in Python: set the task's `accept_guards`)"
            )
        return (
            f"Look at it by `sync-workers show {self.kept}`, carry it out by "
            f"`sync-workers approve {self.kept}` or forget it by `sync-workers discard {self.kept}`"
        )


class ConflictError(DecisionError):
    """Conflicts in mode `error` were found; all else was applied and recorded first.

    Attributes:
        conflicts: the held fields with both values.
        state: the state after the run; go on from it.
    """

    def __init__(self, conflicts: Sequence[Conflict], state: State | None = None) -> None:
        self.conflicts = tuple(conflicts)
        self.state = state
        fields = ", ".join(f"{c.attrs.notion} of {c.ids.notion}" for c in self.conflicts[:5])
        more = f" and {len(self.conflicts) - 5} more" if len(self.conflicts) > 5 else ""  # noqa: PLR2004
        super().__init__(
            f"{len(self.conflicts)} conflict(s) wait for a decision: {fields}{more}. "
            "'sync-workers conflicts' shows them, 'sync-workers resolve' decides one; or make the two equal."
        )
