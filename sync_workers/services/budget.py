"""`Budget`: how many calls a credential may still make, and when it is whose turn.

    call ─> ask ─> go ─────────────> one call ─> done
             ├──> soon: sleep here, the lease is renewed meanwhile ─> ask again
             └──> much later: NotYetError, the run gives its worker back and comes again

A limit holds for any window, and a burst is allowed, so there is no even spacing. A call counts from when its
answer has come: whenever it reached the service, the next one in its place comes a whole window after it, and
no two clocks have to agree.

A service makes every call within `Budget.call`. A `fetch` that meets a `NotYetError` raises it only where it
has nothing new to give; else it returns what it has, with where to go on.
"""

from __future__ import annotations

import math
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from sync_workers.errors import NotYetError, SyncError

PATIENCE = timedelta(seconds=10)
"""The longest wait that a worker sleeps; taking a run up again costs about a second."""

INSISTENCE = timedelta(seconds=90)
"""The longest wait that is slept for what cannot be left for later: a whole window, and who waits before."""

LOCAL_PATIENCE = timedelta(minutes=10)
"""The same where a person waits for the command to end, and nobody would take the run up again."""

LONGEST_SLEEP = timedelta(seconds=0.5)
"""Between two looks at the lease and at whether the worker is to end."""

GROUP, WANTED = "group:", "?"
"""What stands before a group's name in a pause, and for one that is to be asked for."""


@dataclass(frozen=True, slots=True)
class Times:
    """By what a budget counts; the same for all that share it.

    Attributes:
        window: in which the calls are counted, as Notion does.
        margin: by so much a place in the window is given out later than it becomes free: more than two
            clocks that are being corrected (500 millionths at most) drift apart in a window.
        longest_call: after this a call whose end nobody told counts as made: its worker died.
        write_lease: so long writes to one place wait for one whose end nobody told.
        grace: so long after it was due a run that comes back still finds its place in the queue: a message
            takes a second to come, and longer where all workers are busy.
    """

    window: timedelta = timedelta(seconds=60)
    margin: timedelta = timedelta(milliseconds=100)
    longest_call: timedelta = timedelta(minutes=2)
    write_lease: timedelta = timedelta(seconds=20)
    grace: timedelta = timedelta(seconds=15)

    @property
    def kept(self) -> timedelta:
        """How long after its answer a call takes a place in the window."""
        return self.window + self.margin


AS_NOTION = Times()


@dataclass(frozen=True, slots=True)
class Account:
    """Whose calls count together.

    Attributes:
        name: kind and fingerprint of the credential, such as `notion:1f0c...`; never the credential.
        limit: calls in any window.
        find_group: asks the service which group of accounts it belongs to that can be paused together
            (Notion: the workspace), by calls of its own; empty for none. It is asked once, and only when
            a pause of such a group has to be known.
    """

    name: str
    limit: int
    find_group: Callable[[], str] | None = field(default=None, compare=False)


class Why(StrEnum):
    """What a call waits for."""

    LIMIT = "limit"
    PAUSE = "pause"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Answer:
    """What becomes of a question.

    Attributes:
        wait: nothing when the call may be made now; else after this it is worth asking again.
        group_wanted: a group is paused, and which one the account belongs to is not known.
    """

    wait: timedelta = timedelta(0)
    why: Why | None = None
    group_wanted: bool = False


class Budget(Protocol):
    """What a service makes its calls by. Used by one thread, for one phase of one run."""

    def call(self, account: Account, writes_to: str = "") -> AbstractContextManager[None]:
        """Wait for the turn of one call; inside, make it.

        Args:
            writes_to: the place where writes must not meet, such as a data source; empty for reads.

        Raises:
            NotYetError: its turn is too far away to wait here; nothing was sent.
            StateError: who knows the budget does not answer; no call is made without it.
            LeaseLostError: the run is over.
        """

    def pause(self, account: Account, wait: timedelta, *, group: bool = False) -> None:
        """Nobody makes a call of this account, or of its whole group, for so long.

        A pause is never shortened by a later one.
        """

    def sleep(self, wait: timedelta) -> None:
        """A pause between two tries of this call alone; raises as `call`."""

    def patiently(self) -> AbstractContextManager[None]:
        """Inside, waits of a whole window are slept: for a look after a write cannot be left for later."""


