"""What makes two operations, or two refused plans, the same."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from sync_workers.errors import GuardError, MovedError
from sync_workers.model import About, Action, Conflict, Listing, Operation, Pair, Part, Plan, Record, Side
from sync_workers.runs.codec import from_bytes, to_bytes
from sync_workers.runs.get import Gathered
from sync_workers.runs.refused import RefusedPlan, form, keeping_refused, standing
from sync_workers.state import State

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
RECORDS = Pair(
    Record("n1", {"Name": "Bread", "Tags": ["a", "b"]}, NOON, "v1", "bread"),
    Record("o1", {"title": "Bread", "tags": ["a"]}, NOON, "v7"),
)
CONFLICT = Conflict(Pair("n1", "o1"), Pair("Tags", "tags"), Pair(["a", "b"], ["a"]), Side.NOTION)
OPERATION = Operation(
    Part.CHANGED,
    Action.UPDATE,
    Side.OTHER,
    Pair("n1", "o1"),
    "edited on notion",
    RECORDS,
    {"tags": ["a", "b"], "when": NOON},
    Pair({"Tags": ["a", "b"]}, {}),
    conflicts=(CONFLICT,),
)


def with_record(side: Side, **parts: Any) -> Operation:
    record = OPERATION.records[side]
    assert record is not None
    records = Pair.of(side, replace(record, **parts), OPERATION.records[side.opposite])
    return replace(OPERATION, records=records)


SAME = {
    "another part": replace(OPERATION, part=Part.MATCHED),
    "another reason": replace(OPERATION, reason="for some other reason"),
    "other look-alikes": replace(OPERATION, alike=("o9",)),
    "another version": with_record(Side.OTHER, version="v8"),
    "another time": with_record(Side.NOTION, modified=NOON + timedelta(days=1)),
    "another author": with_record(Side.NOTION, about=About(author="someone")),
    "another key": with_record(Side.NOTION, key="else"),
    "fields in another order": with_record(Side.OTHER, fields={"tags": ["a"], "title": "Bread"}),
    "a list in another form": with_record(Side.OTHER, fields={"title": "Bread", "tags": ("a",)}),
    "one moment in another zone": replace(
        OPERATION,
        fields={"tags": ["a", "b"], "when": NOON.astimezone(timezone(timedelta(hours=2)))},
    ),
    "a tie": replace(OPERATION, conflicts=(replace(CONFLICT, tie=True),)),
}
OTHERS = {
    "action": replace(OPERATION, action=Action.RESOLVE),
    "side": replace(OPERATION, side=Side.NOTION),
    "an id": replace(OPERATION, ids=Pair("n1", "o2")),
    "no id": replace(OPERATION, ids=Pair("n1", None)),
    "a field": replace(OPERATION, fields={"tags": ["a", "c"], "when": NOON}),
    "a field more": replace(OPERATION, fields={**OPERATION.fields, "note": "x"}),
    "a day for a moment": replace(OPERATION, fields={"tags": ["a", "b"], "when": date(2026, 1, 1)}),
    "a field less": replace(OPERATION, fields={"tags": ["a", "b"]}),
    "a base": replace(OPERATION, bases=Pair({"Tags": ["a"]}, {})),
    "a base of the other side": replace(OPERATION, bases=Pair({}, {"Tags": ["a", "b"]})),
    "what stood there": with_record(Side.OTHER, fields={"title": "Rye", "tags": ["a"]}),
    "what it was made from": with_record(Side.NOTION, fields={"Name": "Rye", "Tags": ["a", "b"]}),
    "another record": with_record(Side.NOTION, id="n2"),
    "no record": replace(OPERATION, records=Pair(RECORDS.notion, None)),
    "a conflict less": replace(OPERATION, conflicts=()),
    "the winner": replace(OPERATION, conflicts=(replace(CONFLICT, winner=Side.OTHER),)),
    "a merge": replace(OPERATION, conflicts=(replace(CONFLICT, merged=True),)),
    "what lost": replace(OPERATION, conflicts=(replace(CONFLICT, values=Pair(["a", "b"], ["z"])),)),
    "what is written with a decision": replace(OPERATION, resolve_fields=Pair({"Name": "x"}, {})),
    "a note": replace(OPERATION, note="decide"),
}


@pytest.mark.parametrize("operation", SAME.values(), ids=SAME.keys())
def test_these_are_the_same_operation(operation: Operation) -> None:
    assert form(operation) == form(OPERATION)


@pytest.mark.parametrize("operation", OTHERS.values(), ids=OTHERS.keys())
def test_these_are_other_operations(operation: Operation) -> None:
    assert form(operation) != form(OPERATION)


def test_an_operation_stays_the_same_through_the_store() -> None:
    refused = RefusedPlan(Plan((OPERATION,)), {"fields": "a"}, {"fields": "a"})
    again = from_bytes(to_bytes(refused), RefusedPlan)
    assert again == refused
    assert form(again.plan.operations[0]) == form(OPERATION)
    assert again.id("task") == refused.id("task")


# --- the name of a plan ---

SECOND = replace(OPERATION, ids=Pair("n2", "o2"))
REFUSED = RefusedPlan(Plan((OPERATION, SECOND)), {"fields": "a"}, {"fields": "a"})


def test_the_name_is_ten_signs_that_can_be_typed() -> None:
    name = REFUSED.id("task")
    assert len(name) == 10
    assert set(name) <= set("0123456789abcdef")


def test_the_name_does_not_depend_on_order_versions_or_times() -> None:
    newer = replace(with_record(Side.OTHER, version="v9"), reason="again")
    assert replace(REFUSED, plan=Plan((SECOND, newer), links=7)).id("task") == REFUSED.id("task")


@pytest.mark.parametrize(
    "refused",
    [
        replace(REFUSED, plan=Plan((OPERATION,))),
        replace(REFUSED, plan=Plan((OPERATION, replace(SECOND, side=Side.NOTION)))),
        replace(REFUSED, found={"fields": "b"}),
        replace(REFUSED, known={"fields": "b"}),
    ],
    ids=["less", "otherwise", "another set-up", "another state"],
)
def test_another_plan_has_another_name(refused: RefusedPlan) -> None:
    assert refused.id("task") != REFUSED.id("task")


def test_two_tasks_never_share_a_name() -> None:
    assert REFUSED.id("task") != REFUSED.id("another")


# --- what still stands ---


def stand(fresh: tuple[Operation, ...], begun: frozenset[int] = frozenset(), **setup: str) -> Any:
    found, known = setup.get("found", "a"), setup.get("known", "a")
    return standing(REFUSED, Plan(fresh), {"fields": found}, {"fields": known}, begun)


def test_the_operations_as_they_are_now_stand_in_the_order_of_the_plan() -> None:
    newer = with_record(Side.OTHER, version="v8")
    more = replace(OPERATION, ids=Pair("n3", "o3"))
    assert stand((more, SECOND, newer)) == [newer, SECOND]


def test_one_that_is_missing_fails_the_whole_unless_it_was_begun_before() -> None:
    with pytest.raises(MovedError, match=r"1 of its 2 operation\(s\).*update n1 on other"):
        stand((SECOND,))
    assert stand((SECOND,), frozenset({0})) == [None, SECOND]
    with pytest.raises(MovedError):
        stand((SECOND,), frozenset({1}))


def test_a_changed_setup_is_named_and_a_state_that_knows_it_by_now_is_fine() -> None:
    with pytest.raises(MovedError, match=r"the set-up changed \(fields\)"):
        stand((OPERATION, SECOND), found="b")
    with pytest.raises(MovedError, match=r"the set-up changed \(fields\)"):
        stand((OPERATION, SECOND), known="b")
    first = replace(REFUSED, known={})
    assert standing(first, Plan((OPERATION, SECOND)), {"fields": "a"}, {"fields": "a"}, frozenset())


# --- keeping ---


def refuse(*, final: bool) -> list[RefusedPlan]:
    kept: list[RefusedPlan] = []
    nothing = Listing({})
    gathered = Gathered(Pair(nothing, nothing), setup={"fields": "new"})

    def keep(refused: RefusedPlan, _reasons: object) -> str:
        kept.append(refused)
        return "name"

    with (
        pytest.raises(GuardError) as raised,
        keeping_refused(State(setup={"fields": "old"}), gathered, keep),
    ):
        raise GuardError(Plan((OPERATION,)), ["odd"], final=final)
    assert raised.value.reasons == ("odd",)
    assert raised.value.kept == (None if final else "name")
    return kept


def test_a_refused_plan_is_kept_with_the_setup_that_it_was_made_under() -> None:
    assert refuse(final=False) == [RefusedPlan(Plan((OPERATION,)), {"fields": "new"}, {"fields": "old"})]


def test_a_plan_that_nobody_can_mean_is_not_kept() -> None:
    assert refuse(final=True) == []
