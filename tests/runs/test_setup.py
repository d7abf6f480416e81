"""A changed field map makes old bases worthless (rule R9): nothing is emptied because of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from sync_workers.engine.rules import Direction, FieldRule, Rules
from sync_workers.fields import Field, Kind, ValueForm
from sync_workers.model import ConflictMode, Pair, Part, Side
from sync_workers.report import Report
from sync_workers.runs.apply import Application, SliceOverError
from sync_workers.runs.diff import decide
from sync_workers.runs.finish import finish
from sync_workers.runs.get import get
from sync_workers.runs.setup import of_fields
from sync_workers.runs.store import MemoryStore
from sync_workers.services.base import Mapped
from sync_workers.services.memory import FULL, Container, MemoryService
from sync_workers.state import State

NAME = FieldRule(Pair("Name", "name"))


def rules(*fields: FieldRule, mode: ConflictMode = ConflictMode.NEWER) -> Rules:
    return Rules((NAME, *fields), key=("Name",), mode=mode)


def run(left: Container, right: Container, said: Rules, store: MemoryStore) -> Report:
    """One whole run over two memory services."""
    attrs = Pair.each(lambda side: tuple(rule.attrs[side] for rule in said.fields))
    services = Pair(MemoryService(left, Mapped(attrs.notion)), MemoryService(right, Mapped(attrs.other)))
    report = Report("task")
    gathered = get(services, said, report)
    state = store.load()
    plan = decide(said, state, gathered, report)
    known = state or State()
    application = Application("task", services, plan, known, store, report)
    for part in Part:
        application.run(part)
    finish(report, store, known, gathered, plan, said)
    store.begun.clear()
    store.ended.clear()
    return report


def synced(said: Rules) -> tuple[Container, Container, MemoryStore]:
    left, right, store = Container("left"), Container("right"), MemoryStore()
    left.add(Name="x", Num=5)
    run(left, right, said, store)
    return left, right, store


def only(container: Container) -> dict[str, object]:
    (record,) = container.records.values()
    return dict(record.fields)


def test_r9_a_field_that_crosses_to_a_new_one_fills_it() -> None:
    left, right, store = synced(rules(FieldRule(Pair("Num", "num"))))
    run(left, right, rules(FieldRule(Pair("Num", "num2"))), store)
    assert only(left) == {"Name": "x", "Num": 5}
    assert only(right) == {"name": "x", "num": 5, "num2": 5}


def test_r9_a_new_field_on_notion_is_filled_from_the_old_one() -> None:
    left, right, store = synced(rules(FieldRule(Pair("Num", "num"))))
    run(left, right, rules(FieldRule(Pair("Num2", "num"))), store)
    assert only(left) == {"Name": "x", "Num": 5, "Num2": 5}
    assert only(right) == {"name": "x", "num": 5}


def test_r9_a_field_that_was_made_anew_under_its_name_is_filled_again() -> None:
    said = rules(FieldRule(Pair("Num", "num")))
    left, right, store = synced(said)
    # When: a person deletes the property and makes one of the same name; the service gives it another id.
    (record,) = left.records.values()
    left.edit(record.id, Num=None)
    left.fields["Num"] = Field("Num", Kind.ANY, id="another")
    run(left, right, said, store)
    assert only(left) == {"Name": "x", "Num": 5}
    assert only(right) == {"name": "x", "num": 5}


def test_r9_a_changed_value_map_is_a_fresh_comparison() -> None:
    one = FieldRule(Pair("Num", "num"), values=(Pair(5, "five"), Pair(6, "six")))
    left, right, store = synced(rules(one))
    other = replace(one, values=(Pair(6, "five"), Pair(5, "six")))
    report = run(left, right, rules(other), store)
    assert len(report.conflicts) == 1


def test_r9_a_field_that_crosses_both_ways_again_is_compared_afresh() -> None:
    # given an edit where edits of the field did not count, so that the two sides differ for good
    one_way = FieldRule(Pair("Num", "num"), direction=Direction.TO_OTHER)
    left, right, store = synced(rules(one_way))
    (record,) = right.records
    right.edit(record, num=7)
    assert run(left, right, rules(one_way), store).writes == 0
    # when
    report = run(left, right, rules(replace(one_way, direction=Direction.BOTH)), store)
    # then
    assert len(report.conflicts) == 1
    assert only(left)["Num"] == only(right)["num"] == 7


def test_r9_a_field_that_crosses_one_way_from_now_on_is_not_written_over_for_it() -> None:
    both = FieldRule(Pair("Num", "num"))
    left, right, store = synced(rules(both))
    (record,) = right.records
    right.edit(record, num=7)
    for _ in range(2):
        report = run(left, right, rules(replace(both, direction=Direction.TO_OTHER)), store)
        assert report.writes == 0
        assert (only(left)["Num"], only(right)["num"]) == (5, 7)


def test_r9_what_is_held_after_a_change_stays_held_in_the_next_run() -> None:
    left, right, store = synced(rules(FieldRule(Pair("Num", "num"))))
    (record,) = right.records.values()
    right.edit(record.id, num2=7)
    said = rules(FieldRule(Pair("Num", "num2")), mode=ConflictMode.ERROR)
    for _ in range(3):
        report = run(left, right, said, store)
        assert len(report.held_conflicts) == 1
        assert (only(left)["Num"], only(right)["num2"]) == (5, 7)


def test_a_safe_create_that_gives_back_an_edited_record_does_not_hide_the_difference() -> None:
    said = rules(FieldRule(Pair("Num", "num")))
    left, right, store = synced(said)
    # Given: the state is lost, and a person has renamed and edited the record that a lost run made.
    assert FULL.safe_create
    store.state = None
    (record,) = right.records.values()
    right.edit(record.id, name="x renamed", num=7)
    # When: it is not found by its key, so that it is created again, and the service gives back the old one.
    for _ in range(3):
        report = run(left, right, said, store)
    # Then: the two are linked and say the same; what lost is in the report.
    assert len(left.records) == len(right.records) == 1
    assert list(only(left).values()) == list(only(right).values())
    assert report.counts == {}


def test_an_edit_that_beats_a_deletion_is_in_the_report() -> None:
    said = rules(FieldRule(Pair("Num", "num")))
    left, right, store = synced(said)
    left.add(Name="y", Num=1)
    run(left, right, said, store)
    gone = next(r for r in left.records.values() if r.fields["Name"] == "x")
    edited = next(r for r in right.records.values() if r.fields["name"] == "x")
    left.remove(gone.id)
    right.edit(edited.id, num=9)
    report = run(left, right, said, store)
    assert report.remade == [edited.id]
    assert report.summary()["remade"] == [edited.id]
    assert report.counts == {f"{Side.NOTION}.create": 1}


def test_r9_a_plan_that_goes_on_in_another_slice_keeps_the_new_bases() -> None:
    left, right, store = synced(rules(FieldRule(Pair("Num", "num"))))
    left.add(Name="y", Num=6)
    run(left, right, rules(FieldRule(Pair("Num", "num"))), store)
    said = rules(FieldRule(Pair("Num", "num2")))
    attrs = Pair.each(lambda side: tuple(rule.attrs[side] for rule in said.fields))
    services = Pair(MemoryService(left, Mapped(attrs.notion)), MemoryService(right, Mapped(attrs.other)))
    report = Report("task")
    gathered = get(services, said, report)
    plan = decide(said, store.load(), gathered, report)
    assert len(plan) == 2
    # When: the slice is over after the first operation, and another one goes on with the rest.
    for stop in (iter([False, True]), iter([False])):
        known = store.load() or State()
        application = Application("task", services, plan, known, store, report, stop=stop.__next__)
        with suppress(SliceOverError):
            for part in Part:
                application.run(part)
    finish(report, store, known, gathered, plan, said)
    store.begun.clear()
    store.ended.clear()
    # Then: nothing is left for the next run, not even a base.
    again = Report("task")
    assert len(decide(said, store.load(), get(services, said, again), again)) == 0


def test_r9_a_field_that_is_read_in_another_form_crosses_in_it() -> None:
    owner = FieldRule(Pair("Owner", "owner"))
    left, right, store = Container("left"), Container("right"), MemoryStore()
    left.add(Name="x", Owner=["id-1"])
    run(left, right, rules(owner), store)
    (one,) = left.records
    left.edit(one, Owner=["ada@example.com"])  # what the same service shows in the other form
    said = rules(replace(owner, form=ValueForm.EMAIL), mode=ConflictMode.OTHER)

    report = run(left, right, said, store)

    # what the other side has is nobody's edit, so it wins against nobody
    assert report.conflicts == []
    assert only(left)["Owner"] == only(right)["owner"] == ["ada@example.com"]
    assert run(left, right, said, store).writes == 0


def test_r9_an_edit_of_the_other_side_is_a_conflict_with_the_new_form() -> None:
    owner = FieldRule(Pair("Owner", "owner"))
    left, right, store = Container("left"), Container("right"), MemoryStore()
    left.add(Name="x", Owner=["id-1"])
    run(left, right, rules(owner), store)
    left.edit(next(iter(left.records)), Owner=["ada@example.com"])
    right.edit(next(iter(right.records)), owner=["id-2"])

    said = rules(replace(owner, form=ValueForm.EMAIL), mode=ConflictMode.ERROR)
    report = run(left, right, said, store)

    assert [conflict.attrs.notion for conflict in report.conflicts] == ["Owner"]
    assert (only(left)["Owner"], only(right)["owner"]) == (["ada@example.com"], ["id-2"])


def test_a_form_that_is_not_named_leaves_the_fingerprints_as_they_were() -> None:
    owner = FieldRule(Pair("Owner", "owner"))
    known = of_fields(rules(owner), Pair({}, {}))
    assert known["field.Owner"] != of_fields(rules(replace(owner, form="email")), Pair({}, {}))["field.Owner"]
    assert known["field.Owner"] == "3b79c941b09104c9"
