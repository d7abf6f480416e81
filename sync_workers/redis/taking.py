"""What comes of asking for the lease of a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from sync_workers.model import ID
from sync_workers.redis.pauses import Pause


@dataclass(frozen=True, slots=True)
class Taken:
    """The lease is ours.

    Attributes:
        fence: the number of this attempt.
        full: the run compares everything anew; also when a request that it answers asked for that.
        pause: the task is paused all the same: a person paused it since the run began, which ends then, or
            a service's failure did, and a person tries it.
    """

    fence: int
    full: bool
    pause: Pause | None = None


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
