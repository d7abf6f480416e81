"""What is restored from the trash links again, with real services behind both sides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import pytest

from sync_workers.engine.rules import DeletePolicy, FieldRule, Rules
from sync_workers.model import ID, Pair, Side
from sync_workers.services.base import Mapped, Service
from tests.runs.between import Between
from tests.services.caldav.servers import Servers
from tests.services.caldav.world import CaldavWorld
from tests.services.notion.world import NotionWorld, notion_world
from tests.services.sql.worlds import Place


class Other(Protocol):
    """The other side, as a person sees it."""

    def open(self) -> Service: ...

    def add(self, name: str) -> ID: ...

    def edit(self, record_id: ID, note: str) -> None: ...

    def take(self, record_id: ID) -> Any:
        """Delete a record and keep it in hand, as a person's program does that can undo."""

    def put_back(self, taken: Any) -> None: ...

    def number(self) -> int:
        """How many there are, those that are archived included."""


@dataclass(frozen=True)
class InTable:
    place: Place

    def open(self) -> Service:
        return self.place.open("things", ("title", "note"), archived="archived")

    def add(self, name: str) -> ID:
        self.place.run("INSERT INTO things (id, title) VALUES (:id, :title)", id=f"row {name}", title=name)
        return f"row {name}"

    def edit(self, record_id: ID, note: str) -> None:
        self.place.run("UPDATE things SET note = :note WHERE id = :id", id=record_id, note=note)

    def take(self, record_id: ID) -> Any:
        (row,) = self.place.run("DELETE FROM things WHERE id = :id RETURNING id, title, note", id=record_id)
        return row._mapping

    def put_back(self, taken: Any) -> None:
        self.place.run("INSERT INTO things (id, title, note) VALUES (:id, :title, :note)", **taken)

    def number(self) -> int:
        return len(self.place.run("SELECT 1 FROM things"))


@dataclass(frozen=True)
class InCalendar:
    world: CaldavWorld

    def open(self) -> Service:
        return self.world.open(mapped=Mapped(("summary", "description"), key="summary"))

    def add(self, name: str) -> ID:
        return self.world.add({"summary": name})

    def edit(self, record_id: ID, note: str) -> None:
        self.world.edit(record_id, {"description": note})

    def take(self, record_id: ID) -> Any:
        text = self.world.text(record_id)
        self.world.remove(record_id)
        return (record_id, text)

    def put_back(self, taken: Any) -> None:
        self.world.put(*taken)

    def number(self) -> int:
        return len(self.world.names())


@dataclass
class Trash:
    """A task between the sandbox Notion and a real service, with one page to play with and one that stays."""

    notion: NotionWorld
    other: Other
    task: Between
    page: ID

    def policy(self, policy: DeletePolicy) -> None:
        self.task.rules = replace(self.task.rules, delete=DeletePolicy.each_way(policy))

    def trash(self) -> None:
        self.notion.notion.trash_page(self.page)

    def restore(self) -> None:
        self.notion.notion.restore_page(self.page)

    @property
    def link(self) -> Pair[ID] | None:
        other_id = self.task.state.ids.get(self.page)
        return Pair(self.page, other_id) if other_id is not None else None

    @property
    def pages(self) -> int:
        """Those in the trash included."""
        return len(self.notion.notion.pages(self.notion.source, trashed=True))


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    started = Servers(tmp_path_factory.mktemp("caldav"))
    yield started
    started.close()


@pytest.fixture(params=["table", "calendar"])
def here(request: pytest.FixtureRequest, tmp_path: Path, servers: Servers) -> Iterator[Trash]:
    with ExitStack() as stack:
        notion = stack.enter_context(notion_world(tmp_path))
        other: Other
        if request.param == "table":
            place = stack.enter_context(Place.file(tmp_path / "test.db"))
            place.run(
                "CREATE TABLE things (id varchar(36) PRIMARY KEY, title text, note text, archived boolean)"
            )
            other, names = InTable(place), ("title", "note")
        else:
            world = CaldavWorld(servers.get("radicale"))
            stack.callback(world.close)
            other, names = InCalendar(world), ("summary", "description")
        rules = Rules((FieldRule(Pair("Name", names[0])), FieldRule(Pair("Notes", names[1]))), key=("Name",))
        mapped = Mapped(("Name", "Notes"), key="Name")
        task = Between(rules, {Side.NOTION: lambda: notion.open(mapped), Side.OTHER: other.open})
        page, _ = notion.add({"Name": "Bread", "Notes": "rye"}), notion.add({"Name": "Eggs", "Notes": "six"})
        task.run()
        yield Trash(notion, other, task, page)


