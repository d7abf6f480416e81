"""Records of six fields for both sides, a state that links them, and the hooks of a task over them.

Every value of every copy is an object of its own, as it is when both sides and the state are read from JSON.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sync_workers.model import Record, Side

FIELDS = {
    "Title": "title",
    "Status": "status",
    "Points": "points",
    "Done": "done",
    "Due": "due",
    "Note": "note",
}
CHANGED = datetime(2026, 1, 1, tzinfo=UTC)
DAY = date(2026, 1, 1)


def values(number: int) -> tuple[Any, ...]:
    """The six values of one record, made anew."""
    return (
        f"Task number {number}",
        ("Open", "Doing", "Done")[number % 3],
        number / 4,
        number % 2 == 0,
        DAY + timedelta(days=number % 1000),
        f"See {number}, and ask",
    )


def fields(side: Side, number: int) -> dict[str, Any]:
    names = FIELDS if side is Side.NOTION else FIELDS.values()
    return dict(zip(names, values(number), strict=True))


def record_id(side: Side, number: int) -> str:
    return f"{side.value}-{number:08}"


def records(side: Side, size: int) -> dict[str, Record]:
    """As a listing has them."""
    found = {}
    for number in range(size):
        shown = fields(side, number)
        record = Record(record_id(side, number), shown, CHANGED, key=next(iter(shown.values())))
        found[record.id] = record
    return found


@dataclass(slots=True)
class Thing:
    """A client's object of one record."""

    id: str
    values: tuple[Any, ...]
    changed: datetime = CHANGED


def things(side: Side, size: int) -> dict[str, Thing]:
    made = (Thing(record_id(side, number), values(number)) for number in range(size))
    return {thing.id: thing for thing in made}


class Hooks:
    """The hooks of a task between two services in memory; to be put before a `SyncTask` class."""

    def __init__(self, notion: int, other: int) -> None:
        super().__init__(name="benchmark", attr_map=FIELDS)  # type: ignore[call-arg] # the SyncTask behind it
        self.notion = things(Side.NOTION, notion)
        self.other = things(Side.OTHER, other)

    def get_notion_objects(self) -> list[Thing]:
        return list(self.notion.values())

    def get_other_objects(self) -> list[Thing]:
        return list(self.other.values())

    def notion_id(self, obj: Thing) -> str:
        return obj.id

    def notion_timestamp(self, obj: Thing) -> datetime:
        return obj.changed

    def notion_hash(self, obj: Thing) -> str:
        title: str = obj.values[0]
        return title

    other_id, other_timestamp, other_hash = notion_id, notion_timestamp, notion_hash

    def notion_to_dict(self, obj: Thing) -> dict[str, Any]:
        return dict(zip(FIELDS, obj.values, strict=True))

    def other_to_dict(self, obj: Thing) -> dict[str, Any]:
        return dict(zip(FIELDS.values(), obj.values, strict=True))

    def notion_create_obj(self, **kwargs: Any) -> Thing:
        return self._create(Side.NOTION, self.notion, kwargs)

    def other_create_obj(self, **kwargs: Any) -> Thing:
        return self._create(Side.OTHER, self.other, kwargs)

    def _create(self, side: Side, made: dict[str, Thing], fields: dict[str, Any]) -> Thing:
        thing = Thing(record_id(side, len(made)), tuple(fields.values()))
        made[thing.id] = thing
        return thing

    def notion_update_obj(self, obj: Thing, attr: str, value: Any) -> None:
        raise AssertionError(obj, attr, value)

    def notion_delete_obj(self, obj: Thing) -> None:
        raise AssertionError(obj)

    other_update_obj, other_delete_obj = notion_update_obj, notion_delete_obj


def links(size: int) -> Iterator[tuple[str, str]]:
    for number in range(size):
        yield record_id(Side.NOTION, number), record_id(Side.OTHER, number)
