from __future__ import annotations

from typing import Any

import pytest

from sync_workers.engine.rules import DeletePolicy, Direction, FieldRule, Rules
from sync_workers.fields import Field, Kind, ValueForm
from sync_workers.model import Pair, Side
from sync_workers.runs.check import Finding, judge
from sync_workers.services.base import Capabilities

ALL = Capabilities(archives=True)


def field(kind: Kind = Kind.TEXT, **options: Any) -> Field:
    return Field("x", kind, **options)


def findings(notion: Field, other: Field, **rule: Any) -> list[Finding]:
    """What is said about one field of each side that are mapped to each other."""
    rules = Rules((FieldRule(Pair("x", "x"), **rule),))
    return list(judge(rules, Pair({"x": notion}, {"x": other}), Pair(ALL, ALL)))


def stops(notion: Field, other: Field, **rule: Any) -> list[str]:
    return [finding.sentence for finding in findings(notion, other, **rule) if finding.stops]


def losses(notion: Field, other: Field, **rule: Any) -> list[str]:
    return [finding.sentence for finding in findings(notion, other, **rule) if not finding.stops]


@pytest.mark.parametrize("kind", Kind)
def test_the_same_kind_on_both_sides_is_fine(kind: Kind) -> None:
    assert findings(field(kind), field(kind)) == []


@pytest.mark.parametrize("side", Side)
def test_a_missing_field_is_told_with_the_nearest(side: Side) -> None:
    rules = Rules((FieldRule(Pair("Stauts", "Stauts")),))
    schemas = Pair.of(side, {"Status": field()}, {"Stauts": field()})

    (finding,) = judge(rules, schemas, Pair(ALL, ALL))

    assert finding == Finding("Stauts", f"{side} has no field 'Stauts'; did you mean 'Status'?")


def test_fields_missing_on_both_sides_are_both_told() -> None:
    found = judge(Rules((FieldRule(Pair("a", "b")),)), Pair({}, {}), Pair(ALL, ALL))

    assert [finding.sentence.partition(";")[0] for finding in found] == [
        "notion has no field 'a'",
        "other has no field 'b'",
    ]


@pytest.mark.parametrize(
    ("side", "away", "towards"),
    [
        (Side.NOTION, Direction.TO_OTHER, Direction.TO_NOTION),
        (Side.OTHER, Direction.TO_NOTION, Direction.TO_OTHER),
    ],
)
def test_a_field_that_is_computed_can_only_be_read(side: Side, away: Direction, towards: Direction) -> None:
    fields = Pair.of(side, field(writable=False), field())

    for direction in (Direction.BOTH, towards):
        (said,) = stops(fields.notion, fields.other, direction=direction)
        assert said == f"{side} does not let 'x' be written: write direction = \"{away}\""
    assert stops(fields.notion, fields.other, direction=away) == []


FITS = {
    *((Kind.NUMBER, Kind.TEXT), (Kind.CHOICE, Kind.TEXT), (Kind.TEXT, Kind.CHOICE)),
    *((Kind.CHOICES, Kind.TEXT), (Kind.TEXT, Kind.CHOICES)),
    *((Kind.REFERENCES, Kind.TEXT), (Kind.TEXT, Kind.REFERENCES)),
    *((Kind.REFERENCES, Kind.CHOICES), (Kind.CHOICES, Kind.REFERENCES)),
}
DIFFERENT = [(one, another) for one in Kind for another in Kind if one is not another]


@pytest.mark.parametrize(("source", "target"), DIFFERENT)
@pytest.mark.parametrize("side", Side)
def test_different_kinds_fit_only_where_the_engine_brings_them_across(
    source: Kind, target: Kind, side: Side
) -> None:
    fields = Pair.of(side, field(target), field(source))
    direction = Direction.TO_NOTION if side is Side.NOTION else Direction.TO_OTHER

    said = stops(fields.notion, fields.other, direction=direction)

    if (source, target) in FITS or Kind.ANY in {source, target}:
        assert said == []
    else:
        assert said == [f"'x' of {side} holds {target}, not {source}: map another field, or add a value map"]


