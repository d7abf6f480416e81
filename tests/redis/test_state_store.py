from __future__ import annotations

import string
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync_workers.errors import LeaseLostError, OtherVersionError, StateError
from sync_workers.model import Side
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import Keys
from sync_workers.redis.lease import Lease, Taken
from sync_workers.redis.runs_store import new_run_id
from sync_workers.redis.state_store import RedisStore, load, load_setup
from sync_workers.report import Trigger
from sync_workers.runs.store import Store
from sync_workers.state import Change, Pending, State
from sync_workers.values import DateRange
from tests.conftest import wait_until
from tests.contracts.store_contract import LINK, StoreContract, settled


def take(client: Client, task: str, run: str, *, first: bool = True) -> RedisStore:
    taking = Lease(client, task, run).take(Trigger.LOCAL, first=first)
    assert isinstance(taking, Taken)
    return RedisStore(client, task, run, taking.fence)


class TestRedisStore(StoreContract):
    @pytest.fixture
    def open_store(self, redis_client: Client, task_name: str) -> Callable[[], Store]:
        run = new_run_id()
        return lambda: take(redis_client, task_name, run)


def test_an_older_attempt_of_the_same_run_stores_nothing(redis_client: Client, task_name: str) -> None:
    run = new_run_id()
    older, newer = (take(redis_client, task_name, run) for _ in range(2))

    with pytest.raises(LeaseLostError):
        older.commit(0, LINK)
    with pytest.raises(LeaseLostError):
        older.begin(0, LINK)
    with pytest.raises(LeaseLostError):
        older.replace(State())
    with pytest.raises(LeaseLostError):
        older.drop()

    assert newer.load() is None
    assert newer.done() == frozenset()


def test_a_run_whose_lease_ended_stores_nothing(redis_client: Client, task_name: str) -> None:
    run = new_run_id()
    lease = Lease(redis_client, task_name, run, working=timedelta(milliseconds=30))
    taking = lease.take(Trigger.LOCAL, first=True)
    assert isinstance(taking, Taken)
    store = RedisStore(redis_client, task_name, run, taking.fence)
    wait_until(lambda: redis_client.ask("EXISTS", Keys(task_name).lease) == 0, "the lease ends")

    with pytest.raises(LeaseLostError, match=task_name):
        store.commit(None, LINK)
    assert store.load() is None


def test_an_intent_whose_answer_was_lost_on_the_way_is_no_earlier_attempt(
    redis_client: Client, task_name: str
) -> None:
    # redis-py sends a command again when the connection broke: the very same script call
    run = new_run_id()
    store = take(redis_client, task_name, run)
    sent: list[Any] = []

    class Twice(Client):
        def run(self, script: str, keys: Any, args: Any) -> Any:
            sent.append(redis_client.run(script, keys, args))
            return redis_client.run(script, keys, args)

    twice = RedisStore(Twice(None, "nowhere"), task_name, run, int(store._owner.rpartition(":")[2]))
    assert twice.begin(0, Change())
    assert sent == [b"stored"]


def test_a_newer_version_is_refused_with_the_remedy(redis_client: Client, task_name: str) -> None:
    store = take(redis_client, task_name, new_run_id())
    assert store.setup() == {}
    store.commit(None, LINK)
    assert store.setup() == {}
    redis_client.ask("HSET", Keys(task_name).meta, "version", "99")

    for use in (store.load, store.setup, lambda: load(redis_client, task_name)):
        with pytest.raises(OtherVersionError, match=r"version 99 .*\(only 1\): upgrade"):
            use()
    with pytest.raises(OtherVersionError, match="upgrade"):
        store.commit(None, Change(links={"n1": None}))
    assert load_setup(redis_client, task_name) == {}
    assert redis_client.ask("HLEN", Keys(task_name).part("links")) == 1


@pytest.mark.parametrize("version", ["0", "x", "-1", ""])
def test_a_version_that_never_was_is_no_newer_one(redis_client: Client, task_name: str, version: str) -> None:
    store = take(redis_client, task_name, new_run_id())
    store.commit(None, LINK)
    redis_client.ask("HSET", Keys(task_name).meta, "version", version)

    with pytest.raises(StateError, match="import a backup") as caught:
        store.load()
    assert not isinstance(caught.value, OtherVersionError)
    assert redis_client.ask("HLEN", Keys(task_name).part("links")) == 1


