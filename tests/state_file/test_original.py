"""Pickles that ultimate-notion itself made, as it writes its state."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from sync_workers.state import State
from sync_workers.state_file.original import state_of
from sync_workers.state_file.pickled import UnreadableError
from sync_workers.values import DateRange
from tests.state_file.library import library, original_state, run_original

BERLIN = ZoneInfo("Europe/Berlin")
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def pendulum() -> Any:
    return library("pendulum")


def text(words: str) -> Any:
    notion = library()
    return notion.text(words, bold=True) + notion.text(" plain")


# What the library's objects and people's subclasses put into a state, and what ours keeps.
VALUES: dict[str, tuple[Callable[[], Any], Any]] = {
    "nothing": (lambda: None, None),
    "text": (lambda: 'é "quoted"\n', 'é "quoted"\n'),
    "rich text": (lambda: text("rich"), "rich plain"),
    "truth": (lambda: True, True),
    "number": (lambda: -5, -5),
    "large": (lambda: 2**70, 2**70),
    "fraction": (lambda: 2.5, 2.5),
    "money": (lambda: Decimal("1.10"), Decimal("1.10")),
    "raw": (lambda: b"\x00\xff", b"\x00\xff"),
    "no bytes": (lambda: b"", b""),
    "array": (lambda: bytearray(b"ab"), b"ab"),
    "list": (lambda: ["a", ["b"], []], ["a", ["b"], []]),
    "tuple": (lambda: (1, (), (2, 3, 4, 5)), (1, (), (2, 3, 4, 5))),
    "set": (lambda: {1, 2}, {1, 2}),
    "empty set": (set, set()),
    "frozen": (lambda: frozenset({"a"}), {"a"}),
    "dict": (lambda: {"a": {"$date": 1}}, {"a": {"$date": 1}}),
    "id": (lambda: UUID(int=7), UUID(int=7)),
    "day": (lambda: date(2026, 2, 3), date(2026, 2, 3)),
    "naive": (lambda: datetime(2026, 2, 3, 4, 5, 6, 7), datetime(2026, 2, 3, 4, 5, 6, 7)),  # noqa: DTZ001
    "moment": (lambda: datetime(2026, 2, 3, tzinfo=UTC), datetime(2026, 2, 3, tzinfo=UTC)),
    "offset": (
        lambda: datetime(2026, 2, 3, tzinfo=timezone(timedelta(hours=-3, minutes=-30))),
        datetime(2026, 2, 3, 3, 30, tzinfo=UTC),
    ),
    "zone": (lambda: datetime(2026, 7, 3, 4, tzinfo=BERLIN), datetime(2026, 7, 3, 4, tzinfo=BERLIN)),
    "time": (lambda: time(4, 5, 6, 7), time(4, 5, 6, 7)),
    "duration": (lambda: timedelta(days=2, microseconds=5), timedelta(days=2, microseconds=5)),
    "pendulum day": (lambda: pendulum().date(2026, 2, 3), date(2026, 2, 3)),
    "pendulum moment": (lambda: pendulum().datetime(2026, 2, 3, 4), datetime(2026, 2, 3, 4, tzinfo=UTC)),
    "pendulum zone": (
        lambda: pendulum().datetime(2026, 7, 3, 4, tz="Europe/Berlin"),
        datetime(2026, 7, 3, 4, tzinfo=BERLIN),
    ),
    "pendulum offset": (
        lambda: pendulum().parse("2026-02-03T04:05:06+02:00"),
        datetime(2026, 2, 3, 2, 5, 6, tzinfo=UTC),
    ),
    "pendulum naive": (
        lambda: pendulum().naive(2026, 2, 3, 4),
        datetime(2026, 2, 3, 4),  # noqa: DTZ001
    ),
    "pendulum time": (lambda: pendulum().time(4, 5), time(4, 5)),
    "pendulum duration": (lambda: pendulum().duration(days=2, hours=3), timedelta(days=2, hours=3)),
    "days": (
        lambda: pendulum().interval(pendulum().date(2026, 1, 2), pendulum().date(2026, 1, 3)),
        DateRange(date(2026, 1, 2), date(2026, 1, 3)),
    ),
    "span": (
        lambda: pendulum().interval(pendulum().datetime(2026, 1, 2), pendulum().datetime(2026, 1, 3)),
        DateRange(datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 3, tzinfo=UTC)),
    ),
    "option": (lambda: library().Option("Open", color="red"), "Open"),
    "color": (lambda: library("ultimate_notion.obj_api.enums").Color("red"), "red"),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", VALUES)
def test_a_value_that_the_original_kept_is_plain_here(name: str, protocol: int) -> None:
    make, expected = VALUES[name]
    made = make()
    data = pickle.dumps(original_state({"n1": "o1"}, {"n1": {"Due": made, "Again": made}}), protocol)

    state = state_of(data)

    assert state.ids == {"n1": "o1"}
    for attr in ("Due", "Again"):
        found = state.objs["n1"][attr]
        assert found == expected
        assert type(found) is type(expected)
    assert State.model_validate_json(state.model_dump_json()) == state


def test_times_keep_their_zone_and_which_of_two_equal_ones_they_are() -> None:
    moment = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1)

    found = state_of(pickle.dumps(original_state({"n": "o"}, {"n": {"At": moment}}))).objs["n"]["At"]

    assert found.utcoffset() == timedelta(hours=1)
    assert (found + timedelta(days=300)).utcoffset() == timedelta(hours=2)


def test_ids_of_other_kinds_become_text() -> None:
    state = state_of(pickle.dumps(original_state({UUID(int=1): 17}, {UUID(int=1): {"a": 1}})))

    assert state.ids == {str(UUID(int=1)): "17"}
    assert state.objs == {str(UUID(int=1)): {"a": 1}}


def test_two_ids_that_are_one_as_text_are_refused() -> None:
    with pytest.raises(UnreadableError, match="one as text"):
        state_of(pickle.dumps(original_state({1: "a", "1": "b"}, {})))


def test_the_file_that_a_run_of_the_original_left_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    title, due = text("Milk"), pendulum().date(2026, 5, 1)
    path = run_original(
        monkeypatch,
        tmp_path,
        {"Task": "title", "Due": "due"},
        [{"id": "n1", "Task": title, "Due": due}, {"id": "n2", "Task": "Eggs", "Due": None}],
        [{"id": "o1", "title": "Milk plain", "due": date(2026, 5, 1)}],
    )

    state = state_of(path.read_bytes())

    assert state.ids == {"n1": "o1", "n2": "other-made-1"}
    assert state.objs == {
        "n1": {"Task": "Milk plain", "Due": date(2026, 5, 1)},
        "n2": {"Task": "Eggs", "Due": None},
    }


@pytest.mark.parametrize("name", ["user", "page", "own class", "path"])
def test_a_value_that_is_no_plain_data_is_refused_by_its_type(name: str) -> None:
    core = library("ultimate_notion.obj_api.core")
    values: dict[str, tuple[Any, str]] = {
        "user": (core.UnsetType(), "ultimate_notion.obj_api.core.UnsetType"),
        "page": (library("ultimate_notion.obj_api.objects").Annotations(), "objects.Annotations"),
        "own class": (Own("SECRET-VALUE"), f"{__name__}.Own"),
        "path": (Path("SECRET-VALUE"), "pathlib.PosixPath"),
    }
    value, expected = values[name]

    with pytest.raises(UnreadableError) as raised:
        state_of(pickle.dumps(original_state({"n": "o"}, {"n": {"a": value}})))

    assert expected in str(raised.value)
    assert "SECRET-VALUE" not in str(raised.value)


class Own:
    def __init__(self, text: str) -> None:
        self.text = text
