from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.command import Command


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """The command line in an empty folder, without settings, on a wide terminal."""
    for name in os.environ:
        if name.upper().startswith("SYNC_WORKERS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.chdir(tmp_path)
    return Command(capsys)