@pytest.mark.parametrize("body", [b"nonsense", b'["o1"]', b'["o1", {"a": {"$later": "secret"}}, {}]', b"7"])
def test_a_damaged_state_is_one_line_with_the_remedy_and_no_values(
    redis_client: Client, task_name: str, body: bytes
) -> None:
    store = take(redis_client, task_name, new_run_id())
    store.commit(None, LINK)
    redis_client.ask("HSET", Keys(task_name).part("links"), "n1", body)

    with pytest.raises(StateError, match="restore a backup") as caught:
        store.load()
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_whole_state_takes_the_place_of_another_and_is_dropped(
    redis_client: Client, task_name: str
) -> None:
    store = take(redis_client, task_name, new_run_id())
    store.commit(None, LINK)
    store.commit(None, Change(unlinked={(Side.OTHER, "o9"): True}))
    state = State(
        ids={"n2": "o2"}, objs={"n2": {"A": 1}}, other_objs={"o2": {"a": 1}}, setup={"container": "x"}
    )

    store.replace(state)
    assert load(redis_client, task_name) == state
    assert [redis_client.ask("TTL", key) for key in Keys(task_name).state()] == [-1, -1] + [-2] * 8

    store.drop()
    assert load(redis_client, task_name) is None


def test_a_large_state_comes_back_whole(redis_client: Client, task_name: str) -> None:
    numbers = range(5000)
    state = State(
        ids={f"n{n}": f"o{n}" for n in numbers},
        objs={f"n{n}": {"Name": f"name {n}"} for n in numbers},
        other_objs={f"o{n}": {"summary": f"name {n}"} for n in numbers},
    )
    store = take(redis_client, task_name, new_run_id())
    store.replace(state)
    assert store.load() == state


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.text(alphabet=st.characters(categories=["Cs"]), max_size=3)
    | st.dates()
    | st.datetimes(timezones=st.timezones() | st.none(), allow_imaginary=False)
    | st.times()
    | st.timedeltas(min_value=timedelta(days=-999), max_value=timedelta(days=999))
    | st.decimals(allow_nan=False)
    | st.uuids()
    | st.binary(max_size=20)
    | st.builds(DateRange, st.dates(), st.dates())
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=5) | st.just("$date"), inner, max_size=3)
    ),
    max_leaves=6,
)
fields = st.dictionaries(st.text(min_size=1, max_size=8), values, max_size=3)
ids = st.text(alphabet=string.ascii_letters + ":é{}", min_size=1, max_size=8)


@st.composite
def states(draw: st.DrawFn) -> State:
    pairs = list(
        zip(
            draw(st.lists(ids, unique=True, max_size=4)),
            draw(st.lists(ids, unique=True, min_size=4, max_size=4)),
            strict=False,
        )
    )
    # past the validators, which read the JSON form; the same for the bases below
    begun = st.builds(Pending.model_construct, source=fields, sent=fields, key=st.none() | st.text())
    return State(
        ids=dict(pairs),
        objs={},
        unlinked=draw(st.dictionaries(st.sampled_from(Side), st.sets(ids, max_size=2))),
        setup=draw(st.dictionaries(st.text(), st.text(), max_size=2)),
    ).model_copy(
        update={
            "pending": draw(st.dictionaries(st.sampled_from(Side), st.dictionaries(ids, begun, max_size=2))),
            "objs": {notion_id: draw(fields) for notion_id, _ in pairs},
            "other_objs": {other_id: draw(fields) for _, other_id in pairs},
        }
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(states())
def test_any_state_comes_back_as_it_was(redis_client: Client, task_name: str, state: State) -> None:
    store = take(redis_client, task_name, "the-run")
    store.replace(state)
    assert store.load() == settled(state)

    # ... and link by link as well
    store.drop()
    for notion_id, other_id in state.links():
        store.commit(
            None, Change(links={notion_id: (other_id, state.objs[notion_id], state.other_objs[other_id])})
        )
    loaded = store.load() or State()
    assert (loaded.ids, loaded.objs, loaded.other_objs) == (state.ids, state.objs, state.other_objs)
