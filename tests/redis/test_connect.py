from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from redis.crc import key_slot

from sync_workers.errors import RedisUnreachableError, SettingsError, StateError
from sync_workers.model import Side
from sync_workers.redis import scripts
from sync_workers.redis.alerts import Incident, delivered, incidents, lead, note, take
from sync_workers.redis.beat import claim_tick
from sync_workers.redis.connect import Client, check, connect, place, warnings
from sync_workers.redis.keys import BudgetKeys, Keys
from sync_workers.redis.lease import Lease, Paused, Taken
from sync_workers.redis.runs_store import RunsStore
from sync_workers.redis.state_store import RedisStore
from sync_workers.redis.totals import totals_of
from sync_workers.report import Report, Trigger
from sync_workers.sandbox.embedded import EmbeddedRedis, _binary, _free_port
from sync_workers.state import Change, State
from tests.conftest import wait_until
from tests.contracts.store_contract import LINK


@pytest.fixture
def server() -> Iterator[EmbeddedRedis]:
    with EmbeddedRedis() as server:
        yield server


def run_once(client: Client, task: str = "tasks") -> State | None:
    """Everything that a run sends to Redis."""
    lease, runs = Lease(client, task, "one", connections=("work", "calendar")), RunsStore(client, task)
    taking = lease.take(Trigger.BEAT, first=True, total=9)
    assert isinstance(taking, Taken)
    Lease(client, task, "two").take(Trigger.AD_HOC, first=True)
    Lease(client, task, "three").take(Trigger.AD_HOC, first=True, full=True)
    store = RedisStore(client, task, "one", taking.fence)
    assert claim_tick(client, task, "beat", lease._working, 1.0)
    with lease:
        runs.put("one", taking.fence, "snapshot", b"listing")
        runs.put_mirror("one", taking.fence, Side.OTHER, b"listing")
        store.replace(State())
        assert store.begin(0, LINK)
        store.commit(0, LINK)
        assert store.done() == {0}
        lease.leave()
        assert lease.end(Report(task, "one").summary(), blocked="no access") is not None
    assert isinstance(Lease(client, task, "four").take(Trigger.BEAT, first=True), Paused)
    runs.turn_away("four", Report(task, "four").summary())
    assert isinstance(Lease(client, task, "two").take(Trigger.AD_HOC, first=True), Taken)
    assert runs.report("one")
    assert runs.recent()
    assert runs.counters()
    assert runs.lease()
    runs.drop_mirrors()
    return store.load()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://user:hunter2@example.test:6380/1", "example.test:6380"),
        ("rediss://:hunter2@example.test:6380", "example.test:6380"),
        ("sentinel://:hunter2@a:1,b:2/0?master=m", "a:1,b:2"),
        ("unix:///run/redis.sock", "/run/redis.sock"),
    ],
)
def test_a_place_is_shown_without_credentials(url: str, shown: str) -> None:
    assert place(url) == shown
    assert connect(url).place == shown


@pytest.mark.parametrize(
    "url", ["", "localhost", "http://localhost", "redis://localhost:port", "sentinel://a:x/0"]
)
def test_a_url_that_nobody_understands_says_which_ones_there_are(url: str) -> None:
    with pytest.raises(SettingsError, match=r"redis://host:port/0"):
        connect(url)


@pytest.mark.parametrize("scheme", ["redis", "redis+cluster", "sentinel"])
def test_an_unreachable_redis_is_one_line_with_the_remedy_and_no_password(scheme: str) -> None:
    port = _free_port()
    with pytest.raises(RedisUnreachableError) as caught:
        check(connect(f"{scheme}://:hunter2@127.0.0.1:{port}"))
    message = str(caught.value)
    assert f"127.0.0.1:{port}" in message
    assert "SYNC_WORKERS_REDIS_URL" in message
    assert "hunter2" not in message
    assert "\n" not in message


def test_wrong_credentials_are_told_apart_from_an_unreachable_redis() -> None:
    with EmbeddedRedis("--requirepass", "right") as server:
        for url in (server.url, server.url.replace("//", "//:hunter2@")):
            with pytest.raises(StateError, match="credentials") as caught:
                check(connect(url))
            assert not isinstance(caught.value, RedisUnreachableError)
            assert "hunter2" not in str(caught.value)
        check(connect(server.url.replace("//", "//:right@")))


def test_a_good_redis_is_no_reason_for_a_warning(server: EmbeddedRedis) -> None:
    assert warnings(connect(server.url)) == []


