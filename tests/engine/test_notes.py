"""Questions beside a record, and people's answers to them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sync_workers.engine.guard import refusals
from sync_workers.engine.notes import answer, question
from sync_workers.engine.rules import DeletePolicy, Limits
from sync_workers.model import Action, Conflict, ConflictMode, Operation, Pair, Part, Plan, Record, Side
from sync_workers.remarks import HeldConflict
from tests.engine.build import RULES, START, TEXT, Situation, told

BOTH = pytest.mark.parametrize("side", list(Side))
ALL = Pair.each(lambda _: True)
ASKED = 'Sync conflict: Text is three on notion and four on other.\nWrite "notion" or "other" here to decide.'


def waiting() -> tuple[Situation, Pair[str]]:
    """A record whose text waits for a person, on sides that have a place for notes."""
    here = Situation(replace(RULES, mode=ConflictMode.ERROR), notes=ALL)
    ids = here.linked(title="Bread", text="two")
    here.edit(Side.NOTION, ids.notion, text="three")
    here.edit(Side.OTHER, ids.other, text="four")
    return here, ids


def asked() -> tuple[Situation, Pair[str]]:
    """The same after a run: both sides ask, and the state knows what waits."""
    here, ids = waiting()
    for side in Side:
        here.note(side, ids[side], ASKED)
    here.held(ids)
    return here, ids


def notes(plan: Plan) -> dict[tuple[Side, str | None], str]:
    return {(op.side, op.ids[op.side]): op.note for op in plan if op.action is Action.ANNOTATE}


def updates(plan: Plan) -> list[Any]:
    return [said for said in told(plan) if said[0] == "update"]


def test_a_field_that_waits_is_asked_about_on_both_sides() -> None:
    here, ids = waiting()
    assert notes(here.plan()) == {(side, ids[side]): ASKED for side in Side}


@BOTH
def test_only_where_there_is_a_place_for_it(side: Side) -> None:
    here, ids = waiting()
    here.notes = Pair.each(lambda one: one is side)
    assert notes(here.plan()) == {(side, ids[side]): ASKED}


def test_what_was_asked_is_not_asked_again() -> None:
    here, _ = asked()
    assert here.plan().operations == ()


def test_a_service_may_keep_the_blanks_of_a_note_as_it_likes() -> None:
    here, ids = asked()
    here.note(Side.NOTION, ids.notion, ASKED.replace("\n", "\r\n") + " ")
    assert here.plan().operations == ()


def test_other_values_are_asked_about_anew() -> None:
    here, ids = asked()
    here.edit(Side.OTHER, ids.other, text="five")
    assert notes(here.plan()) == {(side, ids[side]): ASKED.replace("four", "five") for side in Side}


@BOTH
def test_when_nothing_waits_any_more_the_question_goes(side: Side) -> None:
    here, ids = asked()
    here.edit(side, ids[side], text=Pair("four", "three")[side])
    assert notes(here.plan()) == {(one, ids[one]): "" for one in Side}


@BOTH
@pytest.mark.parametrize(
    ("text", "winner"),
    [
        ("notion", Side.NOTION),
        ("  OTHER \n", Side.OTHER),
        ('"other".', Side.OTHER),
        (f"{ASKED}\nother", Side.OTHER),
        (f"{ASKED} Notion", Side.NOTION),
        ("Text: other", Side.OTHER),
        ("text : Notion", Side.NOTION),
        ("other\nText: notion", Side.NOTION),
    ],
)
def test_an_answer_decides_and_goes(side: Side, text: str, winner: Side) -> None:
    here, ids = asked()
    here.note(side, ids[side], text)

    plan = here.plan()

    assert updates(plan) == [
        ("update", winner.opposite, {TEXT[winner.opposite]: Pair("three", "four")[winner]})
    ]
    assert [(c.winner, c.by_person) for c in plan.conflicts] == [(winner, True)]
    assert notes(plan) == {(one, ids[one]): "" for one in Side}


@pytest.mark.parametrize("text", ["title: other", "NAME: Other"])
def test_an_answer_names_a_field_as_either_side_does(text: str) -> None:
    here, ids = asked()
    here.edit(Side.NOTION, ids.notion, title="Rye")
    here.edit(Side.OTHER, ids.other, title="Wheat")
    here.held(ids)
    here.note(Side.NOTION, ids.notion, text)
    assert updates(here.plan()) == [("update", "notion", {"Name": "Wheat"})]


@BOTH
def test_an_answer_about_one_field_leaves_the_other_one_asked(side: Side) -> None:
    here, ids = waiting()
    here.edit(Side.NOTION, ids.notion, title="Rye")
    here.edit(Side.OTHER, ids.other, title="Wheat")
    here.held(ids)
    here.note(side, ids[side], "text: other")

    plan = here.plan()

    assert [(c.attrs.notion, c.winner) for c in plan.conflicts] == [("Name", None), ("Text", Side.OTHER)]
    left = ASKED.replace("Text is three", "Name is Rye").replace("four", "Wheat")
    assert notes(plan) == {(one, ids[one]): left for one in Side}


@BOTH
@pytest.mark.parametrize(
    "text",
    ["I shall ask Ada", "notion, I think", "Due: other", "Text: ours", f"{ASKED}\nwhat does that mean?"],
)
def test_a_persons_own_words_are_never_written_over(side: Side, text: str) -> None:
    here, ids = asked()
    here.note(side, ids[side], text)

    assert here.plan().operations == ()
    assert [c.held for c in here.plan().conflicts] == [True]
    # Also not when other values wait, or nothing does.
    here.edit(Side.OTHER, ids.other, text="five")
    assert (side, ids[side]) not in notes(here.plan())
    here.edit(Side.OTHER, ids.other, text="three")
    assert (side, ids[side]) not in notes(here.plan())


@BOTH
def test_an_answer_to_values_that_have_changed_since_is_asked_again(side: Side) -> None:
    here, ids = asked()
    here.note(side, ids[side], "notion")
    here.edit(Side.OTHER, ids.other, text="five")

    plan = here.plan()

    assert updates(plan) == []
    assert notes(plan)[side, ids[side]] == ASKED.replace("four", "five")


def test_an_answer_that_nobody_was_asked_for_decides_nothing() -> None:
    """The state was lost: nobody knows which values the person saw."""
    here, ids = waiting()
    here.note(Side.NOTION, ids.notion, "other")
    assert updates(here.plan()) == []
    assert notes(here.plan()) == {(side, ids[side]): ASKED for side in Side}


def test_two_people_who_contradict_each_other_decide_nothing() -> None:
    here, ids = asked()
    here.note(Side.NOTION, ids.notion, "notion")
    here.note(Side.OTHER, ids.other, "other")
    assert updates(here.plan()) == []
    assert notes(here.plan()) == {(side, ids[side]): ASKED for side in Side}


def test_two_people_who_agree_decide() -> None:
    here, ids = asked()
    for side in Side:
        here.note(side, ids[side], "other")
    assert updates(here.plan()) == [("update", "notion", {"Text": "four"})]


def test_the_command_line_comes_before_a_note() -> None:
    here, ids = asked()
    here.decide(ids, "Text", use=Side.NOTION)
    here.note(Side.NOTION, ids.notion, "other")
    assert updates(here.plan()) == [("update", "other", {"text": "three"})]


def test_a_note_is_no_answer_where_notes_are_not_offered() -> None:
    here, ids = asked()
    here.note(Side.NOTION, ids.notion, "other")
    here.notes = Pair.each(lambda side: side is Side.OTHER)
    assert updates(here.plan()) == []


@BOTH
@pytest.mark.parametrize("left", [ASKED, "other"])
def test_what_is_left_beside_a_record_in_which_nothing_waits_is_cleared(side: Side, left: str) -> None:
    """Such as beside a copy that somebody made of the page, or after a state was lost."""
    here = Situation(notes=ALL)
    ids = here.linked(title="Bread", text="two")
    here.note(side, ids[side], left)
    here.has(side, "copy", title="Bread, copied", text="two")
    here.note(side, "copy", left)

    assert notes(here.plan()) == {(side, ids[side]): "", (side, "copy"): ""}


@BOTH
def test_a_record_that_is_to_go_gets_no_note(side: Side) -> None:
    here = Situation(notes=ALL)
    ids = here.linked(title="Bread", text="two")
    here.note(side, ids[side], ASKED)
    here.remove(side.opposite, ids[side.opposite])

    assert told(here.plan()) == [("delete", side, {})]
    # One that stays although its counterpart is gone is asked about nothing any more.
    here.rules = replace(RULES, delete=DeletePolicy.each_way(DeletePolicy.UNLINK))
    assert notes(here.plan()) == {(side, ids[side]): ""}


@BOTH
def test_a_record_whose_counterpart_is_not_shown_keeps_its_question(side: Side) -> None:
    """Absent from a listing is not gone: nobody knows whether the field still waits."""
    here, ids = asked()
    here.remove(side.opposite, ids[side.opposite])
    plan = here.plan(fresh=True)
    assert plan.operations == ()
    assert plan.unseen == (ids.notion,)


def test_notes_come_after_all_that_is_written_to_a_record() -> None:
    """A note may change what the service takes for the record's version."""
    here, ids = asked()
    here.note(Side.NOTION, ids.notion, "other")
    kinds = [op.action for op in here.plan() if op.side is Side.NOTION]
    assert kinds == [Action.UPDATE, Action.ANNOTATE]


