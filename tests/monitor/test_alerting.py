"""One message when an incident begins and one when it is over: over many monitors, retries and deaths."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sync_workers.config import read
from sync_workers.config.alerts import Alerts
from sync_workers.monitor.alerting import Alerting
from sync_workers.monitor.view import View
from sync_workers.redis.alerts import delivered, incidents, note, take
from sync_workers.redis.beat import Leader
from sync_workers.redis.connect import Client, connect
from sync_workers.redis.keys import ALERTING, INCIDENTS, OUTBOX, OUTBOX_DUE
from sync_workers.redis.totals import Totals
from sync_workers.sandbox.embedded import EmbeddedRedis, _free_port
from tests.conftest import wait_until
from tests.monitor.sinks import HttpSink, http_sink
from tests.worker.deployment import Deployment, deployed

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
AT_ONCE = timedelta(0)
WELL = View({"todo": Totals(now=NOW)}, leader=Leader("b", NOW))
REFUSED = View({"todo": Totals(plans=1, now=NOW)}, leader=Leader("b", NOW))

HOOK = '[alerts.to.hook]\nkind = "webhook"\nurl = { env = "HOOK" }\n'


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedRedis]:
    """Of this file's own: there is one outbox for all."""
    with EmbeddedRedis() as redis:
        yield redis


@pytest.fixture
def client(server: EmbeddedRedis) -> Iterator[Client]:
    client = connect(server.url)
    client.ask("FLUSHALL")
    yield client
    client.close()


@pytest.fixture
def sink(monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpSink]:
    with http_sink() as sink:
        monkeypatch.setenv("HOOK", sink.url)
        yield sink


class Desk:
    """Monitors that all see the same, at the pace of the test."""

    def __init__(self, client: Client, quiet: timedelta = AT_ONCE) -> None:
        self.client, self.quiet = client, quiet
        self.view = WELL
        self.file = HOOK

    def alerts(self) -> Alerts:
        return read(self.file, Path("sync.toml")).alerts

    def monitor(self) -> Alerting:
        return Alerting(
            self.client, lambda: self.view, self.alerts, "m", quiet=self.quiet, first_wait=AT_ONCE
        )


def looked(monitor: Alerting) -> bool:
    monitor.look()
    return True


def test_an_incident_is_told_when_it_begins_and_when_it_is_over_and_not_between(
    client: Client, sink: HttpSink
) -> None:
    desk = Desk(client)
    monitor = desk.monitor()
    monitor.look()
    assert sink.told() == []

    desk.view = REFUSED
    for _ in range(3):
        monitor.look()
    assert sink.told() == ["refused todo begun"]
    (there,) = incidents(client)
    assert there.incident.command == "sync-workers plans todo"

    desk.view = WELL
    for _ in range(3):
        monitor.look()
    assert sink.told() == ["refused todo begun", "refused todo ended"]
    assert incidents(client) == []
    assert client.ask("EXISTS", OUTBOX, OUTBOX_DUE) == 0

    desk.view = REFUSED
    monitor.look()
    assert sink.told()[2:] == ["refused todo begun"], "once more is another one"


def test_many_monitors_tell_it_once(client: Client, sink: HttpSink) -> None:
    desk = Desk(client)
    monitors = [desk.monitor() for _ in range(8)]
    for view in (REFUSED, WELL):
        desk.view = view
        with ThreadPoolExecutor(8) as pool:
            for _ in range(5):
                list(pool.map(Alerting.look, monitors))

    assert sink.told() == ["refused todo begun", "refused todo ended"]


def test_another_monitor_goes_on_where_one_died_and_that_one_stays_quiet_when_it_wakes(
    client: Client, sink: HttpSink
) -> None:
    desk = Desk(client)
    first, second = desk.monitor(), desk.monitor()
    desk.view = REFUSED
    first.look()
    client.ask("DEL", ALERTING)  # its time has run out
    second.look()
    assert sink.told() == ["refused todo begun"]

    # What the first one had seen before it froze does not count any more.
    assert note(first._lead, [], ["hook"], AT_ONCE) is False
    first.look()
    assert sink.told() == ["refused todo begun"]

    desk.view = WELL
    client.ask("DEL", ALERTING)
    first.look()
    assert sink.told() == ["refused todo begun", "refused todo ended"]


def test_a_message_is_tried_until_it_is_taken(
    client: Client, sink: HttpSink, caplog: pytest.LogCaptureFixture
) -> None:
    desk = Desk(client)
    desk.view = REFUSED
    sink.status = 500
    desk.monitor().look()
    client.ask("DEL", ALERTING)
    monitor = desk.monitor()  # also by another one
    monitor.look()
    assert "alerts.to.hook: it answered 500; 1 alert(s) are tried again later" in caplog.text
    assert "hook-secret" not in caplog.text

    sink.status = 200
    wait_until(lambda: looked(monitor) and sink.told(), "it is told")
    monitor.look()
    assert sink.told() == ["refused todo begun"]


