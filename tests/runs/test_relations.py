"""Two tasks whose records name each other's, and one whose records name each other, run by run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from sync_workers.engine.rules import FieldRule, Rules
from sync_workers.errors import RejectedError, UnknownOutcomeError
from sync_workers.fields import Field, Kind
from sync_workers.model import ID, About, Fields, Pair, Record, Side
from sync_workers.report import Report
from sync_workers.services.base import Mapped
from sync_workers.services.memory import Container, MemoryService
from tests.runs.between import Between

BOTH = pytest.mark.parametrize("side", list(Side))
ATTRS = Pair(("Name", "Up"), ("title", "up"))
KINDS = Pair(Kind.REFERENCES, Kind.TEXT)


class Picky(MemoryService):
    """Refuses, or answers too late to, what has one of these names; `hidden` it does not show at all."""

    def __init__(self, place: Container, mapped: Mapped, faults: Mapping[str, type[Exception]]) -> None:
        super().__init__(place, mapped)
        self.faults = faults
        self.defaults: Fields = {}

    def create(self, fields: Fields, idempotency: str) -> Record:
        fault = self.faults.get(str(fields.get("Name") or fields.get("title")))
        if fault is RejectedError:
            raise fault("refused")
        made = super().create({**self.defaults, **fields}, idempotency)
        if fault is not None:
            raise fault("the reply was lost")
        return made


class Desk:
    """One task whose records name others, by `up` on a side that keeps one id and `Up` in Notion."""

    def __init__(self, relation: str) -> None:
        self.containers = Pair.each(self._container)
        self.faults: dict[str, type[Exception]] = {}
        rules = Rules(
            (FieldRule(Pair("Name", "title")), FieldRule(Pair("Up", "up"), relation=relation)), key=("Name",)
        )
        opens: dict[Side, Callable[[], Picky]] = {Side.NOTION: self.notion, Side.OTHER: self.other}
        self.task = Between(rules, dict(opens))

    @staticmethod
    def _container(side: Side) -> Container:
        name, up = ATTRS[side]
        return Container(side.value, {name: Field(name, Kind.TEXT), up: Field(up, KINDS[side])})

    def notion(self) -> Picky:
        return Picky(self.containers.notion, Mapped(ATTRS.notion, "Name"), self.faults)

    def other(self) -> Picky:
        return Picky(self.containers.other, Mapped(ATTRS.other, "title"), self.faults)

    def add(self, side: Side, name: str, above: ID | None = None, *, shows_parent: bool = False) -> ID:
        up = ([above] if above else []) if side is Side.NOTION else above
        record = self.containers[side].add(**dict(zip(ATTRS[side], (name, up), strict=True)))
        if shows_parent:
            self.containers[side].put(replace(record, about=About(parent=above)))
        return record.id

    def run(self, links: Mapping[str, Mapping[ID, ID]] | None = None) -> Report:
        self.task.links = links or {}
        return self.task.run()

    def tree(self, side: Side, names: Mapping[ID, str] | None = None) -> dict[str, str | None]:
        """By name what each record is under, by name."""
        records = self.containers[side].records
        name, up = ATTRS[side]
        known = names or {i: str(record.fields[name]) for i, record in records.items()}
        above = {str(r.fields[name]): r.fields.get(up) for r in records.values()}
        firsts = {n: (v[0] if isinstance(v, list) and v else v) or None for n, v in above.items()}
        return {n: None if v is None else known.get(str(v), str(v)) for n, v in firsts.items()}


@pytest.fixture
def own() -> Desk:
    return Desk("task")


@BOTH
def test_a_tree_crosses_in_its_first_run_and_the_second_plans_nothing(own: Desk, side: Side) -> None:
    # given a tree in which children may stand before their parents
    places = own.containers[side]
    child = own.add(side, "child")
    top = own.add(side, "top")
    middle = own.add(side, "middle", top)
    places.edit(child, **{ATTRS[side][1]: [middle] if side is Side.NOTION else middle})

    report = own.run()

    assert not report.failures
    assert not report.held
    assert own.tree(side.opposite) == {"child": "middle", "middle": "top", "top": None}
    assert own.task.is_quiet()


@BOTH
def test_moving_below_a_new_record_takes_one_run(own: Desk, side: Side) -> None:
    moved = own.add(side, "moved")
    own.run()
    above = own.add(side, "new")
    own.containers[side].edit(moved, **{ATTRS[side][1]: [above] if side is Side.NOTION else above})

    own.run()

    assert own.tree(side.opposite) == {"moved": "new", "new": None}
    assert own.task.is_quiet()


@BOTH
def test_a_child_of_a_parent_that_failed_is_made_without_it_and_put_there_later(
    own: Desk, side: Side
) -> None:
    top = own.add(side, "top")
    own.add(side, "child", top)
    own.faults["top"] = RejectedError

    report = own.run()

    assert own.tree(side.opposite) == {"child": None}
    assert [hold.reason for hold in report.held] == [
        f"the value of {ATTRS[side][1]!r} waits for task to link record {top}"
    ]
    own.faults.clear()
    own.run()
    assert own.tree(side.opposite) == {"child": "top", "top": None}
    assert own.task.is_quiet()


@BOTH
def test_a_child_of_a_parent_that_is_shown_as_such_waits_without_a_call(own: Desk, side: Side) -> None:
    top = own.add(side, "top")
    own.add(side, "child", top, shows_parent=True)
    own.faults["top"] = RejectedError

    report = own.run()

    assert own.tree(side.opposite) == {}
    assert [hold.reason for hold in report.held] == [f"its parent {top} failed in this run"]
    own.faults.clear()
    own.run()
    assert own.tree(side.opposite) == {"child": "top", "top": None}
    assert own.task.is_quiet()


@BOTH
def test_a_lost_reply_to_the_parent_makes_no_second_one(own: Desk, side: Side) -> None:
    top = own.add(side, "top")
    own.add(side, "child", top)
    own.faults["top"] = UnknownOutcomeError
    own.run()
    own.faults.clear()

    own.run()

    assert own.tree(side.opposite) == {"child": "top", "top": None}
    assert own.task.is_quiet()


def test_a_circle_is_finished_by_the_second_run() -> None:
    own = Desk("task")
    one = own.add(Side.NOTION, "one")
    another = own.add(Side.NOTION, "another", one)
    own.containers.notion.edit(one, Up=[another])
    own.run()
    own.run()
    assert own.tree(Side.OTHER) == {"one": "another", "another": "one"}
    assert own.task.is_quiet()


def test_what_a_column_fills_in_by_itself_gives_way_to_what_had_to_wait(own: Desk) -> None:
    top = own.add(Side.NOTION, "top")
    own.add(Side.NOTION, "child", top)
    own.faults["top"] = RejectedError

    def filled() -> Picky:
        service = Picky(own.containers.other, Mapped(ATTRS.other, "title"), own.faults)
        service.defaults = {"up": "some default"}
        return service

    own.task.open[Side.OTHER] = filled
    own.run()
    own.faults.clear()
    report = own.run()
    assert report.conflicts == []
    assert own.tree(Side.OTHER)["child"] == "top"


# --- another task's records ---


@pytest.fixture
def tasks() -> Desk:
    return Desk("projects")


@BOTH
def test_what_is_not_linked_yet_follows_in_a_later_run(tasks: Desk, side: Side) -> None:
    project = Pair("P1", "p1")
    tasks.add(side, "write it", project[side])

    first = tasks.run()

    assert tasks.tree(side.opposite) == {"write it": None}
    assert [hold.reason for hold in first.held] == [
        f"the value of {ATTRS[side][1]!r} waits for projects to link record {project[side]}"
    ]
    # As long as it waits, nothing is planned.
    assert tasks.task.is_quiet()
    later = tasks.run({"projects": {"P1": "p1"}})
    assert tasks.tree(side.opposite) == {"write it": project[side.opposite]}
    assert (later.conflicts, later.held) == ([], [])
    assert tasks.task.is_quiet()


@BOTH
def test_an_edit_crosses_by_the_links_and_not_by_the_ids(tasks: Desk, side: Side) -> None:
    links = {"projects": {"P1": "p1", "P2": "p2"}}
    task = tasks.add(side, "write it", Pair("P1", "p1")[side])
    tasks.run(links)
    tasks.containers[side].edit(task, **{ATTRS[side][1]: Pair(["P2"], "p2")[side]})
    tasks.run(links)
    assert tasks.tree(side.opposite) == {"write it": Pair("P2", "p2")[side.opposite]}
    assert tasks.task.is_quiet()


def test_the_rest_of_what_notion_names_stays_there(tasks: Desk) -> None:
    links = {"projects": {f"P{n}": f"p{n}" for n in range(1, 4)}}
    task = tasks.add(Side.NOTION, "write it", "P1")
    tasks.containers.notion.edit(task, Up=["P1", "P2"])
    tasks.run(links)
    (copy,) = tasks.containers.other.records
    tasks.containers.other.edit(copy, up="p3")
    tasks.run(links)
    assert tasks.containers.notion.records[task].fields["Up"] == ["P3", "P2"]
    assert tasks.task.is_quiet()


def test_another_task_in_the_field_map_is_another_field_map() -> None:
    desk = Desk("projects")
    desk.add(Side.NOTION, "write it", "P1")
    desk.run({"projects": {"P1": "p1"}})
    fields = desk.task.rules.fields
    desk.task.rules = replace(desk.task.rules, fields=(fields[0], replace(fields[1], relation="clients")))
    report = desk.run({"clients": {"P1": "c1"}})
    assert report.fresh == ["field.Up"]
    assert [hold.reason for hold in report.held] == ["the value of 'up' waits for clients to link record p1"]
    report = desk.run({"clients": {"P1": "c1", "C2": "p1"}})
    # Both sides say something now, and nobody knows which of them was edited.
    assert [conflict.attrs.notion for conflict in report.conflicts] == ["Up"]
