"""In which order a worker takes messages: pure, over a real Redis, and by a real worker."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kombu import Connection

from sync_workers.redis.connect import Client, connect
from sync_workers.redis.keys import Keys, queue_key
from sync_workers.redis.queues import SENT, Waiting, bound_queues, waiting
from sync_workers.redis.runs_store import RunsStore
from sync_workers.report import Trigger
from sync_workers.sandbox.embedded import EmbeddedRedis
from sync_workers.settings import Settings
from sync_workers.worker.queues import MOST_URGENT, PHASES, Turns, followed, queue, queue_name, queues
from sync_workers.worker.settings import celery_settings
from tests.conftest import wait_until
from tests.worker.deployment import Deployment, deployed
from tests.worker.slow_task import SlowTask

NAMES = [each.name for each in queues(["acme", "zeta"])]
URGENT = [name for name in NAMES if ".urgent" in name]


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path) as deployment:
        yield deployment


@pytest.fixture
def broker() -> Iterator[tuple[Connection, Client]]:
    """A Redis of its own, as kombu and as we see it."""
    with EmbeddedRedis() as redis, closing(connect(redis.url)) as client:
        options = celery_settings(Settings(redis_url=redis.url))["broker_transport_options"]
        with Connection(redis.url, transport_options=options) as connection:
            yield connection, client


def test_a_run_has_its_class_and_tenant_in_the_names_of_its_queues() -> None:
    assert queue_name("sync.get", Trigger.BEAT) == "sync.get"
    assert queue_name("sync.apply", Trigger.RETRY, "acme") == "sync.apply@acme"
    for trigger in set(Trigger) - {Trigger.BEAT, Trigger.RETRY}:
        assert queue_name("sync.diff", trigger, "acme") == "sync.diff.urgent@acme"
    made = {
        queue_name(phase, trigger, tenant)
        for phase in PHASES
        for trigger in Trigger
        for tenant in ("", "acme", "zeta")
    }
    assert made == set(NAMES)


def test_a_phase_stands_for_all_its_queues_also_those_of_a_tenant_that_nobody_names_any_more() -> None:
    bound = ["sync.get@gone", "sync.apply@gone", "celeryev.1", "other"]

    all_of_get = [each.name for each in followed(["sync.get"], ["acme"], bound)]
    exact = [each.name for each in followed(["sync.get.urgent", "sync.diff"], [], [])]

    assert all_of_get == [
        "sync.get",
        "sync.get.urgent",
        "sync.get.urgent@acme",
        "sync.get@acme",
        "sync.get@gone",
    ]
    assert exact == ["sync.diff", "sync.diff.urgent", "sync.get.urgent"]


# --- turns ---


def taken(turns: Turns, waits: Counter[str], number: int) -> list[str]:
    """The queues of the next messages, as Redis would give them."""
    found = []
    for _ in range(number):
        name = next((each for each in turns.consume(len(NAMES)) if waits[each]), None)
        if name is None:
            break
        waits[name] -= 1
        found.append(turns.rotate(name))
    return found


def full() -> Turns:
    turns = Turns()
    turns.update(NAMES)
    return turns


def test_what_is_urgent_comes_first_but_lets_a_plain_message_go_after_nine() -> None:
    waits = Counter({"sync.get": 5, "sync.get.urgent": 50})

    order = taken(full(), waits, 21)

    assert order[: MOST_URGENT + 2] == ["sync.get.urgent"] * MOST_URGENT + ["sync.get", "sync.get.urgent"]
    assert Counter(order)["sync.get"] == 2


def test_a_task_in_slices_takes_turns_with_the_first_phases_of_others() -> None:
    waits = Counter({"sync.apply": 1000, "sync.get": 3})

    assert taken(full(), waits, 6).count("sync.get") == 3


def test_a_tenant_with_a_thousand_messages_takes_turns_with_one_that_has_one() -> None:
    waits = Counter({"sync.get@acme": 1000, "sync.get@zeta": 1})
    turns = full()
    turns.rotate("sync.get@zeta")

    assert "sync.get@zeta" in taken(turns, waits, 2)


@given(
    st.dictionaries(st.sampled_from(NAMES), st.integers(1, 300), min_size=1), st.lists(st.sampled_from(NAMES))
)
def test_no_queue_waits_for_ever(waits: dict[str, int], before: list[str]) -> None:
    turns = full()
    for name in before:
        turns.rotate(name)
    plain = len(NAMES) - len(URGENT)
    longest = (MOST_URGENT + 1) * plain

    order = taken(turns, Counter(waits), longest)

    for name in waits:
        assert name in order or len(order) == longest
        if name not in order:
            pytest.fail(f"{name} was not asked in {longest} turns: {Counter(order)}")


def test_queues_that_are_added_or_dropped_leave_the_others_in_their_places() -> None:
    turns = Turns()
    turns.update({"sync.get", "sync.diff"})
    turns.rotate("sync.diff")
    turns.rotate("sync.get")

    turns.update({"sync.get", "sync.diff", "sync.apply"})
    assert turns.consume(3) == ["sync.diff", "sync.get", "sync.apply"]
    turns.update({"sync.apply", "sync.get"})
    assert turns.consume(3) == ["sync.get", "sync.apply"]
    assert turns.rotate("sync.unknown") == "sync.unknown"


def test_kombu_takes_messages_from_redis_in_that_order(broker: tuple[Connection, Client]) -> None:
    connection, client = broker
    with connection.Producer() as producer:
        for number in range(12):
            for name in ("sync.get", "sync.get.urgent", "sync.apply@acme"):
                producer.publish({"number": number}, routing_key=name, declare=[queue(name)], exchange="sync")
    assert waiting(client, ["sync.get", "sync.diff"]) == {"sync.get": Waiting(12), "sync.diff": Waiting()}
    assert bound_queues(client) == ["sync.apply@acme", "sync.get", "sync.get.urgent"]
    order: list[str] = []

    def note(_body: object, message: object) -> None:
        order.append(message.delivery_info["routing_key"])  # type: ignore[attr-defined]
        message.ack()  # type: ignore[attr-defined]

    # The worker's own way: one channel that asks all its queues by one command.
    with connection.Consumer(
        [queue(name) for name in bound_queues(client)], callbacks=[note], prefetch_count=1
    ):
        while len(order) < 24:
            connection.drain_events(timeout=10)

    assert order[:10] == ["sync.get.urgent"] * MOST_URGENT + [order[9]]
    assert {order[9]} < {"sync.get", "sync.apply@acme"}
    left = order[13:]  # no urgent ones any more
    assert all(one != another for one, another in pairwise(left))


# --- what waits, seen from the outside ---


def test_the_oldest_message_tells_how_long_a_queue_waits(redis_client: Client, task_name: str) -> None:
    name = f"sync.get@{task_name}"
    now = int(redis_client.ask("TIME")[0])
    for age in (90, 30, -5):
        redis_client.ask("LPUSH", queue_key(name), json.dumps({"headers": {SENT: now - age}}))

    found = waiting(redis_client, [name])[name]
    assert found.length == 3
    assert found.oldest is not None
    assert timedelta(seconds=89) < found.oldest < timedelta(seconds=100)
    for _ in range(2):
        redis_client.ask("RPOP", queue_key(name))
    assert waiting(redis_client, [name])[name] == Waiting(1, timedelta(0))  # a clock that is ahead
    redis_client.ask("RPUSH", queue_key(name), b"not one of ours")
    assert waiting(redis_client, [name])[name] == Waiting(2, None)
    redis_client.ask("DEL", queue_key(name))


# --- real workers ---


TICKS = """
from sync_workers.report import Trigger
from sync_workers.worker.delivery import Delivery
from sync_workers.worker.tasks import run_chain
for number in range(50):
    run_chain(Delivery("todo", f"tick-{number}", Trigger.BEAT)).apply_async()