def test_a_field_in_both_directions_has_to_fit_both_ways() -> None:
    (said,) = stops(field(Kind.TEXT), field(Kind.NUMBER))

    assert said.startswith("'x' of other holds number, not text: ")


def test_a_value_map_brings_different_kinds_across() -> None:
    values = (Pair("Done", other=True), Pair("To do", other=False))

    assert stops(field(Kind.CHOICE, options=("Done", "To do")), field(Kind.CHECKBOX), values=values) == []


def test_a_value_map_holds_values_of_each_sides_kind() -> None:
    (said,) = stops(
        field(Kind.CHOICE), field(Kind.CHECKBOX), values=(Pair("Done", "yes"),), direction=Direction.TO_OTHER
    )

    assert said == "'yes' of the value map does not fit: 'x' of other holds checkbox"


@pytest.mark.parametrize(
    ("kind", "value", "holds"),
    [
        (Kind.ANY, 1, True),
        (Kind.TEXT, "a", True),
        (Kind.TEXT, 1, False),
        (Kind.CHOICE, "a", True),
        (Kind.CHOICE, True, False),
        (Kind.NUMBER, 1, True),
        (Kind.NUMBER, 0.5, True),
        (Kind.NUMBER, True, False),
        (Kind.NUMBER, "1", False),
        (Kind.CHECKBOX, True, True),
        (Kind.CHECKBOX, 1, False),
        (Kind.DATE, "2026-01-01", False),
        (Kind.CHOICES, "a", True),
        (Kind.CHOICES, 1, False),
        (Kind.REFERENCES, "a", True),
    ],
)
def test_each_kind_holds_its_own_values(kind: Kind, value: Any, holds: bool) -> None:
    values = (Pair(value, "a"),)

    assert (stops(field(kind), field(), values=values, direction=Direction.TO_NOTION) == []) is holds


@pytest.mark.parametrize("side", Side)
def test_an_option_that_the_value_map_does_not_know_is_told(side: Side) -> None:
    fields = Pair.of(side, field(Kind.CHOICE, options=("a", "b", "c")), field(Kind.TEXT))
    values = tuple(Pair.of(side, name, name.upper()) for name in ("a", "b"))

    (said,) = stops(fields.notion, fields.other, values=values)

    assert said.startswith(f"'c' of 'x' on {side} has no counterpart in the value map: ")


def test_an_option_that_never_crosses_needs_no_counterpart() -> None:
    source = field(Kind.CHOICE, options=("a", "b"))

    assert stops(source, field(), values=(Pair("a", "A"),), direction=Direction.TO_NOTION) == []


def test_both_values_of_a_checkbox_need_a_counterpart() -> None:
    (said,) = stops(field(Kind.CHECKBOX), field(), values=(Pair(notion=True, other="yes"),))

    assert said.startswith("False of 'x' on notion has no counterpart")


def test_a_value_map_that_names_no_option_is_told_with_the_nearest() -> None:
    (said,) = stops(
        field(Kind.TEXT),
        field(Kind.CHOICE, options=("COMPLETED",)),
        values=(Pair("Done", "COMPLETD"),),
        direction=Direction.TO_OTHER,
    )

    assert said.startswith(
        "'COMPLETD' of the value map is no option of 'x' on other; did you mean 'COMPLETED'?"
    )


def test_one_and_true_are_two_values_of_a_map() -> None:
    said = stops(field(), field(), values=(Pair("a", 1), Pair("b", other=True)), direction=Direction.TO_OTHER)

    assert len(said) == 2


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(("here", "there", "lost"), [(10, None, 1), (10, 20, 1), (10, 10, 0), (20, 10, 0)])
def test_a_text_that_is_longer_than_kept_is_a_loss(
    side: Side, here: int, there: int | None, lost: int
) -> None:
    fields = Pair.of(side, field(longest=here), field(longest=there))
    direction = Direction.TO_NOTION if side is Side.NOTION else Direction.TO_OTHER

    said = losses(fields.notion, fields.other, direction=direction)

    expected = f"{side} keeps 10 characters of 'x': the rest of the text stays on {side.opposite} only"
    assert said == [expected] * lost
    assert stops(fields.notion, fields.other) == []