def test_a_redis_that_would_lose_data_is_named_with_the_remedy(server: EmbeddedRedis) -> None:
    client = connect(server.url)
    client.ask("CONFIG SET", "maxmemory-policy", "allkeys-lru")
    client.ask("CONFIG SET", "appendonly", "no")

    both = warnings(client)
    assert len(both) == 2
    assert "allkeys-lru" in both[0]
    assert "CONFIG SET maxmemory-policy noeviction" in both[0]
    assert "CONFIG SET appendonly yes" in both[1]
    assert all("\n" not in line for line in both)

    # a managed Redis forbids CONFIG; INFO tells the same
    client.ask("ACL SETUSER", "default", "-config")
    assert warnings(client) == both

    # ... or not even that: then nobody knows, and nothing is said
    client.ask("ACL SETUSER", "default", "-info")
    assert warnings(client) == []


def test_a_full_redis_says_so_and_keeps_what_it_has(server: EmbeddedRedis) -> None:
    client = connect(server.url)
    lease = Lease(client, "tasks", "one")
    taking = lease.take(Trigger.BEAT, first=True)
    assert isinstance(taking, Taken)
    store = RedisStore(client, "tasks", "one", taking.fence)
    store.commit(0, LINK)

    client.ask("CONFIG SET", "maxmemory", "1")
    with pytest.raises(StateError, match="full"):
        store.commit(1, Change(links={"n1": None}, setup={"container": "x"}))
    with pytest.raises(StateError, match="full"):
        RunsStore(client, "tasks").put("one", taking.fence, "plan", b"plan")
    assert lease.end(Report("tasks", "one").summary()) is None, "a run can end, which makes room"

    client.ask("CONFIG SET", "maxmemory", "0")
    state = store.load()
    assert state is not None
    assert state.ids == {"n1": "o1"}
    assert state.setup == {}


def test_a_replica_is_no_place_to_write(server: EmbeddedRedis) -> None:
    with EmbeddedRedis("--replicaof", "127.0.0.1", str(server.port)) as replica:
        lease = Lease(connect(replica.url), "tasks", "one")
        with pytest.raises(StateError, match="primary"):
            lease.take(Trigger.BEAT, first=True)


def test_a_crash_of_redis_loses_no_acknowledged_step(server: EmbeddedRedis) -> None:
    client = connect(server.url)
    lease = Lease(client, "tasks", "one")
    taking = lease.take(Trigger.BEAT, first=True)
    assert isinstance(taking, Taken)
    store = RedisStore(client, "tasks", "one", taking.fence)
    store.begin(0, LINK)
    client.ask("CONFIG SET", "appendfsync", "always")
    store.commit(0, LINK)
    store.begin(1, LINK)

    server.kill()
    with pytest.raises(RedisUnreachableError):
        store.load()
    server.restart()

    state = store.load()
    assert state is not None
    assert state.ids == {"n1": "o1"}
    assert store.done() == {0}
    assert not RedisStore(client, "tasks", "one", taking.fence).begin(1, LINK), "begun and never ended"
    lease.renew()


def test_scripts_are_loaded_again_where_redis_forgot_them(server: EmbeddedRedis) -> None:
    client = connect(server.url)
    run_once(client)
    client.ask("SCRIPT FLUSH")
    assert isinstance(Lease(client, "tasks", "two").take(Trigger.AD_HOC, first=True), Taken)


def test_what_is_asked_of_many_tasks_takes_few_round_trips(server: EmbeddedRedis) -> None:
    client = connect(server.url)
    run_once(client)
    tasks = [*(f"t{number}" for number in range(998)), "tasks", "last"]
    totals_of(client, tasks)
    client.ask("SCRIPT FLUSH")
    before = client.ask("INFO", "stats")["total_reads_processed"]

    found = totals_of(client, tasks)

    assert client.ask("INFO", "stats")["total_reads_processed"] - before < 100
    assert list(found) == tasks
    assert [name for name, totals in found.items() if totals.links] == ["tasks"]
    server.kill()
    with pytest.raises(RedisUnreachableError):
        totals_of(client, tasks)