def test_a_message_that_was_not_taken_rests_for_longer_each_time(client: Client, sink: HttpSink) -> None:
    desk = Desk(client)
    desk.view, sink.status = REFUSED, 500
    desk.monitor().look()
    (message,) = take(client)
    assert take(client) == [], "somebody sends it already"

    ((name, first),) = _due(client)
    stamp, _, rest = name.partition(" ")
    older = f"{int(stamp) - 600_000} {rest}"
    client.ask("HSET", OUTBOX, older, client.ask("HGET", OUTBOX, message.id))
    client.ask("ZADD", OUTBOX_DUE, 1, older)
    take(client)
    due = dict(_due(client))
    assert 115_000 < first - int(stamp) < 150_000
    assert 590_000 < due[older] - int(stamp) < 650_000, "after ten minutes ten more"

    delivered(client, [message, replace(message, id=older)])
    assert client.ask("EXISTS", OUTBOX, OUTBOX_DUE) == 0


def _due(client: Client) -> list[tuple[str, float]]:
    flat = client.ask("ZRANGE", OUTBOX_DUE, 0, -1, "WITHSCORES")
    return [(name.decode(), float(score)) for name, score in zip(flat[::2], flat[1::2], strict=True)]


def test_what_is_wrong_only_for_a_moment_is_not_told(client: Client, sink: HttpSink) -> None:
    desk = Desk(client, timedelta(minutes=1))
    desk.file += '[alerts]\npatience = "5m"\n'
    monitor = desk.monitor()
    desk.view = replace(WELL, leader=None)
    monitor.look()
    monitor.look()
    assert incidents(client) == []
    desk.view = WELL
    monitor.look()
    assert sink.told() == []
    assert client.ask("EXISTS", INCIDENTS) == 0, "its time begins anew when it comes back"

    desk.view = replace(WELL, leader=None)
    desk.file = HOOK + '[alerts]\npatience = "1s"\n'
    wait_until(lambda: looked(monitor) and sink.told(), "it lasts", 10)
    assert sink.told() == ["no-beat  begun"]


def test_what_comes_and_goes_is_one_incident(client: Client, sink: HttpSink) -> None:
    desk = Desk(client, timedelta(minutes=1))
    monitor = desk.monitor()
    for view in (REFUSED, WELL, REFUSED, WELL):
        desk.view = view
        monitor.look()
    assert sink.told() == ["refused todo begun"]


def test_what_begins_together_goes_in_one_message_to_each_receiver_whatever_the_others_do(
    client: Client, sink: HttpSink, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("GONE", f"http://127.0.0.1:{_free_port()}")
    desk = Desk(client)
    desk.file = '[alerts.to.gone]\nkind = "slack"\nurl = { env = "GONE" }\n' + HOOK
    refused = Totals(plans=1, now=NOW)
    desk.view = View({f"t{n}": refused for n in range(50)}, leader=Leader("b", NOW))
    desk.monitor().look()

    assert [len(body["incidents"]) for body in sink.got] == [50]
    assert "alerts.to.gone: it was not reached (URLError); 50 alert(s) are tried again later" in caplog.text

    # Who is told no more holds nothing up.
    client.ask("DEL", ALERTING)
    desk.file = HOOK
    wait_until(lambda: looked(desk.monitor()) and not client.ask("EXISTS", OUTBOX), "they are dropped")
    assert len(sink.got) == 1


def test_a_monitor_process_tells_it_and_the_command_shows_it(tmp_path: Path, sink: HttpSink) -> None:
    with deployed(tmp_path, ".run_every(hours=1)") as here:
        with (tmp_path / "sync.toml").open("a") as file:
            file.write(HOOK)
        here.environment["HOOK"] = sink.url
        here.client.ask("HSET", here.keys.plans, "p", "{}")
        monitors = [here.command("monitor", "--port", str(_free_port()), "--no-restart") for _ in range(2)]
        wait_until(lambda: here.logs().count("metrics at") == 2, here.logs, 30)
        wait_until(sink.told, "the webhook is told")

        assert command(here, "alerts") == (
            0,
            "told by webhook: hook",
            "a guard refused what task todo was going to do: sync-workers plans todo",
        )
        for each in monitors:
            each.terminate()
            assert each.wait(20) == 0, here.logs()
        assert here.client.ask("EXISTS", ALERTING) == 0
        assert sink.told() == ["refused todo begun"]

        assert command(here, "alerts", "--try") == (0, "hook was told by webhook")
        assert sink.told()[1:] == ["trial  begun"]
        sink.status = 500
        told = "hook could not be told by webhook: it answered 500"
        assert command(here, "alerts", "--try") == (1, told)


def command(here: Deployment, *args: str) -> tuple[object, ...]:
    """How it ended, and its lines; without the moments before them."""
    process = here.command(*args)
    ended = process.wait(60)
    return ended, *(line.rpartition(" UTC  ")[2] for line in here.log(process).splitlines())
