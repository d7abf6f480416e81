"""Runs a command of the command line in this process, where it finds the test's memory containers."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from sync_workers.cli import main


@dataclass(frozen=True)
class Result:
    code: int | str | None
    out: str
    err: str


@dataclass(frozen=True)
class Command:
    """`sync-workers` with `args`, as a person would type them."""

    capsys: pytest.CaptureFixture[str]

    def __call__(self, *args: str) -> Result:
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(args)
        out, err = self.capsys.readouterr()
        return Result(ended.value.code, out, err)
