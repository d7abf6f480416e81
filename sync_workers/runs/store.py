"""What a run needs from the place where its task's state is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from sync_workers.model import ID, Side
from sync_workers.runs.history import Entry
from sync_workers.state import Change, Glimpse, State


class Store(Protocol):
    """The state of one task, held by one run."""

    def load(self) -> State | None:
        """The whole state; None when the task never ran.

        Raises:
            StateError: it cannot be read, such as one of an unknown version.
        """

    def begin(self, operation: int, change: Change, intent: Entry | None = None) -> bool:
        """Write the intent of an operation of this run's plan, with `change`, before it is tried.

        Returns False, and changes nothing, when an earlier attempt of this run began the operation
        and nobody saw its end: it must not be repeated blindly.

        Raises:
            LeaseLostError: another run owns the task now.
        """

    def take_back(self, operation: int, change: Change) -> None:
        """Make an operation one that never began, and store `change`, all or nothing.

        Only for an operation that this attempt began and of which nothing was sent.

        Raises:
            LeaseLostError: another run owns the task now; nothing was changed.
        """

    def commit(self, operation: int | None, change: Change, entry: Entry | None = None) -> None:
        """Store `change`, with a number that the operation has come to its end, and its entry in the history.

        All or nothing. The end of an operation, and an entry, take the intent of it away. An entry without a
        number is of another run: one that died, or did not see the end of a write.

        Raises:
            LeaseLostError: another run owns the task now; nothing was stored.
        """

    def done(self) -> frozenset[int]:
        """The operations of this run's plan that came to their end in earlier attempts."""

    def carried_out(self) -> frozenset[int]:
        """Those of them that were done; the others failed, or were left to the next run."""

    def intents(self) -> Mapping[str, Entry]:
        """The writes, also of earlier runs, that were begun and whose end nobody saw, by `Entry.intent`."""


class MemoryStore:
    """A state in this process, for tests; needs no Redis.

    Attributes:
        shown, looks: what the changes said beside the state.
        history: all entries, the oldest first.
    """

    def __init__(self, state: State | None = None) -> None:
        self.state = state
        self.begun: set[int] = set()
        self.ended: dict[int, bool] = {}
        self.opened: dict[str, Entry] = {}
        self._intents: dict[int, str] = {}
        self.shown: dict[tuple[Side, ID], Glimpse] = {}
        self.looks: set[tuple[Side, ID]] = set()
        self.history: list[Entry] = []

    def load(self) -> State | None:
        return self.state.model_copy(deep=True) if self.state is not None else None

    def begin(self, operation: int, change: Change, intent: Entry | None = None) -> bool:
        if operation in self.begun:
            return False
        self.begun.add(operation)
        if intent is not None:
            self.opened[intent.intent] = intent
            self._intents[operation] = intent.intent
        self._change(change)
        return True

    def take_back(self, operation: int, change: Change) -> None:
        self.begun.discard(operation)
        self.opened.pop(self._intents.pop(operation, ""), None)
        self._change(change)

    def commit(self, operation: int | None, change: Change, entry: Entry | None = None) -> None:
        if entry is not None:
            self.opened.pop(entry.intent, None)
            self.history.append(entry)
        if operation is not None:
            self.ended[operation] = entry is not None
            # Another run that died may have left one of the same number.
            self.opened.pop(self._intents.get(operation, ""), None)
        self._change(change)

    def done(self) -> frozenset[int]:
        return frozenset(self.ended)

    def carried_out(self) -> frozenset[int]:
        return frozenset(number for number, done in self.ended.items() if done)

    def intents(self) -> Mapping[str, Entry]:
        return dict(self.opened)

    def _change(self, change: Change) -> None:
        if self.state is None:
            self.state = State()
        change.apply(self.state)
        self.shown |= change.shown
        self.looks -= change.looks.keys()
        self.looks |= {key for key, wanted in change.looks.items() if wanted}


class Unstored:
    """For a run whose caller keeps the state itself: nothing is written down anywhere."""

    def __init__(self) -> None:
        self._carried_out: set[int] = set()

    def load(self) -> State | None:
        return None

    def begin(self, _operation: int, _change: Change, _intent: Entry | None = None) -> bool:
        return True

    def take_back(self, _operation: int, _change: Change) -> None:
        """Nothing was written down."""

    def commit(self, operation: int | None, _change: Change, entry: Entry | None = None) -> None:
        """The caller has the state; only which operations of this run were done is remembered."""
        if operation is not None and entry is not None:
            self._carried_out.add(operation)

    def done(self) -> frozenset[int]:
        return frozenset()

    def carried_out(self) -> frozenset[int]:
        return frozenset(self._carried_out)

    def intents(self) -> Mapping[str, Entry]:
        return {}
