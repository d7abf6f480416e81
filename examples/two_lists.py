"""A sync of two to-do lists as a class: run it with `python examples/two_lists.py`.

Both services are dicts in this process, so that the example needs no account, no network and no Redis. For
services of your own only the hooks change.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from sync_workers import ID, State, SyncTask


@dataclass
class ToDoList:
    """A service that keeps to-dos by id, and calls the fields of one by names of its own."""

    prefix: str
    items: dict[ID, dict[str, Any]] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def add(self, **values: Any) -> dict[str, Any]:
        item = {"id": f"{self.prefix}{next(self.numbers)}", "changed": datetime.now(UTC), **values}
        self.items[item["id"]] = item
        return item

    def set(self, item: dict[str, Any], **values: Any) -> None:
        item.update(values, changed=datetime.now(UTC))


class TwoLists(SyncTask):
    """Title, state and due date of each to-do are kept the same on both sides."""

    def __init__(self, notion: ToDoList, other: ToDoList) -> None:
        super().__init__(
            name="two lists",
            attr_map={"Title": "summary", "Done": "is_done", "Due": "due"},
            conflict_mode="newer",
        )
        self.notion = notion
        self.other = other

    # What is there: everything, or an exception.

    def get_notion_objects(self) -> list[Any]:
        return list(self.notion.items.values())

    def get_other_objects(self) -> list[Any]:
        return list(self.other.items.values())

    # What an object is: its id, when it changed, what it is matched by, its values.

    def notion_id(self, obj: dict[str, Any]) -> ID:
        return str(obj["id"])

    def other_id(self, obj: dict[str, Any]) -> ID:
        return str(obj["id"])

    def notion_timestamp(self, obj: dict[str, Any]) -> datetime:
        changed: datetime = obj["changed"]
        return changed

    def other_timestamp(self, obj: dict[str, Any]) -> datetime:
        changed: datetime = obj["changed"]
        return changed

    def notion_hash(self, obj: dict[str, Any]) -> str:
        return str(obj["Title"]).casefold()

    def other_hash(self, obj: dict[str, Any]) -> str:
        return str(obj["summary"]).casefold()

    def notion_to_dict(self, obj: dict[str, Any]) -> dict[str, Any]:
        return {name: obj[name] for name in self.attr_map}

    def other_to_dict(self, obj: dict[str, Any]) -> dict[str, Any]:
        return {name: obj[name] for name in self.attr_map.values()}

    # How it is changed. `*_update_attrs` is optional: it makes one write of all changes of an object.

    def notion_update_obj(self, obj: dict[str, Any], attr: str, value: Any) -> None:
        self.notion.set(obj, **{attr: value})

    def other_update_obj(self, obj: dict[str, Any], attr: str, value: Any) -> None:
        self.other.set(obj, **{attr: value})

    def other_update_attrs(self, obj: dict[str, Any], changes: dict[str, Any]) -> None:
        self.other.set(obj, **changes)

    def notion_delete_obj(self, obj: dict[str, Any]) -> None:
        del self.notion.items[obj["id"]]

    def other_delete_obj(self, obj: dict[str, Any]) -> None:
        del self.other.items[obj["id"]]

    def notion_create_obj(self, **kwargs: Any) -> dict[str, Any]:
        return self.notion.add(**kwargs)

    def other_create_obj(self, **kwargs: Any) -> dict[str, Any]:
        return self.other.add(**kwargs)


def show(task: TwoLists, what: str) -> None:
    """Print what was done, and the two lists."""
    counts = ", ".join(f"{name} {number}" for name, number in sorted(task.report.counts.items()))
    print(f"{what}: {counts or 'nothing to do'}")
    for side, items, names in (
        ("notion", task.notion.items, task.attr_map.keys()),
        ("other", task.other.items, task.attr_map.values()),
    ):
        for item in items.values():
            print(f"    {side:6}  {item['id']}  " + ", ".join(str(item[name]) for name in names))


def main() -> None:
    """A first sync, edits on both sides, a deletion, and a sync that has nothing to do."""
    notion, other = ToDoList("n"), ToDoList("o")
    notion.add(Title="Buy milk", Done=False, Due=date(2026, 5, 1))
    notion.add(Title="Call Ada", Done=False, Due=None)
    other.add(summary="Buy milk", is_done=False, due=date(2026, 5, 1))
    task = TwoLists(notion, other)

    state = task.sync(None)
    show(task, "The first sync links what belongs together, and copies the rest")

    notion.set(notion.items["n2"], Due=date(2026, 5, 7))
    other.set(other.items["o2"], is_done=True)
    state = task.sync(state)
    show(task, "An edit on each side of one to-do")

    del other.items["o1"]
    stored = state.model_dump_json()  # keep it where you like
    state = task.sync(State.model_validate_json(stored))
    show(task, "A deletion")

    task.sync(state)
    show(task, "Once more")


if __name__ == "__main__":
    main()
