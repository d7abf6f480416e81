"""What a state says compared with what both sides show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from sync_workers.engine.rules import Direction, FieldRule, Rules
from sync_workers.fields import Field, Kind
from sync_workers.model import ID, Failure, Listing, Pair, Record, Side
from sync_workers.remarks import HeldConflict, Quarantined
from sync_workers.runs.get import Gathered
from sync_workers.runs.verify import Finding, What, verify
from sync_workers.state import Pending, State

RULES = Rules(
    (
        FieldRule(Pair("Name", "title")),
        FieldRule(Pair("Note", "note")),
        FieldRule(Pair("Link", "url"), Direction.TO_OTHER),
    )
)
NAMES = Pair(("Name", "Note", "Link"), ("title", "note", "url"))
AT = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Here:
    """Three linked records, of which nothing changed."""

    records: Pair[dict[ID, Record]] = field(default_factory=lambda: Pair({}, {}))
    state: State = field(default_factory=lambda: State(setup={"fields": "x"}))
    listings: Pair[dict[str, Any]] = field(default_factory=lambda: Pair({}, {}))
    setup: dict[str, str] = field(default_factory=lambda: {"fields": "x"})
    fields: Pair[dict[str, Field]] = field(default_factory=lambda: Pair({}, {}))

    def __post_init__(self) -> None:
        for number in range(3):
            ids = Pair(f"n{number}", f"o{number}")
            for side in Side:
                self.add(side, ids[side], f"SECRET-{number}")
            self.state.link(*ids_of(ids), *(dict(self.records[side][ids[side]].fields) for side in Side))

    def add(self, side: Side, record_id: ID, *values: Any) -> None:
        full = (*values, "", "")[:3]
        self.records[side][record_id] = Record(record_id, dict(zip(NAMES[side], full, strict=True)))

    def edit(self, side: Side, record_id: ID, **values: Any) -> None:
        record = self.records[side][record_id]
        self.records[side][record_id] = replace(record, fields={**record.fields, **values})

    def found(self) -> list[tuple[What, Side | None, tuple[ID, ...]]]:
        snapshot = Pair.each(lambda side: Listing(self.records[side], **self.listings[side]))
        findings = verify(RULES, self.state, Gathered(snapshot, self.fields, self.setup))
        assert "SECRET" not in str(findings)
        return [(f.what, f.side, f.ids) for f in findings]


def ids_of(ids: Pair[ID]) -> tuple[ID, ID]:
    return ids.notion, ids.other


@pytest.fixture
def here() -> Here:
    return Here()


def mine(side: Side, number: int) -> ID:
    return f"{str(side)[0]}{number}"


def test_nothing_is_found_where_nothing_changed(here: Here) -> None:
    assert here.found() == []


@pytest.mark.parametrize("side", Side)
def test_a_record_that_is_gone_from_one_side(here: Here, side: Side) -> None:
    del here.records[side][mine(side, 1)]
    assert here.found() == [(What.ABSENT, side, (mine(side, 1),))]


@pytest.mark.parametrize("side", Side)
def test_a_record_that_a_listing_may_have_left_out(here: Here, side: Side) -> None:
    del here.records[side][mine(side, 1)]
    here.listings[side]["complete"] = False
    assert here.found() == [(What.UNCERTAIN, side, (mine(side, 1),))]


def test_a_record_that_is_gone_from_both_sides(here: Here) -> None:
    for side in Side:
        del here.records[side][mine(side, 1)]
    assert here.found() == [(What.LOST, Side.NOTION, ("n1",))]


@pytest.mark.parametrize("side", Side)
def test_a_record_that_cannot_be_read_is_there(here: Here, side: Side) -> None:
    del here.records[side][mine(side, 1)]
    here.listings[side]["failures"] = (Failure(side, mine(side, 1), "why"),)
    assert here.found() == [(What.UNREADABLE, side, (mine(side, 1),))]


@pytest.mark.parametrize("side", Side)
def test_a_record_that_was_listed_twice(here: Here, side: Side) -> None:
    here.listings[side]["repeated"] = (mine(side, 2),)
    assert here.found() == [(What.TWICE, side, (mine(side, 2),))]


def test_two_links_to_one_record(here: Here) -> None:
    here.state.ids["n0"] = "o1"
    assert here.found()[0] == (What.SHARED, Side.OTHER, ("o1",))


@pytest.mark.parametrize("side", Side)
def test_a_record_that_differs_from_its_base_counts_once(here: Here, side: Side) -> None:
    names = NAMES[side]
    here.edit(side, mine(side, 0), **{names[0]: "x", names[1]: "y"})
    here.edit(side, mine(side, 2), **{names[1]: "y"})
    assert here.found() == [(What.EDITED, side, (mine(side, 0), mine(side, 2)))]


def test_what_never_crosses_from_a_side_is_no_edit_there(here: Here) -> None:
    here.edit(Side.OTHER, "o0", url="x")
    assert here.found() == []
    here.edit(Side.NOTION, "n0", Link="x")
    assert here.found() == [(What.EDITED, Side.NOTION, ("n0",))]


def test_forms_of_the_same_are_no_edit(here: Here) -> None:
    here.edit(Side.NOTION, "n0", Note=None)
    assert here.found() == []


@pytest.mark.parametrize("side", Side)
def test_a_side_without_a_base_is_compared_with_the_other_one(here: Here, side: Side) -> None:
    here.state.bases(side).clear()
    assert here.found() == []
    here.edit(side, mine(side, 1), **{NAMES[side][0]: "x"})
    assert here.found() == [(What.EDITED, side, (mine(side, 1),))]


def test_a_base_of_the_other_side_is_compared_in_the_poorer_form(here: Here) -> None:
    here.fields.notion["Note"] = Field("Note", Kind.DATE)
    here.fields.other["note"] = Field("note", Kind.DATE, times=False)
    here.state.other_objs.clear()
    here.edit(Side.NOTION, "n0", Note=AT)
    here.edit(Side.OTHER, "o0", note=date(2026, 1, 1))
    here.state.objs["n0"]["Note"] = AT
    assert here.found() == []
    here.edit(Side.OTHER, "o0", note=date(2026, 1, 2))
    assert here.found() == [(What.EDITED, Side.OTHER, ("o0",))]


def test_a_field_without_any_base(here: Here) -> None:
    del here.state.objs["n1"]["Note"], here.state.other_objs["o1"]["note"]
    assert here.found() == [(What.UNKNOWN, Side.NOTION, ("n1",)), (What.UNKNOWN, Side.OTHER, ("o1",))]


@pytest.mark.parametrize("side", Side)
def test_records_without_a_link(here: Here, side: Side) -> None:
    for record_id in ("new", "parted", "begun"):
        here.add(side, record_id, "SECRET")
    here.state.unlinked = {side: {"parted"}}
    here.state.pending = {side.opposite: {"begun": Pending(source={}, sent={})}}
    assert here.found() == [
        (What.PENDING, side, ("begun",)),
        (What.PARTED, side, ("parted",)),
        (What.NEW, side, ("new",)),
    ]


@pytest.mark.parametrize("side", Side)
def test_remarks_about_records(here: Here, side: Side) -> None:
    here.state.quarantine = {side: {mine(side, 0): Quarantined(reason="", action="update", since=AT, due=AT)}}
    here.state.paused = {side: {mine(side, 1)}}
    here.state.held = {"n2": {"Name": HeldConflict(other_id="o2", other_attr="title", values={}, since=AT)}}
    assert here.found() == [
        (What.QUARANTINED, side, (mine(side, 0),)),
        (What.HELD, Side.NOTION, ("n2",)),
        (What.PAUSED, side, (mine(side, 1),)),
    ]


def test_a_changed_set_up_is_named(here: Here) -> None:
    here.setup = {"fields": "y", "other.container": "z"}
    assert here.found() == [(What.SETUP, None, ("fields", "other.container"))]


EVERYTHING: list[Callable[[Here], object]] = [
    lambda here: here.records.other.pop("o0"),
    lambda here: here.edit(Side.NOTION, "n1", Name="x"),
    lambda here: here.add(Side.OTHER, "new", "SECRET"),
    lambda here: here.setup.update(fields="y"),
]


def test_what_needs_a_person_is_told_first(here: Here) -> None:
    for happen in EVERYTHING:
        happen(here)
    needs = [what.needs_person for what, _, _ in here.found()]
    assert needs == [True, True, False, False]
    assert [what.needs_person for what in What] == sorted((w.needs_person for w in What), reverse=True)


@pytest.mark.parametrize("what", What)
def test_each_finding_says_what_it_means_in_a_sentence(what: What) -> None:
    assert what.title
    assert what.means
    assert not what.means.endswith(".")
    assert len({each.means for each in What}) == len(What)
    assert Finding(what, None, ("a",)).what is what