def test_notes_are_no_edits_for_the_guards() -> None:
    here = Situation(replace(RULES, mode=ConflictMode.ERROR), notes=ALL)
    for number in range(1, 4):
        ids = here.linked(number, title=f"task {number}", text="two")
        for side in Side:
            here.edit(side, ids[side], text=f"{side} text")
    limits = Limits(changed_number=0)

    plan = here.plan()

    assert len(notes(plan)) == 6
    assert refusals(limits, here.state, here.snapshot, plan) == []


# --- the text ---


def conflict(name: str, notion: Any, other: Any) -> Conflict:
    return Conflict(Pair("n1", "o1"), Pair(name, name.lower()), Pair(notion, other))


def test_several_fields_are_a_line_each() -> None:
    assert question([conflict("Due", None, 3), conflict("Done", notion=True, other=False)]) == (
        "Sync conflict: Due is - on notion and 3 on other.\n"
        "Sync conflict: Done is yes on notion and no on other.\n"
        'Write "notion" or "other" here to decide, or a line for each field such as "Due: other".'
    )


def held(*conflicts: Conflict) -> dict[str, HeldConflict]:
    return {
        c.attrs.notion: HeldConflict(other_id="o1", other_attr=c.attrs.other, values={}, since=START)
        for c in conflicts
    }


@pytest.mark.parametrize("number", [1, 2, 8, 9, 40])
@pytest.mark.parametrize("value", ["x" * 500, "is on notion\nand on other.", "", '"other"', "a: other"])
def test_a_question_is_short_and_never_an_answer_nor_a_persons_words(number: int, value: str) -> None:
    asked_about = [
        conflict(f"A field with a rather long name, {i}", value, value + "!") for i in range(number)
    ]
    text = question(asked_about)
    assert len(text) < 2000
    assert answer(text, held(*asked_about)) is None
    assert answer(f"{text}\nother", held(*asked_about)) == {c.attrs.notion: Side.OTHER for c in asked_about}


def test_an_annotation_names_both_records_and_carries_what_the_plan_was_made_from() -> None:
    here, ids = waiting()
    (operation,) = [op for op in here.plan() if op.side is Side.NOTION]
    records: Pair[Record | None] = Pair(here.records.notion[ids.notion], here.records.other[ids.other])
    assert operation == Operation(
        Part.MATCHED, Action.ANNOTATE, Side.NOTION, ids, "waits for a decision", records, note=ASKED
    )
