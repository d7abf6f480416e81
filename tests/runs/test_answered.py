"""A person decides inside Notion: over a sandbox Notion and a memory container, through whole runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from sync_workers.engine.rules import FieldRule, Rules
from sync_workers.model import ID, ConflictMode, Pair, Side
from sync_workers.report import Outcome
from sync_workers.services.base import Mapped, Service
from sync_workers.services.memory import Container, MemoryService
from tests.runs.between import Between
from tests.services.notion.world import NotionWorld, notion_world

FIELDS = Pair("Name", "title"), Pair("Notes", "note")
RULES = Rules(tuple(FieldRule(attrs) for attrs in FIELDS), key=("Name",), mode=ConflictMode.ERROR)
PROPERTY = "Sync conflict"


@dataclass
class Scene:
    """A page and a record in step, until both are edited."""

    world: NotionWorld
    container: Container
    between: Between
    page: ID = ""

    def shown(self) -> Pair[str]:
        page = self.world.notion.page(self.page).values
        (record,) = self.container.records.values()
        return Pair(page["Notes"], record.fields["note"])

    def note(self) -> str:
        return str(self.world.notion.page(self.page).values[PROPERTY] or "")


@contextmanager
def scene_in(folder: Path) -> Iterator[Scene]:
    with notion_world(folder) as world:
        container = Container("other")
        mapped = Pair.each(lambda side: Mapped(tuple(attrs[side] for attrs in FIELDS)))

        opens: dict[Side, Callable[[], Service]] = {
            Side.NOTION: lambda: world.open(mapped.notion, data_source=world.source, conflicts=PROPERTY),
            Side.OTHER: lambda: MemoryService(container, mapped.other),
        }
        here = Scene(world, container, Between(RULES, opens))
        here.page = world.add({"Name": "Bread", "Notes": "rye"})
        here.between.run()
        yield here


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with scene_in(tmp_path) as here:
        (record,) = here.container.records.values()
        here.world.edit(here.page, {"Notes": "spelt"})
        here.container.edit(record.id, note="white")
        assert here.between.run().outcome is Outcome.DECISION
        yield here


def test_the_page_asks_and_the_next_run_is_quiet(scene: Scene) -> None:
    assert scene.note().startswith("Sync conflict: Notes is spelt on notion and white on other.")
    assert scene.between.run().outcome is Outcome.DECISION
    assert scene.between.plan.operations == ()
    held = scene.between.state.held[scene.page]["Notes"]
    assert held.authors[Side.NOTION] is not None
    assert held.changed[Side.NOTION] is not None


@pytest.mark.parametrize(
    ("answer", "wins"), [("notion", "spelt"), ("Other", "white"), ("notes: other", "white")]
)
def test_the_answer_is_carried_out_and_goes(scene: Scene, answer: str, wins: str) -> None:
    scene.world.edit(scene.page, {PROPERTY: answer})

    assert scene.between.run().outcome is Outcome.DONE

    assert scene.shown() == Pair(wins, wins)
    assert scene.note() == ""
    assert (scene.between.state.held, scene.between.state.decisions) == ({}, {})
    assert scene.between.is_quiet()


def test_an_answer_below_the_question_is_one_too(scene: Scene) -> None:
    scene.world.edit(scene.page, {PROPERTY: f"{scene.note()}\nother"})
    scene.between.run()
    assert scene.shown() == Pair("white", "white")
    assert scene.note() == ""


def test_a_persons_own_words_stay(scene: Scene) -> None:
    scene.world.edit(scene.page, {PROPERTY: "Ada knows"})
    assert scene.between.run().outcome is Outcome.DECISION
    assert scene.note() == "Ada knows"
    assert scene.shown() == Pair("spelt", "white")


def test_a_person_who_makes_both_equal_is_asked_no_more(scene: Scene) -> None:
    scene.world.edit(scene.page, {"Notes": "white"})
    assert scene.between.run().outcome is Outcome.DONE
    assert scene.note() == ""
    assert scene.between.is_quiet()
