"""R9: a changed credential, container, filter or field map deletes nothing, with real services."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from sync_workers.engine.rules import DeletePolicy, FieldRule, Limits, Rules
from sync_workers.errors import GuardError
from sync_workers.model import ID, NOTHING, Pair, Record, Side
from sync_workers.report import Report
from sync_workers.services.base import Fetched, Mapped
from sync_workers.services.memory import Container, MemoryService
from tests.runs.between import Between
from tests.services.caldav.servers import Servers
from tests.services.caldav.world import CaldavWorld
from tests.services.notion.world import NotionWorld, notion_world
from tests.services.sql.worlds import Place

NAMES = ("Bread", "Milk", "Eggs")


@dataclass
class Setup:
    """A task between the sandbox Notion and a table, or a calendar, with three linked records."""

    notion: NotionWorld
    place: Place
    task: Between
    folder: Path

    def add_table(self, name: str, *titles: str) -> None:
        self.place.run(f"CREATE TABLE {name} (id varchar(36) PRIMARY KEY, title text, note text)")
        for title in titles:
            self.place.run(f"INSERT INTO {name} (id, title) VALUES (:id, :id)", id=title)  # noqa: S608 - our own

    def titles(self, table: str) -> set[str]:
        return {row[0] for row in self.place.run(f"SELECT title FROM {table}")}  # noqa: S608 - our own

    def pages(self) -> set[str]:
        """The names of the pages that are not in the trash."""
        return {row.values["Name"] for row in self.notion.notion.pages(self.notion.source)}

    def run(self) -> Report:
        """A run that may delete nothing, whatever it finds."""
        report = self.task.run()
        assert [name for name in report.counts if "delete" in name or "archive" in name] == []
        assert report.failures == []
        return report


def rules(*fields: tuple[str, str], limits: Limits = Limits(lost_share=1)) -> Rules:
    return Rules(tuple(FieldRule(Pair(*field)) for field in fields), key=("Name",), limits=limits)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Setup]:
    with ExitStack() as stack:
        notion = stack.enter_context(notion_world(tmp_path))
        place = stack.enter_context(Place.file(tmp_path / "test.db"))
        task = Between(rules(("Name", "title")), {})
        here = Setup(notion, place, task, tmp_path)
        here.add_table("things", *NAMES)
        task.open[Side.NOTION] = lambda: notion.open(Mapped(("Name",), key="Name"))
        task.open[Side.OTHER] = lambda: place.open("things", ("title",))
        task.run()
        assert len(task.state.ids) == len(NAMES)
        yield here


# --- container ---


def test_another_table_is_matched_anew_and_nothing_is_deleted(here: Setup) -> None:
    here.add_table("older", "Bread", "Flour")
    here.task.open[Side.OTHER] = lambda: here.place.open("older", ("title",))

    report = here.run()

    assert report.fresh == ["other.container"]
    assert report.summary()["fresh"] == ["other.container"]
    assert here.pages() == here.titles("older") == {*NAMES, "Flour"}
    assert here.titles("things") == set(NAMES)
    assert here.task.is_quiet()
    assert here.task.run().fresh == []


def test_another_data_source_is_matched_anew_and_nothing_is_deleted(here: Setup) -> None:
    source = here.notion.notion.add_database("Older", {"Name": "title"})
    for name in ("Bread", "Flour"):
        here.notion.notion.add_page(source, {"Name": name})
    mapped = Mapped(("Name",), key="Name")
    here.task.open[Side.NOTION] = lambda: here.notion.open(mapped, data_source=source)

    report = here.run()

    assert "notion.container" in report.fresh
    assert here.titles("things") == {*NAMES, "Flour"}
    assert here.pages() == set(NAMES)
    assert here.task.is_quiet()


def test_another_calendar_is_matched_anew_and_nothing_is_deleted(
    here: Setup, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with ExitStack() as stack:
        servers = Servers(tmp_path_factory.mktemp("caldav"))
        stack.callback(servers.close)
        first, second = (CaldavWorld(servers.get("radicale")) for _ in range(2))
        for world in (second, first):
            stack.callback(world.close)
        second.add({"summary": "Bread"})
        here.task.rules, here.task.open[Side.OTHER] = rules(("Name", "summary")), first.open
        here.run()
        assert len(first.names()) == len(NAMES)
        here.task.open[Side.OTHER] = second.open

        report = here.run()

        assert report.fresh == ["other.container"]
        assert len(second.names()) == len(first.names()) == len(NAMES)
        assert here.pages() == set(NAMES)
        assert here.task.is_quiet()


@pytest.mark.parametrize(
    ("limits", "is_refused"),
    [
        (Limits(created_number=3), True),
        (Limits(created_number=4), False),
        (Limits(created_number=3, created_share=1.5), False),
    ],
)
def test_a_whole_wrong_container_is_refused_by_what_was_linked_before(
    here: Setup, limits: Limits, *, is_refused: bool
) -> None:
    """Nothing is linked after the links were dropped: it must not pass for a first run."""
    here.add_table("wrong", *(f"wrong {number}" for number in range(4)))
    here.task.rules = rules(("Name", "title"), limits=limits)
    here.task.open[Side.OTHER] = lambda: here.place.open("wrong", ("title",))
    before = here.task.state.model_copy(deep=True)

    if is_refused:
        with pytest.raises(GuardError, match=r"notion would get 4 new records, with 3 linked until now"):
            here.task.run()
        assert here.task.state == before
        assert here.pages() == set(NAMES)
    else:
        assert here.run().counts["notion.create"] == 4


# --- credential, filter, field map ---


def test_another_token_takes_what_is_absent_for_no_deletion(here: Setup) -> None:
    gone = here.task.state.model_copy(deep=True)
    page = next(
        row.id for row in here.notion.notion.pages(here.notion.source) if row.values["Name"] == "Milk"
    )
    here.notion.notion.trash_page(page)
    here.notion.notion.add_token("ntn_another")
    (here.folder / "token").write_text("ntn_another", encoding="utf-8")

    report = here.run()

    assert report.fresh == ["notion.credential"]
    assert [hold.reason for hold in report.held] == ["absent, but the set-up changed: not taken for deleted"]
    assert here.titles("things") == set(NAMES)
    assert here.task.state.ids == gone.ids


def test_another_field_map_takes_what_is_absent_for_no_deletion(here: Setup) -> None:
    here.place.run("DELETE FROM things WHERE title = 'Milk'")
    here.task.rules = rules(("Name", "title"), ("Notes", "note"))
    names = Pair(("Name", "Notes"), ("title", "note"))
    here.task.open[Side.NOTION] = lambda: here.notion.open(Mapped(names.notion, key="Name"))
    here.task.open[Side.OTHER] = lambda: here.place.open("things", names.other)

    report = here.run()

    assert {"fields", "field.Notes"} <= set(report.fresh)
    assert here.pages() == set(NAMES)


class Filtered(MemoryService):
    """A service that lists only a part, and fingerprints which."""

    def __init__(self, container: Container, names: set[str], **about: Any) -> None:
        super().__init__(container, Mapped(("title",)), **about)
        self.names = names

    def setup(self) -> dict[str, str]:
        return {**super().setup(), "filter": " ".join(sorted(self.names))}

    def fetch(self, cursor: str | None = None, known: Mapping[ID, Record] = NOTHING) -> Fetched:
        found = super().fetch(cursor, known)
        return replace(found, records=tuple(r for r in found.records if r.fields["title"] in self.names))


@pytest.mark.parametrize("policy", DeletePolicy)
@pytest.mark.parametrize("side", Side)
def test_another_filter_takes_what_is_absent_for_no_deletion(side: Side, policy: DeletePolicy) -> None:
    containers = Pair.each(lambda each: Container(str(each)))
    for name in NAMES:
        containers[side].add(title=name)
    said = Rules((FieldRule(Pair("title", "title")),), key=("title",), delete=DeletePolicy.each_way(policy))
    task = Between(said, {})
    task.open[side] = lambda: Filtered(containers[side], set(NAMES))
    task.open[side.opposite] = lambda: MemoryService(containers[side.opposite], Mapped(("title",)))
    task.run()
    before = task.state.model_copy(deep=True)
    task.open[side] = lambda: Filtered(containers[side], {"Bread"})

    reports = [task.run() for _ in range(2)]

    # In the run after the fresh one they are asked for by id, and are there.
    assert [report.counts for report in reports] == [{}, {}]
    assert [report.fresh for report in reports] == [[f"{side}.filter"], []]
    assert task.state.ids == before.ids
    assert all(len(containers[each].records) == len(NAMES) for each in Side)