def test_nothing_is_lost_where_nothing_can_be_written() -> None:
    assert losses(field(), field(longest=10, writable=False)) == []


def test_a_date_with_times_on_a_side_without_is_a_loss() -> None:
    day, moment = field(Kind.DATE, times=False), field(Kind.DATE)

    assert losses(moment, day) == ["other keeps only the day in 'x': the time of day stays on notion only"]
    assert losses(day, moment) == ["notion keeps only the day in 'x': the time of day stays on other only"]
    assert losses(day, day) == []
    assert losses(moment, day, direction=Direction.TO_NOTION) == []


def test_a_span_on_a_side_without_is_a_loss() -> None:
    said = losses(field(Kind.DATE, ranges=True), field(Kind.DATE))

    assert said == ["other keeps only the start in 'x': the end of a span stays on notion only"]


@pytest.mark.parametrize("kind", [Kind.CHOICE, Kind.CHOICES])
def test_options_that_the_other_side_does_not_have_are_told(kind: Kind) -> None:
    source, target = field(kind, options=("a", "b", "c")), field(kind, options=("a",))

    said = losses(source, target, direction=Direction.TO_OTHER)

    assert said == [
        "other has no option 'b', 'c' in 'x' yet, and records wait with it: add it there, or add a value map"
    ]
    assert losses(source, field(kind), direction=Direction.TO_OTHER) == []


def test_a_text_that_has_to_be_an_option_is_told() -> None:
    said = losses(field(Kind.TEXT), field(Kind.CHOICE, options=("a",)), direction=Direction.TO_OTHER)

    assert said == ["a text that is no option of 'x' on other waits"]


def test_people_that_cross_to_a_text_as_ids_are_told_with_the_better_form() -> None:
    people = field(Kind.REFERENCES, forms=(ValueForm.EMAIL, ValueForm.NAME, ValueForm.ID))

    (said,) = losses(people, field(), direction=Direction.TO_OTHER)

    assert 'write form = "email"' in said
    assert losses(people, field(Kind.CHOICES), direction=Direction.TO_OTHER) == [said]
    assert losses(people, field(), direction=Direction.TO_OTHER, form="id") == []
    assert losses(people, field(Kind.REFERENCES), direction=Direction.TO_OTHER) == []


def test_a_list_that_crosses_to_a_text_and_back_has_no_commas_in_it() -> None:
    (said,) = losses(field(Kind.CHOICES), field())

    assert said == ("'x' crosses to other as text with commas: a list with a comma in an item does not cross")


@pytest.mark.parametrize("opposite", DeletePolicy)
@pytest.mark.parametrize("policy", DeletePolicy)
@pytest.mark.parametrize("side", Side)
def test_a_side_without_archive_cannot_archive(
    side: Side, policy: DeletePolicy, opposite: DeletePolicy
) -> None:
    """Whatever the task says about the other side, which has one."""
    capabilities = Pair.of(side, Capabilities(), ALL)

    found = judge(Rules((), delete=Pair.of(side, policy, opposite)), Pair({}, {}), capabilities)

    said = (
        f'{side} has no archive: write delete = {{ to_{side} = "propagate" }}, or "unlink" or "ignore" there'
    )
    assert list(found) == ([Finding("", said)] if policy is DeletePolicy.ARCHIVE else [])


def test_findings_come_in_the_order_of_the_field_map() -> None:
    rules = Rules((FieldRule(Pair("b", "b")), FieldRule(Pair("a", "a"))))

    assert [finding.about for finding in judge(rules, Pair({}, {}), Pair(ALL, ALL))] == ["b", "b", "a", "a"]