def test_a_whole_run_works_on_a_cluster() -> None:
    # it refuses scripts whose keys lie in several slots, and those that touch undeclared ones
    with EmbeddedRedis("--cluster-enabled", "yes", "--cluster-port", str(_free_port())) as server:
        node = connect(server.url)
        node.ask("CLUSTER ADDSLOTSRANGE", 0, 16383)
        wait_until(lambda: node.ask("CLUSTER INFO")["cluster_state"] == "ok", "the cluster is ready")
        client = connect(server.url.replace("redis://", "redis+cluster://").removesuffix("/0"))
        state = run_once(client)
        assert state is not None
        assert state.ids == {"n1": "o1"}
        assert [found.links for found in totals_of(client, ("tasks", "others")).values()] == [1, 0]
        leads = lead(client, "m", timedelta(seconds=30))
        assert leads.keep()
        trial = Incident(kind="trial", summary="a trial", command="sync-workers alerts")
        assert note(leads, [(trial, timedelta(0))], ["ops"])
        delivered(client, take(client))
        assert [one.incident for one in incidents(client)] == [trial]
        client.close()


def test_a_whole_run_works_behind_sentinel(server: EmbeddedRedis, tmp_path: Path) -> None:
    port = _free_port()
    configuration = tmp_path / "sentinel.conf"
    configuration.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {tmp_path}\nsentinel monitor tasks 127.0.0.1 {server.port} 1\n"
    )
    process = subprocess.Popen(
        [str(_binary()), str(configuration), "--sentinel"], stdout=subprocess.DEVNULL, cwd=tmp_path
    )
    try:
        wait_until(lambda: _reaches(f"redis://127.0.0.1:{port}"), "the sentinel is ready")
        client = connect(f"sentinel://127.0.0.1:{port}/3?master=tasks")
        assert run_once(client) is not None
        client.close()
        assert connect(server.url.replace("/0", "/3")).ask("EXISTS", Keys("tasks").meta)
    finally:
        process.kill()
        process.wait()


def _reaches(url: str) -> bool:
    client = connect(url)
    try:
        check(client)
    except RedisUnreachableError:
        return False
    finally:
        client.close()
    return True


def test_all_keys_of_a_task_lie_in_one_slot() -> None:
    keys = Keys("my-tasks")
    names = [
        getattr(keys, name)
        for name in vars(Keys)
        if isinstance(vars(Keys)[name], property) and name != "prefix"
    ]
    names += [keys.mirror(side) for side in Side]
    names += [keys.journal("r"), keys.blob("r", "plan"), keys.staged(keys.part("links")), *keys.state()]
    assert len({key_slot(name.encode()) for name in names}) == 1
    assert key_slot(names[0].encode()) == key_slot(b"my-tasks")
    assert all(name.startswith("sync:{my-tasks}:") for name in names)


def test_all_keys_of_the_budget_lie_in_one_slot() -> None:
    names = [
        getattr(BudgetKeys(one), name) for one in ("a", "b") for name in vars(BudgetKeys) if name[0] != "_"
    ]
    texts = [name for name in names if ":" in name]
    assert len({key_slot(name.encode()) for name in texts}) == 1
    assert len(texts) > len(BudgetKeys.__slots__)


OLD_ENOUGH = {
    "DEL", "EXISTS", "GET", "HDEL", "HGET", "HGETALL", "HINCRBY", "HINCRBYFLOAT", "HLEN", "HMGET",
    "HSCAN", "HSET", "INCR", "LLEN", "PERSIST", "PEXPIRE", "PTTL", "RENAME", "RPUSH", "SET", "TIME",
    "XADD", "XLEN", "XTRIM", "ZADD", "ZCARD", "ZCOUNT", "ZRANGE", "ZRANGEBYSCORE", "ZRANK", "ZREM",
    "ZREMRANGEBYSCORE", "ZSCORE",
}  # fmt: skip
"""Commands with the forms we use that Redis 6.2 knows."""


def test_scripts_use_only_declared_keys_and_what_redis_6_2_knows() -> None:
    assert {path.stem for path in Path(scripts.__file__).with_name("lua").glob("*.lua")} == set(scripts.ALL)
    for script in scripts.ALL:
        text = scripts.source(script)
        named = re.search(r"^local ([\w, ]+) = (?:unpack\(KEYS\)|KEYS\[)", text, re.MULTILINE)
        declared = {"key", *(named[1].split(", ") if named else ())}
        for command, first in re.findall(r"redis\.call\('(\w+)'(?:, ([\w\[\] +]+))?", text):
            assert command in OLD_ENOUGH, (script, command)
            assert not first or first in declared or first.startswith("KEYS["), (script, command, first)
