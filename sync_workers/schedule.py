"""`Schedule`: when a task runs by itself. Only the value; who ticks is decided elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import available_timezones

from sync_workers.naming import hint

SHORTEST = timedelta(seconds=1)
"""The shortest interval that a task file can ask for."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a task runs; with neither interval nor crontab it runs only when somebody asks for it.

    Attributes:
        every: the interval between two starts.
        crontab: five fields as in cron, read in `timezone`.
        in_total: after so many runs the task is finished; None goes on for ever.
    """

    every: timedelta | None = None
    crontab: str | None = None
    timezone: str = "UTC"
    in_total: int | None = None

    def __post_init__(self) -> None:
        if self.every is not None and self.crontab is not None:
            raise ValueError("a task has an interval or a crontab, not both")
        if self.every is not None and self.every <= timedelta(0):
            raise ValueError("the interval of a task is longer than nothing")
        if self.in_total is not None and self.in_total < 1:
            raise ValueError("a task runs at least once in total")

    @property
    def by_itself(self) -> bool:
        """Whether the task runs without being asked."""
        return self.every is not None or self.crontab is not None

    def __str__(self) -> str:
        if self.every is not None:
            return f"every {interval_text(self.every)}"
        if self.crontab is not None:
            return f"{self.crontab} ({self.timezone})"
        return "when asked"


_INTERVAL = re.compile(
    r"(?:(?P<days>\d+)\s*d)?\s*(?:(?P<hours>\d+)\s*h)?\s*(?:(?P<minutes>\d+)\s*m)?\s*(?:(?P<seconds>\d+)\s*s)?",
    re.ASCII,
)


def interval(text: str) -> timedelta:
    """The interval that `10s`, `5m`, `1h 30m` or `2d` names.

    Raises:
        ValueError: it is no interval, or shorter than a second.
    """
    match = _INTERVAL.fullmatch(text.strip().lower())
    if not match or not text.strip():
        msg = f'{text!r} is no interval: write one such as "10s", "5m", "1h 30m" or "2d"'
        raise ValueError(msg)
    try:
        length = timedelta(**{unit: int(number) for unit, number in match.groupdict(default="0").items()})
    except OverflowError as error:
        msg = f"{text!r} is longer than anybody waits"
        raise ValueError(msg) from error
    if length < SHORTEST:
        msg = f"{text!r} is too short: the shortest interval is 1s"
        raise ValueError(msg)
    return length


def interval_text(length: timedelta) -> str:
    """An interval as a task file names it; what is below a second is shown as it is."""
    rest = length.total_seconds()
    parts: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        number, rest = divmod(rest, size)
        if number:
            parts.append(f"{int(number)}{unit}")
    if rest or not parts:
        parts.append(f"{rest:g}s")
    return " ".join(parts)


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True, slots=True)
class _CronField:
    what: str
    least: int
    most: int
    names: tuple[str, ...] = ()

    def check(self, text: str) -> None:
        for part in text.split(","):
            span, slash, step = part.partition("/")
            ends = [] if span == "*" else span.split("-")
            numbered = len(ends) <= 2 and all(self._number(end) for end in ends)  # noqa: PLR2004 - a-b
            stepped = not slash or (_whole(step) and int(step) > 0 and len(ends) != 1)
            if not (numbered and stepped):
                msg = f"{part!r} is no {self.what} of a crontab: write {self._allowed()}"
                raise ValueError(msg)

    def _number(self, text: str) -> bool:
        return text.lower() in self.names or (_whole(text) and self.least <= int(text) <= self.most)

    def _allowed(self) -> str:
        names = f", {self.names[0]} to {self.names[-1]}" if self.names else ""
        return f"*, */2, or {self.least} to {self.most}{names}, with commas, ranges a-b and steps a-b/2"


def _whole(text: str) -> bool:
    return text.isascii() and text.isdecimal()


_CRON = (
    _CronField("minute", 0, 59),
    _CronField("hour", 0, 23),
    _CronField("day of the month", 1, 31),
    _CronField("month", 1, 12, _MONTHS),
    _CronField("day of the week (0 is Sunday)", 0, 6, _DAYS),
)


def crontab(text: str) -> str:
    """A crontab's five fields with single blanks between them.

    Raises:
        ValueError: something in it is no crontab; names the field and what it takes.
    """
    fields = text.split()
    if len(fields) != len(_CRON):
        msg = (
            f"a crontab has five fields (minute, hour, day of the month, month, day of the week), not "
            f'{len(fields)}: write one such as "*/5 * * * *"'
        )
        raise ValueError(msg)
    for field, value in zip(_CRON, fields, strict=True):
        field.check(value)
    return " ".join(fields)


def timezone(name: str) -> str:
    """The name of a time zone that this machine knows.

    Raises:
        ValueError: it knows none of that name; names the nearest.
    """
    zones = available_timezones()
    if name not in zones:
        msg = f"{name!r} is no time zone{hint(name, zones)}"
        raise ValueError(msg)
    return name
