"""Whether the task file is another one: looked at by `stat` alone, and never in the middle of a save."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from sync_workers.config.watch import SETTLED, Watch, fingerprint


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "sync.toml"
    path.write_text("one")
    return path


def settled(path: Path) -> None:
    """As if it had been left alone for a while."""
    old = time.time() - 2 * SETTLED
    os.utime(path, (old, old))


def test_a_file_that_stays_has_not_changed(path: Path) -> None:
    watch = Watch(path)
    watch.take()
    assert not watch.has_changed()


def test_a_change_counts_once_the_file_is_left_alone(path: Path) -> None:
    watch = Watch(path)
    first = watch.take()
    path.write_text("another")
    assert not watch.has_changed(), "an editor may be writing still"
    settled(path)
    assert watch.has_changed()

    assert watch.take() != first
    assert not watch.has_changed()


def test_a_file_that_is_replaced_or_swapped_by_a_link_has_changed(tmp_path: Path) -> None:
    """Kubernetes swaps a link to a folder; both files may be of the same time and length."""
    for name, text in (("..v1", "one"), ("..v2", "two")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "sync.toml").write_text(text)
        settled(tmp_path / name / "sync.toml")
    (tmp_path / "..data").symlink_to("..v1")
    path = tmp_path / "sync.toml"
    path.symlink_to("..data/sync.toml")
    watch = Watch(path)
    watch.take()
    (tmp_path / "new").symlink_to("..v2")
    (tmp_path / "new").rename(tmp_path / "..data")

    assert watch.has_changed()


def test_a_file_that_goes_and_comes_back_has_changed_and_is_no_error(path: Path) -> None:
    watch = Watch(path)
    before = watch.take()
    path.unlink()
    assert watch.has_changed()
    assert watch.take() != before
    path.write_text("one")
    settled(path)
    assert watch.has_changed()
    assert watch.take() == before


def test_modules_are_watched_too(path: Path, tmp_path: Path) -> None:
    module = tmp_path / "mine.py"
    module.write_text("x = 1")
    settled(path)
    watch = Watch(path)
    watch.take([module])
    module.write_text("x = 2")
    settled(module)
    assert watch.has_changed()


def test_a_fingerprint_tells_where_one_file_ends_and_the_next_begins(tmp_path: Path) -> None:
    def of(*texts: str) -> str:
        paths = []
        for number, text in enumerate(texts):
            paths.append(tmp_path / str(number))
            paths[-1].write_text(text)
        return fingerprint(paths)

    assert of("ab", "c") != of("a", "bc")
    assert of("ab", "c") == of("ab", "c")


def test_a_change_between_the_look_and_the_end_of_reading_is_seen(path: Path, tmp_path: Path) -> None:
    """A module may take seconds to be imported, and a person saves meanwhile."""
    module = tmp_path / "mine.py"
    module.write_text("x = 1")
    settled(module)
    watch = Watch(path)
    watch.take()
    path.write_text("another")
    settled(path)

    watch.learn([module])

    assert watch.has_changed()
    watch.take([module])
    watch.learn([module])
    assert not watch.has_changed(), "modules that were known are not read once more"