run_chain(Delivery("todo", "of-a-tenant", Trigger.BEAT, tenant="gone")).apply_async()
"""


def test_a_request_begins_before_ticks_that_came_first_and_no_tenant_is_left_out(here: Deployment) -> None:
    here.program(TICKS)
    asked = here.enqueue()
    ticks = waiting(here.client, ["sync.get"])["sync.get"]
    assert ticks.length == 50
    assert ticks.oldest is not None
    assert ticks.oldest > timedelta(0)

    here.worker()
    gone = "sync.get@gone"
    wait_until(lambda: not waiting(here.client, [gone])[gone].length, "a tenant nobody names is served")
    here.report(asked)

    assert here.client.ask("ZRANGE", Keys("todo").runs, 0, 0) == [asked.encode()]
    assert waiting(here.client, ["sync.get"])["sync.get"].length > 0, "all ticks came before the tenant"


URGENT_GET = queue_name(PHASES[0], Trigger.AD_HOC, "")

SMALL = """
from tests.worker.json_task import JsonTask
JsonTask("small", Path(__file__).parent / "small").schedule()
"""
ASK_SMALL = "import json, sync_workers; print(json.dumps(sync_workers.enqueue('small', wait=60)))"


def test_a_small_task_waits_for_a_slice_of_a_large_one_and_not_for_its_end(tmp_path: Path) -> None:
    with deployed(tmp_path, kind=SlowTask) as here:
        with (tmp_path / "my_tasks.py").open("a") as module:
            module.write(SMALL)
        (tmp_path / "small").mkdir()
        here.environment["SYNC_WORKERS_APPLY_SLICE"] = "1s"
        for number in range(60):  # several slices
            here.task.put("notion", Name=f"n{number}", Done=False)
        here.worker()  # with one slot
        large = here.enqueue()
        wait_until(lambda: here.task.shown("other"), "the large one writes", 30)

        small = json.loads(here.program(ASK_SMALL))

        assert small["outcome"] == "done"
        assert here.runs.report(large) is None, "it came before the end of the large one"
        assert here.report(large)["counts"] == {"other.create": 60}


MANY = """
from tests.worker.json_task import JsonTask
for number in range(4):
    (folder := Path(__file__).parent / f"quick{number}").mkdir(exist_ok=True)
    JsonTask(f"quick{number}", folder).schedule()
"""
ASK_MANY = "import sync_workers; [sync_workers.enqueue(f'quick{number}') for number in range(4)]"


def test_a_busy_worker_holds_nothing_that_an_idle_one_could_take(here: Deployment) -> None:
    # Given: the only worker has one slot, and its service takes its time.
    with (here.folder / "my_tasks.py").open("a") as module:
        module.write(MANY)
    slow = here.task.hold("list-other")
    busy = here.worker()
    long = here.enqueue()
    here.wait_for("list-other")

    # When: more comes, then all of it waits in the queue ...
    here.program(ASK_MANY)
    received = here.log(busy).count("received")
    wait_until(lambda: waiting(here.client, [URGENT_GET])[URGENT_GET].length == 4, "it waits")

    # Then: a worker that is idle takes it, and does all of it before the busy one is through.
    here.worker()
    quick = [RunsStore(here.client, f"quick{number}") for number in range(4)]
    wait_until(lambda: all(store.counters().get("done") for store in quick), here.logs, 30)
    assert here.runs.report(long) is None
    assert here.log(busy).count("received") == received
    slow.unlink()
    assert here.report(long)["outcome"] == "done"
