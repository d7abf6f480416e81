"""What the sync has of its own in Notion, beside a real table: marks, and notes about conflicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from sync_workers.engine.rules import FieldRule, Rules
from sync_workers.model import ID, ConflictMode, Pair, Side
from sync_workers.report import Outcome
from sync_workers.sandbox.faults import Kind
from sync_workers.sandbox.notion import Row
from sync_workers.services.base import Mapped, Service
from tests.runs.between import Between
from tests.services.notion.world import OWN, NotionWorld, notion_world
from tests.services.sql.worlds import Place

RULES = Rules(
    (FieldRule(Pair("Name", "title")), FieldRule(Pair("Notes", "note"))),
    mode=ConflictMode.ERROR,
    key=("Name",),
)


@dataclass
class Here:
    """A task between the sandbox Notion and a table."""

    notion: NotionWorld
    table: Place
    task: Between

    def add_row(self, number: int, title: str, note: str) -> None:
        self.table.run(
            "INSERT INTO things (id, title, note) VALUES (:id, :title, :note)",
            id=str(number), title=title, note=note,
        )  # fmt: skip

    def rows(self) -> list[tuple[str, str]]:
        return sorted((row.title, row.note) for row in self.table.run("SELECT title, note FROM things"))

    def pages(self) -> list[tuple[str, str]]:
        """What a person sees in Notion."""
        return sorted((row.values["Name"], row.values["Notes"]) for row in self._pages())

    def ids(self) -> list[ID]:
        return [row.id for row in self._pages()]

    def note(self, page: ID) -> str:
        (note,) = [row.values["Sync conflict"] for row in self._pages() if row.id == page]
        return str(note)

    def _pages(self) -> Sequence[Row]:
        return self.notion.notion.pages(self.notion.source)

    def write(self, page: ID, **columns: str) -> None:
        self.notion.edit(page, {name.replace("_", " "): text for name, text in columns.items()})


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Here]:
    with notion_world(tmp_path) as notion, Place.file(tmp_path / "test.db") as table:
        table.run("CREATE TABLE things (id varchar(36) PRIMARY KEY, title text, note text)")
        notion.own = dict(OWN)
        mapped = Mapped(("Name", "Notes"), key="Name")
        opens: dict[Side, Callable[[], Service]] = {
            Side.NOTION: lambda: notion.open(mapped),
            Side.OTHER: lambda: table.open("things", ("title", "note")),
        }
        yield Here(notion, table, Between(RULES, opens))


# --- marks ---


@pytest.mark.parametrize("kind", [Kind.CUT, Kind.SAVED, Kind.NOT_SAVED, Kind.DROPPED])
@pytest.mark.parametrize("edited", [False, True], ids=["untouched", "edited"])
def test_r3_a_lost_create_makes_one_page_whatever_a_person_edited_since(
    here: Here, kind: Kind, edited: bool
) -> None:
    here.add_row(1, "Bread", "rye")
    here.notion.notion.faults.add(kind, "POST", "/v1/pages$")
    here.task.run()
    if edited:
        for page in here.ids():
            here.write(page, Name="Rolls", Notes="wheat")

    for _ in range(3):
        here.task.run()

    assert here.task.is_quiet()
    assert len(here.pages()) == 1
    assert here.pages() == here.rows()


# --- notes ---


@pytest.fixture
def held(here: Here) -> tuple[Here, ID]:
    """A conflict that waits for a person."""
    here.add_row(1, "Bread", "rye")
    assert here.task.run().outcome is Outcome.DONE
    (page,) = here.ids()
    here.write(page, Notes="from Notion")
    here.table.run("UPDATE things SET note = 'from the table'")
    assert here.task.run().outcome is Outcome.DECISION
    return here, page


def test_a_conflict_is_told_beside_the_record_once(held: tuple[Here, ID]) -> None:
    here, page = held
    note = here.note(page)
    for part in ("Notes", "from Notion", "from the table", '"notion" or "other"'):
        assert part in note, note
    here.notion.calls()
    assert here.task.run().counts == {}
    assert ("PATCH", "pages") not in here.notion.calls()


@pytest.mark.parametrize(
    ("answer", "winner"),
    [("notion", "from Notion"), (" Other ", "from the table"), ("Notes: other", "from the table")],
)
def test_a_person_decides_inside_notion(held: tuple[Here, ID], answer: str, winner: str) -> None:
    here, page = held
    here.write(page, Sync_conflict=answer)

    report = here.task.run()

    assert report.outcome is Outcome.DONE
    assert here.rows() == here.pages() == [("Bread", winner)]
    assert here.note(page) == ""
    assert here.task.is_quiet()
    assert here.task.state.held == {}


def test_what_else_a_person_writes_there_stays(held: tuple[Here, ID]) -> None:
    here, page = held
    here.write(page, Sync_conflict="ask Ada first")
    assert here.task.run().outcome is Outcome.DECISION
    assert here.note(page) == "ask Ada first"
    assert here.rows() == [("Bread", "from the table")]


def test_a_conflict_that_people_settle_themselves_takes_its_note_away(held: tuple[Here, ID]) -> None:
    here, page = held
    here.write(page, Notes="from the table")
    assert here.task.run().outcome is Outcome.DONE
    assert here.note(page) == ""
    assert here.task.is_quiet()
