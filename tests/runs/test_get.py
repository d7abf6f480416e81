"""The phase `get`: listings, mirrors of change feeds, and what is not in order about them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from sync_workers.engine.rules import FieldRule, Rules
from sync_workers.errors import AccessError
from sync_workers.model import ID, NOTHING, Pair, Record, Side
from sync_workers.report import Report
from sync_workers.runs.get import Gathered, get
from sync_workers.runs.reading import Wish
from sync_workers.services.base import Capabilities, Fetched, Field, Kind, Service
from sync_workers.services.memory import FULL, Container, MemoryService
from tests.runs.crashing import KeptHere

RULES = Rules((FieldRule(Pair("Name", "title")),), key=("Name",))


class Scripted(MemoryService):
    """Answers each `fetch` with the next of the given answers, and notes the cursors it was asked with."""

    def __init__(self, *answers: Fetched, capabilities: Capabilities = FULL) -> None:
        super().__init__(Container(), capabilities=capabilities)
        self.answers: Iterator[Fetched] = iter(answers)
        self.cursors: list[str | None] = []

    def fetch(self, cursor: str | None = None, known: Mapping[ID, Record] = NOTHING) -> Fetched:
        self.cursors.append(cursor)
        self.known = known
        return next(self.answers)


class Noted(MemoryService):
    """A memory service that notes the cursors it was asked with."""

    def __init__(self, container: Container, capabilities: Capabilities = FULL) -> None:
        super().__init__(container, capabilities=capabilities)
        self.cursors: list[str | None] = []

    def fetch(self, cursor: str | None = None, known: Mapping[ID, Record] = NOTHING) -> Fetched:
        self.cursors.append(cursor)
        return super().fetch(cursor, known)


def read(
    other: MemoryService, mirrors: KeptHere | None = None, *, full: bool = False, rules: Rules = RULES
) -> tuple[Gathered, Report]:
    report = Report("get")
    services: Pair[Service] = Pair(MemoryService(Container("n")), other)
    return get(services, rules, report, mirrors=mirrors, wish=Wish(full=full)), report


def records(*ids: ID) -> tuple[Record, ...]:
    return tuple(Record(record_id, {"title": record_id}) for record_id in ids)


def listed(gathered: Gathered) -> set[ID]:
    return set(gathered.snapshot.other.records)


# --- one listing ---


def test_both_sides_are_listed_with_schema_setup_and_clock() -> None:
    container = Container("o", fields={"title": Field("title", Kind.TEXT, id="1")})
    record = container.add(title="Bread")
    gathered, report = read(MemoryService(container))
    assert gathered.snapshot.other.records == {record.id: record}
    assert gathered.snapshot.notion.records == {}
    assert gathered.fields.other == {"title": Field("title", Kind.TEXT, id="1")}
    assert gathered.setup["other.container"] == "o"
    assert set(gathered.setup) == {
        *("fields", "field.Name", "line.Name", "notion.container", "other.container"),
        *(name for name in gathered.setup if name.startswith("seen.")),
    }
    assert gathered.setup["seen.other.title"] == '["1", "text"]'
    assert report.calls == {"notion": 1, "other": 1}
    assert report.seconds.keys() == {"get"}


def test_r4_what_a_listing_raises_goes_through_since_a_part_of_it_would_be_a_lie() -> None:
    class Closed(MemoryService):
        def fetch(self, cursor: str | None = None, known: Mapping[ID, Record] = NOTHING) -> Fetched:
            raise AccessError(f"not shown to you {cursor} {len(known)}")

    with pytest.raises(AccessError):
        read(Closed(Container()))


def test_an_id_that_came_twice_is_noted_and_no_mirror_is_kept() -> None:
    mirrors = KeptHere()
    gathered, _ = read(Scripted(Fetched(records("a", "b", "a"), cursor="1")), mirrors)
    assert gathered.snapshot.other.repeated == ("a",)
    assert Side.OTHER not in mirrors.kept


def test_r8_an_unreadable_record_is_a_failure_and_neither_there_nor_gone() -> None:
    gathered, report = read(Scripted(Fetched(records("a"), unreadable={"b": "broken"})))
    listing = gathered.snapshot.other
    assert set(listing.records) == {"a"}
    assert [(f.side, f.record_id, f.reason) for f in listing.failures] == [(Side.OTHER, "b", "broken")]
    assert report.failures == list(listing.failures)


def test_r4_a_partial_listing_is_marked_so() -> None:
    gathered, _ = read(Scripted(Fetched(records("a"), complete=False), capabilities=Capabilities()))
    assert not gathered.snapshot.other.complete


# --- mirrors of a change feed ---


def test_r10_the_second_run_asks_only_for_what_changed_and_still_sees_everything() -> None:
    container, mirrors = Container(), KeptHere()
    kept, edited, removed = (container.add(title=title) for title in ("a", "b", "c"))
    service = Noted(container)
    read(service, mirrors)
    container.edit(edited.id, title="B")
    container.remove(removed.id)
    added = container.add(title="d")

    gathered, _ = read(service, mirrors)

    assert service.cursors == [None, "3"]
    assert listed(gathered) == {kept.id, edited.id, added.id}
    assert gathered.snapshot.other.records == container.records
    assert gathered.snapshot.other.complete


@pytest.mark.parametrize("reset", [True, False], ids=["refused", "ignored"])
def test_r4_a_cursor_that_was_not_used_brings_a_whole_listing_and_the_mirror_is_forgotten(
    *, reset: bool
) -> None:
    mirrors = KeptHere()
    service = Scripted(
        Fetched(records("a", "b"), cursor="1"), Fetched(records("b", "c"), cursor="2", reset=reset)
    )
    read(service, mirrors)
    gathered, _ = read(service, mirrors)
    assert listed(gathered) == {"b", "c"}
    assert set(mirrors.kept[Side.OTHER].records) == {"b", "c"}


def test_a_record_that_was_deleted_and_made_again_is_there() -> None:
    mirrors = KeptHere()
    again = Fetched(records("a"), tombstones=("a",), cursor="2", complete=False)
    service = Scripted(Fetched(records("a"), cursor="1"), again)
    read(service, mirrors)
    assert listed(read(service, mirrors)[0]) == {"a"}


def test_a_record_that_turned_unreadable_and_back_is_told_in_every_run_between() -> None:
    mirrors = KeptHere()
    service = Scripted(
        Fetched(records("a"), cursor="1"),
        Fetched((), cursor="2", complete=False, unreadable={"a": "broken"}),
        Fetched((), cursor="3", complete=False),
        Fetched(records("a"), cursor="4", complete=False),
    )
    seen = [read(service, mirrors)[0].snapshot.other for _ in range(4)]
    assert [(set(one.records), len(one.failures)) for one in seen] == [
        ({"a"}, 0), (set(), 1), (set(), 1), ({"a"}, 0),
    ]  # fmt: skip


def test_an_unreadable_record_that_is_deleted_is_no_failure_any_more() -> None:
    mirrors = KeptHere()
    service = Scripted(
        Fetched((), cursor="1", unreadable={"a": "broken"}),
        Fetched((), tombstones=("a",), cursor="2", complete=False),
    )
    read(service, mirrors)
    assert read(service, mirrors)[0].snapshot.other.failures == ()


def test_a_full_run_lists_everything_and_renews_the_mirror() -> None:
    mirrors = KeptHere()
    service = Scripted(Fetched(records("a"), cursor="1"), Fetched(records("b"), cursor="2"))
    read(service, mirrors)
    gathered, _ = read(service, mirrors, full=True)
    assert service.cursors == [None, None]
    assert listed(gathered) == {"b"}
    assert mirrors.kept[Side.OTHER].cursor == "2"


def test_r9_a_mirror_of_another_setup_is_worthless() -> None:
    mirrors = KeptHere()
    service = Scripted(Fetched(records("a"), cursor="1"), Fetched(records("b"), cursor="2"))
    read(service, mirrors)
    more = replace(RULES, fields=(*RULES.fields, FieldRule(Pair("Text", "text"))))
    gathered, _ = read(service, mirrors, rules=more)
    assert service.cursors == [None, None]
    assert listed(gathered) == {"b"}


def test_r4_without_a_feed_everything_is_listed() -> None:
    container, mirrors = Container(), KeptHere()
    removed = container.add(title="a")
    service = MemoryService(container, capabilities=replace(FULL, change_feed=False))
    read(service, mirrors)
    container.remove(removed.id)
    assert listed(read(service, mirrors)[0]) == set()
    assert Side.OTHER not in mirrors.kept


# --- fingerprints ---


@pytest.mark.parametrize(
    "rules",
    [
        replace(RULES, fields=(FieldRule(Pair("Name", "summary")),)),
        replace(RULES, fields=(FieldRule(Pair("Name", "title"), values=(Pair("a", "b"),)),)),
        replace(RULES, fields=()),
    ],
    ids=["another field", "a value map", "no field"],
)
def test_r9_another_field_map_has_another_fingerprint(rules: Rules) -> None:
    service = MemoryService(Container())
    assert read(service)[0].setup["fields"] == read(service)[0].setup["fields"]
    assert read(service)[0].setup["fields"] != read(service, rules=rules)[0].setup["fields"]
