"""`run_here` and `plan_of`: one run of a `SyncTask` in this process, on a real Redis."""

from __future__ import annotations

from typing import Any

import pytest

from sync_workers import ID, ConflictError, GuardError, State
from sync_workers.errors import LeaseLostError
from sync_workers.local import plan_of, run_here
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import Keys
from sync_workers.redis.lease import Lease
from sync_workers.redis.state_store import load
from sync_workers.report import Outcome, Trigger
from tests.task_as_original import AsOriginal
from tests.task_worlds import Objects, Todo, World, world


@pytest.fixture(params=Objects)
def here(request: pytest.FixtureRequest) -> World:
    made = world(request.param, request.param)
    for title in ("a", "b"):
        made.notion.add(Title=title, Done=False, Note="")
        made.other.add(title=title, done=False, note="")
    return made


def stored(client: Client, name: str) -> State:
    state = load(client, name)
    assert state is not None
    return state


def run(here: World, name: str, client: Client, kind: type[Todo] = Todo, **options: Any) -> Any:
    task = kind(here.notion, here.other, options.pop("mode", "newer"), name)
    return run_here(task, client, **options)


def assert_quiet(here: World, name: str, client: Client, kind: type[Todo] = Todo) -> None:
    here.forget()
    before = stored(client, name)
    report = run(here, name, client, kind)
    assert here.writes() == {"notion": {}, "other": {}}
    assert report.planned == 0
    before.trails = {}  # a quiet run forgets what the one before it wrote
    assert stored(client, name) == before


def test_what_is_stored_is_what_sync_would_return(here: World, redis_client: Client, task_name: str) -> None:
    run(here, task_name, redis_client)
    here.notion.edit("n1", Note="edited")
    here.other.remove("o2")
    here.other.add(title="c", done=True, note="")
    expected = Todo(here.notion, here.other).sync(stored(redis_client, task_name))
    here.other.things["o1"].values["note"] = ""

    run(here, task_name, redis_client)

    assert here.sides_agree()
    assert stored(redis_client, task_name).ids == expected.ids
    assert_quiet(here, task_name, redis_client)


def test_a_copied_body_of_the_original_is_stored_too(
    here: World, redis_client: Client, task_name: str
) -> None:
    here.notion.add(Title="c", Done=False, Note="")
    run(here, task_name, redis_client, AsOriginal)
    here.notion.edit("n1", Note="edited")
    run(here, task_name, redis_client, AsOriginal)

    assert here.sides_agree()
    assert stored(redis_client, task_name).objs["n1"]["Note"] == "edited"
    assert len(stored(redis_client, task_name).other_objs) == 3
    assert_quiet(here, task_name, redis_client, AsOriginal)


def test_what_a_step_does_to_the_state_is_stored(here: World, redis_client: Client, task_name: str) -> None:
    class Forgets(Todo):
        def sync_notion_deleted(
            self, state: State, notion_objs: dict[ID, Any], _other_objs: dict[ID, Any]
        ) -> State:
            for notion_id in set(state.ids) - set(notion_objs):
                del state.ids[notion_id]
            return state

    run(here, task_name, redis_client, Forgets)
    here.notion.remove("n1")
    run(here, task_name, redis_client, Forgets)

    assert stored(redis_client, task_name).ids == {"n2": "o2"}
    assert here.writes() == {"notion": {}, "other": {}}


def test_an_overridden_sync_is_used_by_runs(here: World, redis_client: Client, task_name: str) -> None:
    seen: list[State | None] = []

    class Wraps(Todo):
        def sync(self, state: State | None) -> State:
            seen.append(state)
            result = super().sync(state)
            assert result.ids
            return result

    run(here, task_name, redis_client, Wraps)
    run(here, task_name, redis_client, Wraps)

    assert seen[0] is None
    assert seen[1] is not None
    assert seen[1].ids == {"n1": "o1", "n2": "o2"}


def test_what_was_done_before_a_step_raised_is_stored(
    here: World, redis_client: Client, task_name: str
) -> None:
    class Raises(Todo):
        def sync_notion_created(self, state: State, notion_objs: dict[ID, Any]) -> State:
            super().sync_notion_created(state, notion_objs)
            state.ids["mine"] = "own"
            raise ZeroDivisionError

    here.notion.add(Title="c", Done=False, Note="")
    with pytest.raises(ZeroDivisionError):
        run(here, task_name, redis_client, Raises)

    assert stored(redis_client, task_name).ids == {"n1": "o1", "n2": "o2", "n3": "o3", "mine": "own"}


def test_a_refused_run_changes_and_stores_nothing(here: World, redis_client: Client, task_name: str) -> None:
    run(here, task_name, redis_client)
    before = stored(redis_client, task_name)
    here.other.things.clear()

    with pytest.raises(GuardError):
        run(here, task_name, redis_client)

    assert here.writes() == {"notion": {}, "other": {}}
    assert stored(redis_client, task_name) == before
    plan, report, reasons = plan_of(Todo(here.notion, here.other, name=task_name), redis_client)
    assert plan.counts() == {"notion.delete": 2}
    assert report.planned == 2
    assert len(reasons) == 1
    assert run(here, task_name, redis_client, accept_guards=True).outcome is Outcome.DONE
    assert not here.notion.things


def test_held_conflicts_are_raised_after_the_rest_is_stored(
    here: World, redis_client: Client, task_name: str
) -> None:
    run(here, task_name, redis_client)
    here.notion.edit("n1", Note="notion's")
    here.other.edit("o1", note="other's")
    here.notion.edit("n2", Note="flows")

    with pytest.raises(ConflictError) as raised:
        run(here, task_name, redis_client, mode="error")

    assert raised.value.state == stored(redis_client, task_name)
    assert stored(redis_client, task_name).objs["n2"]["Note"] == "flows"
    assert here.other.rows("note") == [("flows",), ("other's",)]


def test_a_lost_reply_is_remembered_by_the_next_process(
    here: World, redis_client: Client, task_name: str
) -> None:
    here.notion.add(Title="c", Done=False, Note="")
    here.other.lost = 1
    run(here, task_name, redis_client)
    run(here, task_name, redis_client)

    assert here.other.counts() == {"create": 1}
    assert_quiet(here, task_name, redis_client)


def test_a_run_whose_lease_has_gone_writes_nothing_more(
    here: World, redis_client: Client, task_name: str
) -> None:
    class LosesLease(Todo):
        def other_create_obj(self, **kwargs: Any) -> Any:
            redis_client.ask("DEL", Keys(task_name).lease)
            Lease(redis_client, task_name, "another").take(Trigger.BEAT, first=True)
            return super().other_create_obj(**kwargs)

    for title in ("c", "d"):
        here.notion.add(Title=title, Done=False, Note="")

    with pytest.raises(LeaseLostError):
        run(here, task_name, redis_client, LosesLease)

    assert here.other.counts() == {"create": 1}
    assert set(stored(redis_client, task_name).ids) == {"n1", "n2"}
    assert set(stored(redis_client, task_name).pending["other"]) == {"n3"}  # type: ignore[index] # a StrEnum


def test_a_lease_that_is_known_to_be_lost_stops_the_run_before_its_next_write(
    redis_client: Client, task_name: str
) -> None:
    lease = Lease(redis_client, task_name, "mine")
    lease.take(Trigger.LOCAL, first=True)
    lease.check()
    redis_client.ask("DEL", Keys(task_name).lease)
    with pytest.raises(LeaseLostError):
        lease.renew()

    with pytest.raises(LeaseLostError):
        lease.check()
