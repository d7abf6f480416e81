"""Real receivers, a real worker and a real Redis, and a sandbox Notion that tells what happens; no beat."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from sync_workers.sandbox.subscriptions import sign
from tests.conftest import wait_until
from tests.web.deployment import TOKEN, Hearing, hearing, kill

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("web")]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hearing]:
    with hearing(tmp_path_factory.mktemp("web")) as made:
        made.receiver()
        made.receiver()
        made.worker()
        yield made


@pytest.fixture
def here(shared: Hearing) -> Iterator[Hearing]:
    """The shared deployment with nothing in it, and a subscription of the test's own."""
    yield shared
    shared.notion.close()
    shared.wait_until_settled()
    for row in shared.notion.pages(shared.data_source):
        shared.notion.trash_page(row.id)
    shared.whole.table("DELETE FROM tasks")
    shared.whole.client.ask("FLUSHDB")
    shared.notion.subscriptions.all.clear()


def test_an_edit_in_notion_crosses_without_beat(here: Hearing) -> None:
    here.subscribe()
    row = here.notion.add_page(here.data_source, {"Name": "Bread", "Points": 1})
    here.wait_for_other(("Bread", 0, 1))

    here.notion.edit_page(row, {"Points": 2})

    here.wait_for_other(("Bread", 0, 2))
    here.wait_until_settled()
    assert {run["trigger"] for run in here.runs()} == {"webhook"}


def test_a_burst_of_edits_makes_one_run(here: Hearing) -> None:
    # given
    rows = [here.notion.add_page(here.data_source, {"Name": str(number), "Points": 1}) for number in range(3)]
    here.subscribe()
    here.notion.edit_page(rows[0], {"Points": 0})
    here.wait_for_other(("0", 0, 0), ("1", 0, 1), ("2", 0, 1))
    here.wait_until_told()
    here.wait_until_settled()
    runs, bursts = len(here.runs()), here.bursts()
    # when
    for points in range(1, 21):
        here.notion.edit_page(rows[0], {"Points": points})
        here.wait_until_told()  # else the sandbox joins them itself
    # then
    here.wait_for_other(("0", 0, 20), ("1", 0, 1), ("2", 0, 1))
    here.wait_until_told()
    here.wait_until_settled()
    assert 1 <= len(here.runs()) - runs <= here.bursts() - bursts <= 3


def test_our_own_writes_make_no_run(here: Hearing) -> None:
    # given
    here.subscribe()
    row = here.notion.add_page(here.data_source, {"Name": "Bread", "Points": 1})
    here.wait_for_other(("Bread", 0, 1))
    here.wait_until_told()
    here.wait_until_settled()
    # when
    here.whole.table("UPDATE tasks SET points = 7, modified = '2090-01-01T00:00:00Z'")
    here.whole.start("enqueue", "enqueue", "whole", "--wait")
    wait_until(lambda: here.notion.page(row).values["Points"] == 7, here.whole.logs, 60)
    wait_until(lambda: here.webhooks.counts().get("own"), here.whole.logs, 60)
    here.wait_until_told()
    here.wait_until_settled()
    # then
    assert here.runs()[0]["trigger"] == "ad-hoc"


def test_a_page_in_the_trash_is_asked_for_and_its_counterpart_goes(here: Hearing) -> None:
    here.subscribe()
    rows = [here.notion.add_page(here.data_source, {"Name": name, "Points": 1}) for name in ("a", "b", "c")]
    here.wait_for_other(("a", 0, 1), ("b", 0, 1), ("c", 0, 1))
    here.wait_until_settled()

    here.notion.trash_page(rows[1])

    here.wait_for_other(("a", 0, 1), ("c", 0, 1))