@pytest.mark.parametrize("policy", DeletePolicy)
def test_a_page_that_is_restored_before_the_run_was_never_gone(here: Trash, policy: DeletePolicy) -> None:
    here.policy(policy)
    before = here.link
    here.trash()
    here.restore()
    assert here.task.is_quiet()
    assert here.link == before


def test_a_page_that_is_restored_after_its_counterpart_was_deleted_gets_one_new_counterpart(
    here: Trash,
) -> None:
    here.trash()
    assert here.task.run().counts == {"other.delete": 1}
    assert here.other.number() == 1

    here.restore()

    assert here.task.run().counts == {"other.create": 1}
    assert (here.pages, here.other.number()) == (2, 2)
    assert here.link is not None
    assert here.task.is_quiet()


def test_what_is_restored_on_both_sides_is_linked_by_its_key(here: Trash) -> None:
    before = here.link
    assert before is not None
    taken = here.other.take(before.other)
    assert here.task.run().counts == {"notion.delete": 1}

    here.restore()
    here.other.put_back(taken)

    assert here.task.run().counts == {"link": 1}
    assert (here.pages, here.other.number()) == (2, 2)
    assert here.link == before
    assert here.task.is_quiet()


def test_a_page_that_is_restored_after_it_was_unlinked_is_linked_again(here: Trash) -> None:
    here.policy(DeletePolicy.UNLINK)
    before = here.link
    here.trash()
    assert here.task.run().counts == {"unlink": 1}
    assert here.task.is_quiet()

    here.restore()

    assert here.task.run().counts == {"link": 1}
    assert here.link == before
    assert here.task.state.unlinked == {Side.OTHER: set()}
    assert here.task.is_quiet()


def test_a_page_that_is_restored_after_its_deletion_was_ignored_goes_on_as_before(here: Trash) -> None:
    here.policy(DeletePolicy.IGNORE)
    before = here.link
    assert before is not None
    here.trash()
    here.other.edit(before.other, "spelt")
    report = here.task.run()
    assert (report.counts, report.failures, report.held, len(report.ignored)) == ({}, [], [], 1)
    assert here.task.is_quiet()

    here.restore()

    assert here.task.run().counts == {"notion.update": 1}
    assert here.link == before
    assert here.notion.notion.page(here.page).values["Notes"] == "spelt"
    assert here.task.is_quiet()


def test_r3_a_page_that_is_restored_brings_back_what_was_archived_for_it(here: Trash) -> None:
    """The archived record was made by this task from this very page: a second one would be its double."""
    here.policy(DeletePolicy.ARCHIVE)
    before = here.link
    here.trash()
    assert here.task.run().counts == {"other.archive": 1}
    assert (here.other.number(), here.link) == (2, None)
    assert here.task.is_quiet()

    here.restore()

    assert here.task.run().counts == {"other.create": 1}
    assert (here.pages, here.other.number()) == (2, 2)
    assert here.link == before
    assert here.task.is_quiet()


def test_what_a_person_made_and_the_task_archived_stays_archived_beside_a_new_one(here: Trash) -> None:
    """Nothing tells that the page was made from it once: `docs/decisions.md` says so."""
    here.policy(DeletePolicy.ARCHIVE)
    theirs = here.other.add("Milk")
    here.task.run()
    (page,) = (one for one, other_id in here.task.state.links() if other_id == theirs)
    here.notion.notion.trash_page(page)
    assert here.task.run().counts == {"other.archive": 1}

    here.notion.notion.restore_page(page)

    assert here.task.run().counts == {"other.create": 1}
    assert here.other.number() == 4
    assert here.task.state.ids[page] != theirs
    assert here.task.is_quiet()
