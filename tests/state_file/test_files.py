"""States in files: whole or not at all, for the owner only."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sync_workers.errors import StateError
from sync_workers.model import Side
from sync_workers.remarks import Decision, HeldConflict, Memory, Quarantined, Trail
from sync_workers.state import Pending, State
from sync_workers.state_file import files
from sync_workers.values import DateRange

AT = datetime(2026, 1, 1, tzinfo=UTC)
VALUES = {Side.NOTION: AT, Side.OTHER: "x"}
FULL = State(
    ids={"n": "o"},
    objs={"n": {"When": DateRange(AT, AT), "Tags": {"a"}, "half": "\ud83d", "é": 2**70}},
    other_objs={"o": {"when": None}},
    pending={Side.OTHER: {"p": Pending(source={"a": AT}, sent={"b": 1}, key="k", mark="m", alike=("x",))}},
    unlinked={Side.NOTION: {"b", "a"}},
    setup={"fields": "x"},
    held={"n": {"When": HeldConflict(other_id="o", other_attr="when", values=VALUES, since=AT)}},
    decisions={"n": {"When": Decision(value=AT, seen=VALUES, at=AT)}},
    trails={"n": {"When": Trail(last=Side.OTHER, written=["a"], turns=2)}},
    quarantine={Side.OTHER: {"q": Quarantined(reason="why", action="update", since=AT, due=AT)}},
    paused={Side.NOTION: {"n"}},
    memory={"n": {"State": Memory(last={Side.NOTION: [(False, "Doing")]})}},
)


def test_every_part_of_a_state_is_in_the_file(tmp_path: Path) -> None:
    assert all(getattr(FULL, part) for part in State.model_fields)
    path = tmp_path / "state.json"

    files.write(path, FULL)

    assert files.read(path) == FULL
    assert path.read_text(encoding="utf-8").startswith('{\n  "version": 1,\n')


def test_a_file_for_the_owner_takes_the_place_of_one_for_all(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text("older")
    path.chmod(0o644)

    files.write(path, FULL)

    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text("older")
    broken = State(ids={"n": "o"})
    broken.objs["n"] = {"a": object()}

    with pytest.raises(ValueError, match="cannot be kept"):
        files.write(path, broken)

    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_is_no_place_for_a_state(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    with pytest.raises(StateError, match="is no file"):
        files.write(pipe, FULL)

    assert pipe.is_fifo()


def test_a_byte_order_mark_and_blanks_in_front_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(b"\xef\xbb\xbf\r\n" + files.as_json(FULL))

    assert files.read(path) == FULL


@pytest.mark.parametrize("ending", ["json", "pickle", ""])
def test_the_content_tells_the_kind_of_a_file_and_not_its_name(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"state.{ending}"
    files.write(path, FULL)

    assert files.read(path) == FULL


def test_a_file_that_ends_early_is_refused_wherever_it_ends(tmp_path: Path) -> None:
    whole, path = files.as_json(FULL).rstrip(), tmp_path / "state.json"
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(StateError):
            files.read(path)
