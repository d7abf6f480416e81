"""What all commands say in the same way: errors, and values on one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import typer

from sync_workers.errors import SettingsError, SyncError
from sync_workers.values import one_line, shown

__all__ = ["complain", "one_line", "shown"]

if TYPE_CHECKING:
    from sync_workers.report import Report

RESUMED = "both sides could be read again: the task is not paused any more"
"""Told after a run that ended the pause which a failure of a service had begun."""


def complain(error: SyncError) -> None:
    """An error as one line on stderr; of settings all problems, a line each."""
    for line in error.problems if isinstance(error, SettingsError) else (str(error),):
        typer.echo(one_line(line), err=True)


def counted(counts: Mapping[str, int]) -> str:
    """How many operations of which kind."""
    return ", ".join(f"{number} {name.replace('.', ' ')}" for name, number in counts.items())


def notices(report: Report) -> list[str]:
    """What a run had to take into account, and nobody has to do anything about."""
    lines = list(report.drift)
    if report.fresh:
        what = ", ".join(report.fresh)
        lines.append(f"the set-up changed ({what}): compared afresh, and took nothing absent for deleted")
    if report.ignored:
        lines.append(f"left as they are: {len(report.ignored)} record(s) whose counterpart is deleted")
    return lines