class Clock:
    """The time that waits go by."""

    def now(self) -> float:
        """Seconds that only ever grow."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def undisturbed() -> None:
    """Nothing ends a sleep."""


class Waiting(ABC):
    """A `Budget` that waits; the subclass knows whose turn it is.

    Attributes:
        made: how many calls were answered as they should be.

    Args:
        patience: the longest wait that is slept.
        heed: called while it sleeps; raises when the sleep must end.
    """

    def __init__(
        self, patience: timedelta, heed: Callable[[], None] = undisturbed, clock: Clock | None = None
    ) -> None:
        self.made = 0
        self._patience = patience
        self._heed = heed
        self._clock = clock or Clock()
        self._insists = False
        self._finding = False

    @contextmanager
    def call(self, account: Account, writes_to: str = "") -> Iterator[None]:
        turn = secrets.token_hex(8)
        self._wait_for(account, turn, writes_to)
        try:
            yield
            self.made += 1
        finally:
            self._done(account, turn, writes_to)

    def pause(self, account: Account, wait: timedelta, *, group: bool = False) -> None:
        known = self._group(account) if group else ""
        if known is None:
            # Asking now is refused perhaps, like the call before; then it is asked after the pause.
            self._note_group(account, WANTED)
            with suppress(SyncError):
                known = self._find(account)
        self._note_pause(account.name, wait)
        if known:
            self._note_pause(GROUP + known, wait)

    def sleep(self, wait: timedelta) -> None:
        end = self._clock.now() + wait.total_seconds()
        while True:
            self._heed()
            left = end - self._clock.now()
            if left <= 0:
                return
            self._clock.sleep(min(left, LONGEST_SLEEP.total_seconds()))

    @contextmanager
    def patiently(self) -> Iterator[None]:
        before, self._insists = self._insists, True
        try:
            yield
        finally:
            self._insists = before

    def _wait_for(self, account: Account, turn: str, writes_to: str) -> None:
        try:
            self._ask_until_granted(account, turn, writes_to)
        except BaseException:
            self._leave(account, turn)
            raise

    def _ask_until_granted(self, account: Account, turn: str, writes_to: str) -> None:
        while True:
            answer = self._ask(account, turn, writes_to, knows_group=self._finding)
            if answer.group_wanted:
                self._find(account)
            elif not answer.wait:
                return
            elif answer.wait > (max(self._patience, INSISTENCE) if self._insists else self._patience):
                raise NotYetError(_told(account, answer), wait=answer.wait)
            else:
                self.sleep(answer.wait)

    def _find(self, account: Account) -> str:
        """Ask the service for the account's group, and remember it."""
        if account.find_group is None or self._finding:
            return ""
        self._finding = True
        try:
            found = account.find_group()
        finally:
            self._finding = False
        self._note_group(account, found)
        return found

    @abstractmethod
    def _ask(self, account: Account, turn: str, writes_to: str, *, knows_group: bool) -> Answer:
        """Whether the turn may be taken now; then it is, until `_done`. `turn` is new for each call."""

    @abstractmethod
    def _leave(self, account: Account, turn: str) -> None:
        """It waits no more here; perhaps it comes again. Raises nothing."""

    @abstractmethod
    def _done(self, account: Account, turn: str, writes_to: str) -> None:
        """The answer has come, or never will. Raises nothing: what is not told ends by itself."""

    @abstractmethod
    def _note_pause(self, scope: str, wait: timedelta) -> None:
        """Pause an account by its name, or a group behind `GROUP`."""

    @abstractmethod
    def _group(self, account: Account) -> str | None:
        """The group as it is remembered; None where it is not known or `WANTED`."""

    @abstractmethod
    def _note_group(self, account: Account, group: str) -> None:
        """Remember it."""


def _told(account: Account, answer: Answer) -> str:
    kind = account.name.partition(":")[0]
    seconds = math.ceil(answer.wait.total_seconds())
    if answer.why is Why.WRITE:
        return f"another write to the same place of {kind} is under way: it goes on in {seconds} s"
    if answer.why is Why.PAUSE:
        return f"{kind} asked to be left alone: calls go on in {seconds} s"
    return f"the {account.limit} calls to {kind} of this minute are used up: they go on in {seconds} s"
