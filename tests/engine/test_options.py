"""Values of fields with options: spelled as they are there, made, or waited for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sync_workers.engine.crossing import Crossing, UncrossableError
from sync_workers.engine.rules import FieldRule
from sync_workers.fields import Field, Kind, NewOptions
from sync_workers.model import Pair, Side
from tests.engine.build import NAME, RULES, TEXT, Situation, told

TEXTS = Field("text", Kind.TEXT)
SELECT = Field("select", Kind.CHOICE, options=("done", "Open"), grows=True, longest=10, barred=",")
TAGS = replace(SELECT, kind=Kind.CHOICES)
STATUS = replace(SELECT, new_options=NewOptions.HOLD)
FIXED = replace(SELECT, grows=False)


def to(kept: Field, value: Any, current: Any = None, wish: NewOptions | None = None) -> Any:
    crossing = Crossing(FieldRule(TEXT, new_options=wish), Pair(kept, TEXTS))
    return crossing.to(Side.NOTION, value, current)


@pytest.mark.parametrize("kept", [SELECT, STATUS, FIXED])
@pytest.mark.parametrize(("value", "spelled"), [("Done", "done"), ("done", "done"), ("OPEN", "Open")])
def test_an_option_that_is_there_is_used_whatever_its_case(kept: Field, value: str, spelled: str) -> None:
    assert to(kept, value) == spelled


def test_two_options_that_differ_in_case_only_are_told_apart() -> None:
    """As those of an enum in PostgreSQL."""
    both = replace(FIXED, options=("done", "Done"))
    assert [to(both, name) for name in ("Done", "done", "DONE")] == ["Done", "done", "done"]


def test_the_items_of_a_list_become_options_once() -> None:
    assert to(TAGS, "Done, new, done") == ["done", "new"]


@pytest.mark.parametrize(
    ("kept", "wish", "is_made"),
    [
        (SELECT, None, True),
        (SELECT, NewOptions.HOLD, False),
        (STATUS, None, False),
        (STATUS, NewOptions.CREATE, True),
        (FIXED, NewOptions.CREATE, False),
        (replace(SELECT, options=()), NewOptions.HOLD, False),
        (replace(SELECT, options=()), None, True),
        (replace(FIXED, options=()), NewOptions.HOLD, True),  # it takes anything
    ],
)
def test_a_new_option_is_made_or_waited_for(kept: Field, wish: NewOptions | None, is_made: bool) -> None:
    if is_made:
        assert to(kept, "new", wish=wish) == "new"
        return
    with pytest.raises(UncrossableError, match="option") as caught:
        to(kept, "new", wish=wish)
    assert "new" not in str(caught.value).replace("new_options", "")  # no value in a reason
    assert caught.value.side is Side.OTHER


@pytest.mark.parametrize(("value", "why"), [("a" * 11, "longer than the 10"), ("a,b", "has a ','")])
def test_a_name_that_no_option_can_have_waits_with_its_reason(value: str, why: str) -> None:
    crossing = Crossing(FieldRule(TEXT), Pair(SELECT, Field("any", Kind.ANY)))
    with pytest.raises(UncrossableError, match=why):
        crossing.to(Side.NOTION, value)


@pytest.mark.parametrize("kept", [STATUS, FIXED])
def test_what_is_there_already_is_left_as_it_is(kept: Field) -> None:
    """An option that was deleted in the meantime still stands in the record."""
    assert to(kept, "gone", current="gone") == "gone"


def test_options_that_differ_in_case_agree() -> None:
    crossing = Crossing(FieldRule(TEXT), Pair(SELECT, TEXTS))
    assert crossing.agree(Pair("done", "Done"))
    assert not crossing.agree(Pair("done", "Open"))


def test_a_field_that_waits_for_its_option_keeps_nothing_else_back() -> None:
    here = Situation(replace(RULES, fields=(FieldRule(NAME), FieldRule(TEXT))))
    ids = here.linked(title="Bread", text="Open")
    here.fields = Pair({"Text": STATUS}, {"text": TEXTS})
    here.edit(Side.OTHER, ids.other, text="new", title="Rye")

    plan = here.plan()

    assert told(plan) == [("update", "notion", {"Name": "Rye"})]
    (hold,) = plan.held
    assert hold.asks
    assert 'write new_options = "create"' in hold.reason
    # Somebody adds it.
    here.fields = Pair({"Text": replace(STATUS, options=("New", "Open"))}, {"text": TEXTS})
    assert told(here.plan()) == [("update", "notion", {"Name": "Rye", "Text": "New"})]


def test_a_remembered_state_that_is_no_option_any_more_is_not_chosen() -> None:
    said = {"To do": False, "Doing": False, "Done": True}
    rule = FieldRule(TEXT, values=tuple(Pair(*pair) for pair in said.items()))
    known = Pair(((False, "Doing"),), ())
    kept = replace(STATUS, options=("To do", "Doing", "Done"))
    crossing = Crossing(rule, Pair(kept, Field("done", Kind.CHECKBOX)), known)
    assert crossing.to(Side.NOTION, value=False, current="Done") == "Doing"

    without = replace(crossing, fields=Pair(replace(kept, options=("To do", "Done")), None))
    assert without.to(Side.NOTION, value=False, current="Done") == "To do"
