from __future__ import annotations

from typing import Any

import pytest

from sync_workers.sandbox.rollups import rolled_up

NUMBERS: list[dict[str, Any]] = [{"type": "number", "number": value} for value in (1, None, 4, 1)]
TICKS: list[dict[str, Any]] = [{"type": "checkbox", "checkbox": value} for value in (True, False, True, True)]
DAYS: list[dict[str, Any]] = [
    {"type": "date", "date": {"start": "2026-01-03", "end": "2026-01-09", "time_zone": None}},
    {"type": "date", "date": {"start": "2026-01-01", "end": None, "time_zone": None}},
    {"type": "date", "date": None},
]
TAGS: list[dict[str, Any]] = [{"type": "multi_select", "multi_select": [{"name": "a"}, {"name": "b"}]}] * 2


@pytest.mark.parametrize(
    ("function", "items", "result"),
    [
        ("count", NUMBERS, 4),
        ("count_values", NUMBERS, 3),
        ("count_values", TAGS, 4),
        ("unique", NUMBERS, 2),
        ("unique", TAGS, 2),
        ("empty", NUMBERS, 1),
        ("not_empty", NUMBERS, 3),
        ("percent_empty", NUMBERS, 0.25),
        ("percent_not_empty", [], 0),
        ("sum", NUMBERS, 6),
        ("average", NUMBERS, 2),
        ("median", NUMBERS, 1),
        ("min", NUMBERS, 1),
        ("max", NUMBERS, 4),
        ("range", NUMBERS, 3),
        ("sum", [], None),
        ("checked", TICKS, 3),
        ("unchecked", TICKS, 1),
        ("percent_checked", TICKS, 0.75),
        ("percent_unchecked", TICKS, 0.25),
    ],
)
def test_a_rollup_counts_and_computes(function: str, items: list[Any], result: Any) -> None:
    assert rolled_up(function, items) == {"type": "number", "number": result, "function": function}


@pytest.mark.parametrize(
    ("function", "start", "end"),
    [
        ("earliest_date", "2026-01-01", None),
        ("latest_date", "2026-01-09", None),
        ("date_range", "2026-01-01", "2026-01-09"),
    ],
)
def test_a_rollup_of_dates(function: str, start: str, end: str | None) -> None:
    assert rolled_up(function, DAYS)["date"] == {"start": start, "end": end, "time_zone": None}
    assert rolled_up(function, [])["date"] is None


def test_a_rollup_shows_the_values_themselves_and_says_what_it_cannot() -> None:
    assert rolled_up("show_original", TICKS)["array"] == TICKS
    assert rolled_up("percent_per_group", TICKS)["type"] == "unsupported"
