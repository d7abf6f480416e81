"""What all commands say in the same way: errors, and values on one line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import typer

from sync_workers.errors import SettingsError, SyncError
from sync_workers.values import DateRange, is_unset

if TYPE_CHECKING:
    from sync_workers.report import Report

RESUMED = "both sides could be read again: the task is not paused any more"
"""Told after a run that ended the pause which a failure of a service had begun."""


def complain(error: SyncError) -> None:
    """An error as one line on stderr; of settings all problems, a line each."""
    for line in error.problems if isinstance(error, SettingsError) else (str(error),):
        typer.echo(one_line(line), err=True)


def one_line(text: str) -> str:
    """Text of others for a terminal: no line ends, and nothing that a terminal would obey."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def counted(counts: Mapping[str, int]) -> str:
    """How many operations of which kind."""
    return ", ".join(f"{number} {name.replace('.', ' ')}" for name, number in counts.items())


def shown(value: Any, longest: int = 40) -> str:
    """A field's value as a person reads it."""
    if is_unset(value):
        return "-"
    if isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, datetime):
        text = value.isoformat(sep=" ", timespec="minutes")
    elif isinstance(value, date):
        text = value.isoformat()
    elif isinstance(value, DateRange):
        text = f"{shown(value.start)} to {shown(value.end)}"
    elif isinstance(value, list | tuple | set | frozenset):
        text = ", ".join(shown(item) for item in value)
    elif isinstance(value, Mapping):
        text = ", ".join(f"{key}: {shown(item)}" for key, item in value.items())
    else:
        text = one_line(str(value))
    return text if len(text) <= longest else text[: longest - 1] + "…"


def notices(report: Report) -> list[str]:
    """What a run had to take into account, and nobody has to do anything about."""
    lines = []
    if report.fresh:
        what = ", ".join(report.fresh)
        lines.append(f"the set-up changed ({what}): compared afresh, and took nothing absent for deleted")
    if report.ignored:
        lines.append(f"left as they are: {len(report.ignored)} record(s) whose counterpart is deleted")
    return lines