def test_a_told_deletion_of_a_page_that_is_there_deletes_nothing(here: Hearing) -> None:
    # given
    here.subscribe()
    row = here.notion.add_page(here.data_source, {"Name": "Bread", "Points": 1})
    here.wait_for_other(("Bread", 0, 1))
    here.wait_until_settled()
    runs = len(here.runs())
    # when
    told = {"id": "planted", "type": "page.deleted", "entity": {"id": row, "type": "page"}}
    parent = {"id": row, "type": "database", "data_source_id": here.data_source}
    body = json.dumps(told | {"data": {"parent": parent}}).encode()
    assert httpx.post(here.url(), content=body, headers={"x-notion-signature": sign(TOKEN, body)}).is_success
    wait_until(lambda: len(here.runs()) > runs, here.whole.logs, 60)
    here.wait_until_settled()
    # then
    assert here.whole.other_side() == [("Bread", 0, 1)]


def test_what_is_not_signed_well_is_refused(here: Hearing) -> None:
    body = b'{"id": "x", "type": "page.created"}'
    signature = sign(TOKEN, body)

    def post(content: bytes, headers: dict[str, str] | None = None) -> int:
        return httpx.post(here.url(), content=content, headers=headers or {}).status_code

    assert post(body) == 401
    assert post(body, {"X-Notion-Signature": sign("secret_other", body)}) == 401
    assert post(body.replace(b"x", b"y"), {"X-Notion-Signature": signature}) == 401
    assert post(body + b" ", {"X-Notion-Signature": signature}) == 401
    assert post(b'{"verification_token": "secret_mine"}') == 403
    assert post(b" " * 300_000, {"X-Notion-Signature": sign(TOKEN, b" " * 300_000)}) == 413
    assert httpx.get(here.url()).status_code == 405
    assert httpx.put(here.url(), content=body).status_code == 405
    assert httpx.post(here.url() + "x", content=body).status_code == 404
    assert here.webhooks.counts() == {"refused": 5}
    assert post(body, {"X-Notion-Signature": signature}) == 200


def test_events_that_come_twice_and_in_any_order_are_harmless(here: Hearing) -> None:
    here.subscribe(copies=2, jitter=0.3)
    names = [str(number) for number in range(5)]

    for name in names:
        row = here.notion.add_page(here.data_source, {"Name": name, "Points": 1})
        here.notion.edit_page(row, {"Points": 2})

    here.wait_for_other(*((name, 0, 2) for name in names))
    here.wait_until_told()
    assert here.webhooks.counts()["repeated"] >= 5


def test_redis_that_was_away_loses_no_event(here: Hearing) -> None:
    subscription = here.subscribe()
    # Redis is away when the event comes
    here.whole.redis.kill()
    here.notion.add_page(here.data_source, {"Name": "Bread", "Points": 1})
    wait_until(lambda: 503 in [sent.status for sent in subscription.sent], here.whole.logs, 60)
    assert (here.answers(0, "readyz"), here.answers(0, "healthz")) == (503, 200)
    # and back when it comes again
    here.whole.redis.restart()
    here.wait_for_other(("Bread", 0, 1))
    here.wait_until_told()
    assert subscription.sent[-1].status == 200


def test_two_receivers_that_hear_the_same_make_one_run(here: Hearing) -> None:
    for place in (0, 1):
        here.subscribe(place)

    here.notion.add_page(here.data_source, {"Name": "Bread", "Points": 1})

    here.wait_for_other(("Bread", 0, 1))
    here.wait_until_told()
    here.wait_until_settled()
    assert 1 <= len(here.runs()) <= here.bursts() <= 3


def test_what_a_killed_receiver_took_is_fired_by_another(here: Hearing) -> None:
    # given two receivers, of which one hears of the edit
    here.subscribe(place=1)
    here.notion.add_page(here.data_source, {"Name": "Bread", "Points": 1})
    here.wait_until_told()
    # when it dies before the quiet time is over
    kill(here.receivers[1])
    # then the other one fires
    here.wait_for_other(("Bread", 0, 1))
    here.wait_until_settled()
    assert {run["trigger"] for run in here.runs()} == {"webhook"}
