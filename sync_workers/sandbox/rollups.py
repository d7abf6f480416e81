"""What a rollup makes of the values of related rows: one of Notion's functions. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sync_workers.sandbox.nouns import Json


def rolled_up(function: str, items: Sequence[Json]) -> Json:
    """The result of a rollup over values as pages show them, each with its `type`."""
    if function == "show_original":
        return {"type": "array", "array": list(items), "function": function}
    if function in _OF_DATES:
        days = sorted(end for item in items for end in _dates(item))
        return {"type": "date", "date": _OF_DATES[function](days) if days else None, "function": function}
    if function in _OF_NUMBERS:
        numbers = [item["number"] for item in items if item.get("number") is not None]
        result = _OF_NUMBERS[function](numbers) if numbers else None
        return {"type": "number", "number": result, "function": function}
    counted = _COUNTS.get(function)
    if counted is None:
        return {"type": "unsupported", "unsupported": {}, "function": function}
    return {"type": "number", "number": counted(items), "function": function}


def _value(item: Json) -> Any:
    return item.get(item["type"])


def _filled(items: Sequence[Json]) -> list[Json]:
    return [item for item in items if _value(item) not in (None, [], "")]


def _values(items: Sequence[Json]) -> list[Any]:
    """The single values: those of a list count one by one."""
    return [one for v in map(_value, _filled(items)) for one in (v if isinstance(v, list) else [v])]


def _share(part: int, items: Sequence[Json]) -> float:
    return part / len(items) if items else 0


def _ticked(items: Sequence[Json]) -> int:
    return sum(item.get("checkbox") is True for item in items)


def _dates(item: Json) -> list[str]:
    shown = item.get("date") or {}
    return [shown[end] for end in ("start", "end") if shown.get(end)]


def _day(start: str, end: str | None = None) -> Json:
    return {"start": start, "end": end, "time_zone": None}


_OF_DATES: Mapping[str, Callable[[list[str]], Json]] = {
    "earliest_date": lambda days: _day(days[0]),
    "latest_date": lambda days: _day(days[-1]),
    "date_range": lambda days: _day(days[0], days[-1]),
}

_OF_NUMBERS: Mapping[str, Callable[[list[float]], float]] = {
    "sum": sum,
    "average": statistics.fmean,
    "median": statistics.median,
    "min": min,
    "max": max,
    "range": lambda numbers: max(numbers) - min(numbers),
}

_COUNTS: Mapping[str, Callable[[Sequence[Json]], float]] = {
    "count": len,
    "count_all": len,
    "count_values": lambda items: len(_values(items)),
    "unique": lambda items: len({repr(value) for value in _values(items)}),
    "empty": lambda items: len(items) - len(_filled(items)),
    "not_empty": lambda items: len(_filled(items)),
    "percent_empty": lambda items: _share(len(items) - len(_filled(items)), items),
    "percent_not_empty": lambda items: _share(len(_filled(items)), items),
    "checked": _ticked,
    "unchecked": lambda items: len(items) - _ticked(items),
    "percent_checked": lambda items: _share(_ticked(items), items),
    "percent_unchecked": lambda items: _share(len(items) - _ticked(items), items),
}
