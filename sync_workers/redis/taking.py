"""What comes of asking for the lease of a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from sync_workers.model import ID
from sync_workers.redis.pauses import Pause
from sync_workers.report import Trigger

FULL, LOOKS = b"1", b"-1"
"""How far a run reaches, as Redis keeps it: the wider, the greater. In between is an ordinary run."""


def reach(*, full: bool, looks: bool) -> int:
    """How far a run reaches: `full` compares all anew, `looks` asks for records by their ids alone."""
    return int(full) or -int(looks)


@dataclass(frozen=True, slots=True)
class Following:
    """The one run that was asked for while another one worked; starting it twice is harmless.

    Attributes:
        trigger: what asked for it; of several the one by which a person did.
    """

    run: ID
    full: bool
    looks: bool = False
    trigger: Trigger = Trigger.AD_HOC


@dataclass(frozen=True, slots=True)
class Taken:
    """The lease is ours.

    Attributes:
        fence: the number of this attempt.
        full: the run compares everything anew; also when a request that it answers asked for that.
        looks: the run only looks at the records that it was told of; not if it answers another request, too.
        pause: the task is paused all the same: a person paused it since the run began, which ends then, or
            a service's failure did, and a person tries it.
    """

    fence: int
    full: bool
    pause: Pause | None = None
    looks: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """Another run works.

    Attributes:
        by: that run.
        following: the run that will answer this request; None for a dropped one.
    """

    by: ID
    following: ID | None


@dataclass(frozen=True, slots=True)
class Paused:
    """The task, or a connection that it uses, is to be left alone."""

    pause: Pause


@dataclass(frozen=True, slots=True)
class Superseded:
    """This run is over: it ended, was joined to another, or another one has begun since."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The task has run as often as it should in total."""


Taking: TypeAlias = Taken | Held | Paused | Superseded | Finished
