"""Fields that name records of another task, or of their own: they cross by links, wait, and lose nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from sync_workers.engine.diff import diff
from sync_workers.engine.relations import crossings_of
from sync_workers.engine.rules import Direction, FieldRule, Rules
from sync_workers.fields import Field, Kind
from sync_workers.model import ID, About, Action, ConflictMode, Listing, Pair, Part, Plan, Record, Side
from sync_workers.references import Counterpart
from sync_workers.state import State
from tests.engine.build import NAME, START, actions, only, told

REL = Pair("Project", "project")
MANY = Pair(Field("Project", Kind.REFERENCES), Field("project", Kind.REFERENCES))
ONE = Pair(Field("Project", Kind.REFERENCES), Field("project", Kind.TEXT))
NUMBER = Pair(Field("Project", Kind.REFERENCES), Field("project", Kind.NUMBER))
SHAPES = pytest.mark.parametrize("shape", [MANY, ONE], ids=["many", "one"])
BOTH = pytest.mark.parametrize("side", list(Side))


@dataclass
class Here:
    """A task `tasks` whose records name projects: `P1` is `p1`, as far as `projects` links them."""

    shape: Pair[Field] = MANY
    relation: str = "projects"
    mode: ConflictMode = ConflictMode.NEWER
    direction: Direction = Direction.BOTH
    projects: dict[ID, ID] = field(default_factory=lambda: {f"P{n}": f"p{n}" for n in range(1, 5)})
    state: State = field(default_factory=State)
    records: Pair[dict[ID, Record]] = field(default_factory=lambda: Pair({}, {}))

    @property
    def rules(self) -> Rules:
        rule = FieldRule(REL, self.direction, relation=self.relation)
        return Rules((FieldRule(NAME), rule), mode=self.mode, key=("Name",))

    def has(
        self, side: Side, record_id: ID, rel: Any, *, name: str = "", at: float = 0, parent: ID = ""
    ) -> None:
        shown = {NAME[side]: name or record_id.lower(), REL[side]: rel}
        about = About(parent=parent or None)
        moment = START + timedelta(seconds=at)
        self.records[side][record_id] = Record(record_id, shown, moment, about=about)

    def linked(self, notion: Any, other: Any, number: int = 1) -> None:
        """A linked pair that is in step."""
        ids = Pair(f"N{number}", f"n{number}")
        for side, rel in ((Side.NOTION, notion), (Side.OTHER, other)):
            self.has(side, ids[side], rel, name=f"task {number}")
        shown = Pair.each(lambda side: dict(self.records[side][ids[side]].fields))
        self.state.link(ids.notion, ids.other, shown.notion, shown.other)

    def edit(self, side: Side, rel: Any, number: int = 1, *, at: float = 0) -> None:
        record_id = Pair(f"N{number}", f"n{number}")[side]
        record = self.records[side][record_id]
        fields = {**record.fields, REL[side]: rel}
        moment = START + timedelta(seconds=at)
        self.records[side][record_id] = replace(record, fields=fields, modified=moment)

    def plan(self) -> Plan:
        fields: Pair[Mapping[str, Field]] = Pair.each(lambda s: {self.shape[s].name: self.shape[s]})
        snapshot = Pair.each(lambda s: Listing(dict(self.records[s])))
        return diff(
            self.rules, self.state, snapshot, fields=fields, links={"projects": self.projects}, task="tasks"
        )

    def held(self) -> list[str]:
        return [hold.reason for hold in self.plan().held]


def rel(side: Side, value: Any) -> list[tuple[str, str, dict[str, Any]]]:
    return [("update", side, {REL[side]: value})]


# --- links cross ---


@pytest.mark.parametrize(
    ("shape", "before", "after"),
    [(MANY, ["p1"], ["p1", "p2"]), (ONE, "p1", "p1"), (NUMBER, 1, 1)],
    ids=["many", "one", "number"],
)
def test_what_notion_names_is_named_on_the_other_side_by_its_counterparts(
    shape: Pair[Field], before: Any, after: Any
) -> None:
    here = Here(shape, projects={"P1": "1", "P2": "2"} if shape is NUMBER else {"P1": "p1", "P2": "p2"})
    here.linked(["P1"], before)
    here.edit(Side.NOTION, ["P1", "P2"])
    plan = here.plan()
    # A side that keeps one id has the first already: nothing is written there, and only the bases move.
    expected = [("advance", "notion", {})] if shape is not MANY else rel(Side.OTHER, after)
    assert told(plan) == expected


@pytest.mark.parametrize(("shape", "value"), [(ONE, "p2"), (NUMBER, 2)], ids=["one", "number"])
def test_a_column_with_one_id_gets_the_first(shape: Pair[Field], value: Any) -> None:
    here = Here(shape, projects={"P1": "1", "P2": "2"} if shape is NUMBER else {"P1": "p1", "P2": "p2"})
    here.linked(["P1"], 1 if shape is NUMBER else "p1")
    here.edit(Side.NOTION, ["P2", "P1"])
    assert told(here.plan()) == rel(Side.OTHER, value)


@pytest.mark.parametrize(
    ("shape", "value", "expected"),
    [
        (MANY, ["p3"], ["P3"]),
        (MANY, None, []),
        (ONE, "p3", ["P3", "P2"]),  # what a single column cannot hold stays in Notion
        (ONE, None, ["P2"]),
        (NUMBER, 3.0, ["P3", "P2"]),
    ],
)
def test_an_edit_of_the_other_side_takes_away_only_what_that_side_knew(
    shape: Pair[Field], value: Any, expected: Any
) -> None:
    here = Here(shape)
    if shape is NUMBER:
        here.projects = {f"P{n}": str(n) for n in range(1, 5)}
    here.linked(["P1", "P2"], {MANY.other: ["p1", "p2"], ONE.other: "p1", NUMBER.other: 1}[shape.other])
    here.edit(Side.OTHER, value)
    assert told(here.plan()) == rel(Side.NOTION, expected)


def test_what_a_person_takes_away_in_notion_is_no_echo_of_the_poorer_side() -> None:
    here = Here(ONE)
    here.linked(["P4", "P2"], None)  # the column was cleared, and the rest stayed
    here.edit(Side.NOTION, ["P2"])
    assert told(here.plan()) == rel(Side.OTHER, "p2")


def test_the_first_id_that_lost_a_conflict_makes_room_and_the_rest_stays() -> None:
    here = Here(ONE, mode=ConflictMode.OTHER)
    here.linked(["P1", "P2"], "p1")
    here.edit(Side.NOTION, ["P4", "P2"])
    here.edit(Side.OTHER, "p3")
    assert told(here.plan()) == rel(Side.NOTION, ["P3", "P2"])


def test_what_was_cleared_for_the_poorer_side_is_not_cleared_again_after_a_lost_reply() -> None:
    here = Here(ONE)
    here.linked(["P1", "P2", "P3"], "p1")
    here.edit(Side.OTHER, None)
    assert told(here.plan()) == rel(Side.NOTION, ["P2", "P3"])
    here.edit(Side.NOTION, ["P2", "P3"])
    assert actions(here.plan()) == ["advance"]


@pytest.mark.parametrize("value", [["P2", "P1"], ["P1", "P2"]])
def test_another_order_is_no_edit(value: list[ID]) -> None:
    here = Here(MANY)
    here.linked(["P1", "P2"], ["p1", "p2"])
    here.edit(Side.NOTION, value)
    assert not any(op.action.writes for op in here.plan())


@SHAPES
def test_records_that_were_just_matched_are_compared_by_their_links(shape: Pair[Field]) -> None:
    here = Here(shape)
    one = "p1" if shape is ONE else ["p1"]
    here.has(Side.NOTION, "N1", ["P1"], name="x")
    here.has(Side.OTHER, "n1", one, name="x")
    assert actions(here.plan()) == ["link"]
    here.has(Side.NOTION, "N1", ["P2"], name="x", at=200)
    here.has(Side.OTHER, "n1", one, name="x")
    assert told(here.plan())[1:] == rel(Side.OTHER, "p2" if shape is ONE else ["p2"])


def test_a_record_that_is_matched_and_names_nothing_gets_what_the_other_names() -> None:
    here = Here(ONE)
    here.has(Side.NOTION, "N1", [], name="x")
    here.has(Side.OTHER, "n1", "p1", name="x")
    assert told(here.plan())[1:] == rel(Side.NOTION, ["P1"])


# --- what has no link ---


@SHAPES
@BOTH
def test_a_record_that_is_not_linked_yet_is_waited_for(shape: Pair[Field], side: Side) -> None:
    here = Here(shape)
    here.linked([], None)
    new = Pair(["P9"], "p9" if shape is ONE else ["p9"])
    here.edit(side, new[side])

    assert here.plan().operations == ()
    name, record_id = REL[side], Pair("P9", "p9")[side]
    assert here.held() == [f"the value of {name!r} waits for projects to link record {record_id}"]

    here.projects["P9"] = "p9"
    assert told(here.plan()) == rel(side.opposite, new[side.opposite])
    assert here.held() == []


def test_everything_else_of_the_record_flows_meanwhile() -> None:
    here = Here(ONE)
    here.linked(["P1"], "p1")
    here.edit(Side.NOTION, ["P9"])
    record = here.records.notion["N1"]
    here.records.notion["N1"] = replace(record, fields={**record.fields, "Name": "renamed"})
    operation = only(here.plan())
    assert operation.fields == {"title": "renamed"}
    assert "Project" not in operation.bases.notion


@pytest.mark.parametrize("shape", [MANY, ONE], ids=["many", "one"])
@BOTH
def test_a_new_record_is_made_without_what_has_to_wait(shape: Pair[Field], side: Side) -> None:
    here = Here(shape)
    value = Pair(["P9"], "p9" if shape is ONE else ["p9"])[side]
    here.has(side, "X", value)
    operation = only(here.plan())
    assert operation.action is Action.CREATE
    assert REL[side.opposite] not in operation.fields
    # No base: when it can cross, it is neither an edit nor a conflict.
    assert REL[side] not in operation.bases[side]
    assert here.held() == [
        f"the value of {REL[side]!r} waits for projects to link record {Pair('P9', 'p9')[side]}"
    ]


def test_a_task_that_never_ran_links_nothing() -> None:
    here = Here(ONE, relation="elsewhere")
    here.linked([], None)
    here.edit(Side.NOTION, ["P1"])
    assert here.held() == ["the value of 'Project' waits for elsewhere to link record P1"]


@pytest.mark.parametrize("mode", [ConflictMode.OTHER, ConflictMode.NOTION, ConflictMode.ERROR])
def test_a_conflict_takes_nothing_away_that_the_winner_cannot_know(mode: ConflictMode) -> None:
    here = Here(MANY, mode=mode)
    here.linked(["P1"], ["p1"])
    here.edit(Side.NOTION, ["P1", "P9"])
    here.edit(Side.OTHER, ["p2"])
    assert here.plan().operations == ()


def test_a_first_id_without_a_link_is_not_passed_over_for_the_second() -> None:
    here = Here(ONE)
    here.linked(["P1"], "p1")
    here.edit(Side.NOTION, ["P9", "P2"])
    assert here.plan().operations == ()
    assert here.held() == ["the value of 'Project' waits for projects to link record P9"]


# --- what lost its link ---


def test_what_lost_its_link_stays_on_both_sides_while_others_come() -> None:
    here = Here(MANY)
    here.linked(["P1", "P9"], ["p1", "p9"])
    assert here.plan().operations == ()
    here.edit(Side.NOTION, ["P1", "P9", "P2"])
    operation = only(here.plan())
    assert sorted(operation.fields["project"]) == ["p1", "p2", "p9"]


@SHAPES
def test_what_lost_its_link_goes_on_both_sides(shape: Pair[Field]) -> None:
    here = Here(shape)
    here.linked(["P9"], "p9" if shape is ONE else ["p9"])
    here.edit(Side.NOTION, [])
    assert told(here.plan()) == rel(Side.OTHER, None if shape is ONE else [])


def test_of_several_that_lost_their_links_nobody_can_tell_which_one_went() -> None:
    here = Here(MANY)
    here.linked(["P8", "P9"], ["p8", "p9"])
    here.edit(Side.NOTION, ["P8"])
    assert here.plan().operations == ()
    assert here.held() == ["the value of 'Project' waits for projects to link record P9"]


def test_a_record_that_lost_its_link_is_replaced_by_one_that_a_person_chose() -> None:
    here = Here(ONE)
    here.linked(["P9"], "p9")
    here.edit(Side.NOTION, ["P1"])
    assert told(here.plan()) == rel(Side.OTHER, "p1")


def test_what_lost_its_link_says_the_same_with_more_behind_it() -> None:
    here = Here(ONE)
    here.linked(["P9"], "p9")
    here.edit(Side.NOTION, ["P9", "P1"])
    assert actions(here.plan()) == ["advance"]


# --- what a side may hide ---


def test_an_operation_says_what_is_not_named_any_more() -> None:
    here = Here(MANY)
    here.linked(["P1", "P2"], ["p1", "p2"])
    here.edit(Side.NOTION, ["P1"])
    (reference,) = only(here.plan()).references
    assert (reference.attrs, reference.task, reference.vanished) == (REL, "projects", Pair(("P2",), ()))


def test_a_write_to_what_names_less_than_it_did_says_so_too() -> None:
    here = Here(MANY, mode=ConflictMode.OTHER)
    here.linked(["P1", "P2"], ["p1", "p2"])
    here.edit(Side.NOTION, ["P1"])
    here.edit(Side.OTHER, ["p1", "p2", "p3"])
    (reference,) = only(here.plan()).references
    assert reference.vanished.notion == ("P2",)


# --- records of the same task ---


def own(shape: Pair[Field] = ONE) -> Here:
    return Here(shape, relation="tasks")


@SHAPES
@BOTH
def test_records_that_are_copied_in_one_plan_name_each_other(shape: Pair[Field], side: Side) -> None:
    here = own(shape)
    as_list = shape is MANY or side is Side.NOTION
    for child, parent in (("C", "B"), ("B", "A"), ("A", None)):
        here.has(side, child, ([parent] if as_list else parent) if parent else None)

    plan = here.plan()

    assert [op.source_id for op in plan] == ["A", "B", "C"]
    to_list = shape is MANY or side is Side.OTHER
    named = [op.fields[REL[side.opposite]] for op in plan]
    assert named[1:] == [[Counterpart(i)] if to_list else Counterpart(i) for i in ("A", "B")]
    assert plan.held == ()


def test_a_circle_is_cut_and_ends() -> None:
    here = own(MANY)
    for one, another in (("A", "B"), ("B", "C"), ("C", "A")):
        here.has(Side.NOTION, one, [another])
    assert sorted(op.source_id for op in here.plan()) == ["A", "B", "C"]


def test_a_long_line_of_children_is_no_trouble() -> None:
    here = own()
    for number in range(3000, 0, -1):
        here.has(Side.NOTION, f"T{number}", [f"T{number - 1}"] if number > 1 else [])
    assert [op.source_id for op in here.plan()] == [f"T{number}" for number in range(1, 3001)]


@BOTH
def test_a_linked_record_that_is_put_under_a_new_one_is_written_after_that(side: Side) -> None:
    here = own()
    here.linked([], None)
    here.has(side, "X", None)
    here.edit(side, Pair(["X"], "X")[side])

    plan = here.plan()

    assert [(op.action, op.part) for op in plan] == [
        (Action.CREATE, Part.created(side)),
        (Action.UPDATE, Part.RELATED),
    ]
    value = plan.operations[1].fields[REL[side.opposite]]
    assert value == Pair([Counterpart("X")], Counterpart("X"))[side.opposite]
    assert plan.held == ()


def test_a_linked_record_that_names_one_that_is_only_just_matched_does_not_wait() -> None:
    here = own()
    here.linked([], None)
    here.edit(Side.NOTION, ["M"])
    here.has(Side.NOTION, "M", [], name="m")
    here.has(Side.OTHER, "m", None, name="m")
    plan = here.plan()
    assert ("update", "other", {"project": "m"}) in told(plan)
    assert plan.held == ()


def test_two_that_are_matched_together_name_each_other() -> None:
    here = own()
    for parent, name in ((None, "a"), ("a", "b")):
        here.has(Side.NOTION, name.upper(), [parent.upper()] if parent else [], name=name)
        here.has(Side.OTHER, name, parent, name=name)
    assert actions(here.plan()) == ["link", "link"]


def test_a_record_that_is_made_again_takes_the_place_of_the_dead_one_in_a_list() -> None:
    here = own(MANY)
    for number in (1, 3):
        here.linked([], None, number)
    here.linked(["N1"], ["n1"], 2)
    del here.records.other["n1"]
    here.records.notion["N1"] = replace(
        here.records.notion["N1"], fields={**here.records.notion["N1"].fields, "Name": "edited"}
    )
    here.edit(Side.NOTION, ["N1", "N3"], 2)
    update = next(op for op in here.plan() if op.action is Action.UPDATE)
    assert update.fields == {"project": [Counterpart("N1"), "n3"]}


def test_a_parent_that_is_made_again_is_named_by_its_new_id() -> None:
    here = own()
    here.linked([], None, 1)
    here.linked([], None, 2)
    # The counterpart of 1 was deleted, while it was edited; 2 was put under it.
    del here.records.other["n1"]
    here.records.notion["N1"] = replace(
        here.records.notion["N1"], fields={**here.records.notion["N1"].fields, "Name": "edited"}
    )
    here.edit(Side.NOTION, ["N1"], 2)
    update = next(op for op in here.plan() if op.action is Action.UPDATE)
    assert update.fields == {"project": Counterpart("N1")}
    assert update.part is Part.RELATED


# --- shapes ---


@pytest.mark.parametrize(
    ("value", "agrees"), [(["P1"], True), (["P1", "P2"], True), (["P2", "P1"], False), ([], False)]
)
def test_a_single_id_agrees_with_a_list_that_begins_with_it(value: list[ID], agrees: bool) -> None:
    rules = Here(ONE).rules
    fields: Pair[Mapping[str, Field]] = Pair.each(lambda s: {ONE[s].name: ONE[s]})
    crossing = crossings_of(rules, fields, {"projects": {"P1": "p1", "P2": "p2"}})[1]
    assert crossing.agree(Pair(value, "p1")) is agrees


def test_a_field_of_unknown_kind_takes_lists() -> None:
    here = Here(Pair(Field("Project", Kind.ANY), Field("project", Kind.ANY)))
    here.linked(["P1"], "p1")  # one id by itself is read, too
    here.edit(Side.NOTION, ["P1", "P2"])
    assert told(here.plan()) == rel(Side.OTHER, ["p1", "p2"])


def test_one_way_only_the_source_is_waited_for() -> None:
    here = Here(ONE, direction=Direction.TO_OTHER)
    here.linked(["P1"], "p1")
    here.edit(Side.OTHER, "p9")
    assert not any(op.action.writes for op in here.plan())
    here.edit(Side.NOTION, ["P2"])
    here.edit(Side.OTHER, "p1")
    assert told(here.plan()) == rel(Side.OTHER, "p2")


@SHAPES
def test_what_lost_its_link_and_wins_a_conflict_is_waited_for(shape: Pair[Field]) -> None:
    here = Here(shape, mode=ConflictMode.NOTION)
    here.linked(["P9"], "p9" if shape is ONE else ["p9"])
    here.edit(Side.NOTION, ["P9", "P1"])
    here.edit(Side.OTHER, "p2" if shape is ONE else ["p2"])
    assert here.plan().operations == ()
    assert here.held() == ["the value of 'Project' waits for projects to link record P9"]
