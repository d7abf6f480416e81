"""conflicts and resolve over two memory containers and a real Redis."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sync_workers.model import ID, Pair, Side
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import Keys
from sync_workers.redis.lease import Lease, Taken
from sync_workers.redis.runs_store import RunsStore, new_run_id
from sync_workers.redis.state_form import changes
from sync_workers.redis.state_store import load, load_remarks, put_decision
from sync_workers.remarks import Decision, HeldConflict
from sync_workers.report import Trigger
from sync_workers.services.memory import Container, container
from sync_workers.state import Change, State
from tests.cli.command import Command, Result

NUMBERS = itertools.count(1)
BOTH = pytest.mark.parametrize("side", list(Side))
VALUES = Pair("spelt", "white")


@dataclass
class Scene:
    """A task in mode `error` between two fresh containers."""

    command: Command
    task: str
    sides: Pair[Container]
    client: Client
    ids: Pair[ID] = Pair("", "")

    def waiting(self, title: str = "Bread", values: Pair[Any] = VALUES) -> Pair[ID]:
        """A record whose note waits, after a run that found it so."""
        one = self.sides.notion.add(title=title, note="rye")
        self.command("run", self.task)
        (other,) = (r for r in self.sides.other.records.values() if r.fields["title"] == title)
        ids = Pair(one.id, other.id)
        for side in Side:
            self.sides[side].edit(ids[side], note=values[side])
        assert self.command("run", self.task).code == 1
        return ids

    def notes(self, ids: Pair[ID]) -> Pair[Any]:
        return Pair.each(lambda side: self.sides[side].records[ids[side]].fields["note"])

    def state(self) -> State:
        state = load(self.client, self.task)
        assert state is not None
        return state

    def store(self, held: dict[ID, dict[str, HeldConflict]]) -> None:
        """Let the state say that these wait, and no others."""
        keys = Keys(self.task)
        self.client.ask("DEL", keys.part("held"))
        for part, name, body in changes(Change(held=held)):
            self.client.ask("HSET", keys.part(part), name, body or b"")

    def resolve(self, record: str, *args: str, field: str = "note") -> Result:
        return self.command("resolve", self.task, record, field, *args)


@pytest.fixture
def scene(
    command: Command, monkeypatch: pytest.MonkeyPatch, redis_url: str, redis_client: Client, task_name: str
) -> Scene:
    names = Pair.each(lambda side: f"{side}-{task_name}-{next(NUMBERS)}")
    Path("sync.toml").write_text(
        f"""
        [connections.scratch]
        kind = "memory"
        [tasks.{task_name}]
        match = ["title"]
        conflict = "error"
        notion = {{ connection = "scratch", container = "{names.notion}" }}
        other = {{ connection = "scratch", container = "{names.other}" }}
        [tasks.{task_name}.fields]
        title = "title"
        note = "note"
        """,
        encoding="utf-8",
    )
    monkeypatch.setenv("SYNC_WORKERS_REDIS_URL", redis_url)
    return Scene(command, task_name, Pair.each(lambda side: container(names[side])), redis_client)


def test_conflicts_shows_what_waits_with_both_values_and_who_changed_when(scene: Scene) -> None:
    ids = scene.waiting()
    for shown in (scene.command("conflicts"), scene.command("conflicts", scene.task)):
        assert shown.code == 0, shown.err
        for part in (
            scene.task,
            ids.notion,
            ids.other,
            "note",
            "spelt",
            "white",
            "notion: 2",
            "other: 2",
            " UTC",
        ):
            assert part in shown.out
        assert "sync-workers resolve" in shown.out


def test_plan_shows_what_a_person_would_be_asked(scene: Scene) -> None:
    ids = scene.waiting()
    scene.sides.other.edit(ids.other, note="brown")
    shown = scene.command("plan", scene.task)
    assert shown.code == 0, shown.err
    assert shown.out.count("Sync conflict: note is spelt on notion and brown on other.") == 2


def test_values_of_others_are_shown_as_they_are(scene: Scene) -> None:
    """Brackets say something to the library that draws the table."""
    scene.waiting(values=Pair("[red]one[/red]", "[/b] two"))
    shown = scene.command("conflicts").out
    for part in ("[red]one[/red]", "[/b] two"):
        assert part in shown


def test_when_its_run_fails_the_decision_is_said_to_be_stored(scene: Scene) -> None:
    ids = scene.waiting()
    RunsStore(scene.client, scene.task).rest(timedelta(minutes=5))
    shown = scene.resolve(ids.notion, "--use", "notion")
    assert shown.code == 1
    assert "stored: the task's next run" in shown.out
    assert "asked to be left alone" in shown.err
    assert scene.state().decisions[ids.notion].keys() == {"note"}


def test_conflicts_says_that_nothing_waits(scene: Scene) -> None:
    assert "no field waits for a decision" in scene.command("conflicts").out
    scene.sides.notion.add(title="Bread", note="rye")
    scene.command("run", scene.task)
    assert "no field waits for a decision" in scene.command("conflicts", scene.task).out


def test_conflicts_says_what_is_decided_already_and_what_is_a_loop(scene: Scene) -> None:
    ids = scene.waiting()
    assert "answering" not in scene.command("conflicts").out
    held = scene.state().held
    held[ids.notion]["note"].frozen = True
    held[ids.notion]["note"].authors[Side.OTHER] = "ada"
    scene.store(held)
    scene.resolve(ids.notion, "--use", "other", "--later")
    shown = scene.command("conflicts").out
    assert "decided: other, for the next run" in shown
    assert "both sides kept answering each other" in shown
    assert "UTC by ada" in shown


@BOTH
@pytest.mark.parametrize("by", list(Side))
def test_resolve_takes_the_value_of_a_side_and_carries_it_out_now(scene: Scene, side: Side, by: Side) -> None:
    ids = scene.waiting()
    shown = scene.resolve(ids[by], "--use", str(side))
    assert shown.code == 0, shown.err
    assert scene.notes(ids) == Pair.each(lambda _: VALUES[side])
    assert f"conflict on note of {ids.notion}: {side} won, as a person decided" in shown.out
    assert f"note of {ids.notion}: decided, both sides agree" in shown.out
    assert (scene.state().held, scene.state().decisions) == ({}, {})
    assert "nothing to do" in scene.command("run", scene.task).out


def test_resolve_takes_another_value_for_both_sides(scene: Scene) -> None:
    ids = scene.waiting()
    assert scene.resolve(ids.notion, "--use", "brown").code == 0
    assert scene.notes(ids) == Pair("brown", "brown")


def test_resolve_takes_a_value_that_reads_like_a_side(scene: Scene) -> None:
    ids = scene.waiting()
    assert scene.resolve(ids.notion, "--value", "notion").code == 0
    assert scene.notes(ids) == Pair("notion", "notion")


def test_resolve_clears_a_field(scene: Scene) -> None:
    ids = scene.waiting()
    assert scene.resolve(ids.notion, "--use", "").code == 0
    assert scene.notes(ids) == Pair(None, None)


@pytest.mark.parametrize(
    ("values", "text", "value"),
    [
        (Pair(1, 2), "2.5", 2.5),
        (Pair(None, 2), "3", 3),
        (Pair(["a"], ["b"]), '["a", "b"]', ["a", "b"]),
        (
            Pair(datetime(2026, 3, 1, 8, tzinfo=UTC), datetime(2026, 3, 2, 8, tzinfo=UTC)),
            "2026-03-03T09:00",
            datetime(2026, 3, 3, 9, tzinfo=UTC),
        ),
    ],
    ids=["number", "one side is empty", "list", "moment"],
)
def test_resolve_reads_the_value_as_the_field_has_it(
    scene: Scene, values: Pair[Any], text: str, value: Any
) -> None:
    ids = scene.waiting(values=values)
    shown = scene.resolve(ids.notion, "--use", text)
    assert shown.code == 0, shown.err
    assert scene.notes(ids) == Pair(value, value)


def test_a_value_that_is_none_for_the_field_is_refused_with_what_is_one(scene: Scene) -> None:
    ids = scene.waiting(values=Pair(1, 2))
    shown = scene.resolve(ids.notion, "--use", "many")
    assert shown.code == 1
    assert shown.err == f"task {scene.task}: the value for 'note' is no number: write one such as 3 or 2.5\n"
    assert scene.state().decisions == {}


def test_a_value_that_the_value_map_does_not_know_is_refused(scene: Scene) -> None:
    path = Path("sync.toml")
    mapped = 'note = { other = "note", values = { rye = "rye", spelt = "spelt", white = "white" } }'
    path.write_text(path.read_text().replace('note = "note"', mapped))
    ids = scene.waiting()
    shown = scene.resolve(ids.notion, "--use", "brown")
    assert shown.code == 1
    assert "the value map of 'note' does not know that value" in shown.err
    assert scene.resolve(ids.notion, "--use", "rye").code == 0
    assert scene.notes(ids) == Pair("rye", "rye")


def test_later_only_stores_it_for_the_next_run(scene: Scene) -> None:
    ids = scene.waiting()
    shown = scene.resolve(ids.notion, "--use", "notion", "--later")
    assert shown.code == 0
    assert "the task's next run carries it out" in shown.out
    assert scene.notes(ids) == VALUES
    scene.command("run", scene.task)
    assert scene.notes(ids) == Pair("spelt", "spelt")


def test_while_another_run_works_the_decision_is_left_to_the_one_after_it(scene: Scene) -> None:
    ids = scene.waiting()
    lease = Lease(scene.client, scene.task, new_run_id())
    assert isinstance(lease.take(Trigger.AD_HOC, first=True), Taken)
    shown = scene.resolve(ids.notion, "--use", "notion")
    assert shown.code == 0, shown.err
    assert "the run after that one carries it out" in shown.out
    assert scene.state().decisions[ids.notion].keys() == {"note"}
    lease.end({"outcome": "done"})
    scene.command("run", scene.task)
    assert scene.notes(ids) == Pair("spelt", "spelt")


@BOTH
def test_a_decision_about_values_that_have_changed_since_is_not_carried_out(scene: Scene, side: Side) -> None:
    ids = scene.waiting()
    scene.sides[side].edit(ids[side], note="edited since")
    shown = scene.resolve(ids.notion, "--use", str(side.opposite))
    assert shown.code == 1
    assert "one side has changed since you looked" in shown.err
    assert f"sync-workers conflicts {scene.task}" in shown.err
    assert scene.notes(ids)[side] == "edited since"
    assert scene.state().decisions == {}
    assert "edited since" in scene.command("conflicts").out


def test_other_fields_that_wait_do_not_make_it_a_failure(scene: Scene) -> None:
    first, second = scene.waiting(), scene.waiting("Milk")
    shown = scene.resolve(first.notion, "--use", "notion")
    assert shown.code == 0, shown.err
    assert scene.notes(first) == Pair("spelt", "spelt")
    assert scene.notes(second) == VALUES
    assert scene.state().held.keys() == {second.notion}


@pytest.mark.parametrize("args", [(), ("--use", "notion", "--value", "x")])
def test_what_is_to_stand_has_to_be_said_once(scene: Scene, args: tuple[str, ...]) -> None:
    ids = scene.waiting()
    shown = scene.resolve(ids.notion, *args)
    assert shown.code == 1
    assert "--use notion, --use other or --use VALUE" in shown.err


def test_wrong_names_are_answered_with_the_nearest(scene: Scene) -> None:
    shown = scene.resolve("anything", "--use", "notion")
    assert shown.err == f"task {scene.task}: no field waits for a decision\n"
    ids = scene.waiting()
    shown = scene.resolve(ids.notion[:-1] + "7", "--use", "notion")
    assert shown.code == 1
    assert f"did you mean '{ids.notion}'?" in shown.err
    shown = scene.resolve(ids.notion, "--use", "notion", field="nots")
    assert shown.code == 1
    assert "did you mean 'note'?" in shown.err


def test_names_are_found_as_people_write_them(scene: Scene) -> None:
    ids = scene.waiting()
    as_written = ids.notion.replace("-", "").upper()
    assert scene.resolve(f" {as_written}", "--use", "Notion", field="NOTE").code == 0
    assert scene.notes(ids) == Pair("spelt", "spelt")


@BOTH
def test_an_id_that_both_sides_have_needs_its_side(scene: Scene, side: Side) -> None:
    first, second = scene.waiting(), scene.waiting("Milk")
    # When: both sides count their records, as tables do.
    state = scene.state()
    held = {"1": state.held[first.notion], "2": state.held[second.notion]}
    held["1"]["note"].other_id, held["2"]["note"].other_id = "2", "1"
    scene.store(held)
    shown = scene.resolve("1", "--use", "notion", "--later")
    assert shown.code == 1
    assert "write notion:1 or other:1" in shown.err
    assert scene.resolve(f"{side}:1", "--use", "notion", "--later").code == 0
    remarks = load_remarks(scene.client, scene.task)
    assert remarks is not None
    assert remarks.decisions.keys() == {"1" if side is Side.NOTION else "2"}


def test_an_id_as_it_is_comes_before_one_that_is_written_likewise(scene: Scene) -> None:
    first, second = scene.waiting(), scene.waiting("Milk")
    state = scene.state()
    held = {"a-b": state.held[first.notion], "AB": state.held[second.notion]}
    scene.store(held)
    for record_id in held:
        assert scene.resolve(record_id, "--use", "notion", "--later").code == 0
    remarks = load_remarks(scene.client, scene.task)
    assert remarks is not None
    assert remarks.decisions.keys() == held.keys()


def test_two_people_at_once_decide_both_fields(scene: Scene) -> None:
    """Each decision is stored by itself, so that none writes over the other's."""
    ids = scene.waiting()
    decision = Decision(use=Side.NOTION, seen={}, at=datetime.now(UTC))
    put_decision(scene.client, scene.task, (ids.notion, "title"), decision)
    scene.resolve(ids.notion, "--use", "other", "--later")
    assert scene.state().decisions[ids.notion].keys() == {"title", "note"}


def test_a_tie_is_said(scene: Scene) -> None:
    path = Path("sync.toml")
    path.write_text(path.read_text().replace('"error"', '"newer"'))
    one = scene.sides.notion.add(title="Bread", note="rye")
    scene.command("run", scene.task)
    (other,) = scene.sides.other.records
    for side, record_id in ((Side.NOTION, one.id), (Side.OTHER, other)):
        scene.sides[side].clock = lambda: datetime(2026, 5, 1, tzinfo=UTC)
        scene.sides[side].edit(record_id, note=VALUES[side])
    shown = scene.command("run", scene.task)
    assert f"conflict on note of {one.id}: other won by the tie rule" in shown.out
    assert "1 tie(s)" in scene.command("status").out
