"""The receiver goes by the task file as it is now."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from sync_workers.config.watch import Watch
from sync_workers.settings import Settings
from sync_workers.web.connections import Connection
from sync_workers.web.following import Following
from tests.web.stage import SOURCE, TASK_FILE, Stage


class Desk:
    """A task file that a person edits, and what the receiver took up of it."""

    def __init__(self, folder: Path) -> None:
        self.path, self.saved = folder / "sync.toml", 0
        (folder / "notion-token").write_text("secret")
        self.save(self.text("first"))
        self.taken: list[Mapping[str, Connection]] = []
        self.watch = Watch(self.path)
        self.watch.take()
        self.following = Following(Settings(config=self.path), self.watch, self.taken.append)

    @staticmethod
    def text(name: str) -> str:
        return TASK_FILE.format(name=name, quiet=1, more="", source=SOURCE)

    def save(self, text: str) -> None:
        self.path.write_text(text)
        self.saved += 1
        at = time.time() - 1000 + self.saved  # left alone since
        os.utime(self.path, (at, at))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_connections_that_come_and_go_are_taken_up(desk: Desk) -> None:
    desk.following.look()
    assert desk.taken == [], "nothing changed"
    desk.save(desk.text("second"))
    desk.following.look()
    desk.following.look()
    (found,) = desk.taken
    assert [task.name for task in found["second"].tasks] == ["second"]


def test_a_file_with_problems_leaves_the_old_connections_in_force(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.save("[connections.x]\n")
    with caplog.at_level(logging.ERROR):
        assert desk.following.look()[1]
    assert desk.taken == []
    assert "the old connections stay in force" in caplog.text
    desk.save(desk.text("mended"))
    assert desk.following.look()[1] == ""
    assert list(desk.taken[0]) == ["mended"]


def test_what_is_due_of_a_task_that_has_gone_waits_and_stops_nobody(stage: Stage) -> None:
    stage.tell()
    stage.firing.take_up([])
    stage.firing.wake(stage.name, timedelta(0))

    stage.firing.fire(stage.name)

    assert stage.asked == [], "another receiver, or this one once it knows the task again, asks for it"
