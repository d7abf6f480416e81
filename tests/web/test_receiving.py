"""From a request to what waits in Redis."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sync_workers.model import Pair
from sync_workers.redis.connect import Client, connect
from sync_workers.redis.keys import Keys
from sync_workers.redis.waiting import Wanted
from sync_workers.sandbox.subscriptions import sign
from sync_workers.web.bots import Bots
from sync_workers.web.receiving import Receiver
from tests.web.stage import ADA, BOT, ELSEWHERE, FOREIGN, PAGE, SOURCE, TOKEN, Stage, event, staged

LOOK = Wanted(Pair((PAGE,), ()))
FOREIGN_PARENT = {"parent": {"id": FOREIGN, "type": "database", "data_source_id": FOREIGN}}


def test_an_event_of_a_row_lets_a_look_at_it_wait(stage: Stage) -> None:
    assert stage.tell() == 200

    assert stage.waiting.claim().wanted == LOOK
    assert stage.webhooks.counts() == {"received": 1}
    assert [task for task, _ in stage.woken] == [stage.name]


@pytest.mark.parametrize("kind", ["page.created", "page.content_updated", "page.deleted", "page.undeleted"])
def test_a_deleted_page_is_looked_at_like_any_other(stage: Stage, kind: str) -> None:
    assert stage.tell(kind) == 200

    assert stage.waiting.claim().wanted == LOOK


def test_a_body_that_was_changed_by_one_bit_is_refused(stage: Stage) -> None:
    body = event()
    signature = sign(TOKEN, body)

    for place in range(len(body)):
        changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        assert stage.send(changed, signature) == 401

    assert stage.waiting.claim().wanted == Wanted()
    assert stage.webhooks.counts() == {"refused": len(body)}
    assert stage.send(body, signature) == 200


@pytest.mark.parametrize("signature", [None, "sha256=", "nonsense", sign(TOKEN, b"another body")])
def test_a_missing_or_wrong_signature_is_refused(stage: Stage, signature: str | None) -> None:
    assert stage.send(event(), signature) == 401

    assert stage.waiting.claim().wanted == Wanted()
    assert stage.webhooks.counts() == {"refused": 1}


def test_without_a_token_everything_is_refused(redis_client: Client, tmp_path: Path) -> None:
    more = 'webhook_token = { file = "webhook-token" }'
    (tmp_path / "webhook-token").write_text("secret_configured")
    with staged(redis_client, tmp_path, more) as stage:
        body = event()
        # what the task file names is the only key, whatever was kept before
        assert stage.send(body, sign(TOKEN, body)) == 401
        assert stage.send(body, sign("secret_configured", body)) == 200
        # and it is read anew each time
        (tmp_path / "webhook-token").write_text("secret_new")
        assert stage.send(body, sign("secret_configured", body)) == 401
        # one that cannot be read is our mistake, and no reason to lose an event
        (tmp_path / "webhook-token").unlink()
        assert stage.send(body, sign("secret_new", body)) == 503


def test_an_empty_token_signs_nothing(stage: Stage) -> None:
    body = event()
    stage.webhooks.keep_token("")

    assert stage.send(body, sign("", body)) == 401


def test_a_path_of_no_connection_is_not_found(stage: Stage) -> None:
    assert stage.receiver.receive("memory", event(), sign(TOKEN, event())) == 404


def test_an_event_that_comes_again_changes_nothing(stage: Stage) -> None:
    body = event()
    stage.send(body)
    stage.waiting.settle(stage.waiting.claim())

    assert stage.send(body) == 200

    assert stage.waiting.claim().wanted == Wanted()
    assert stage.webhooks.counts() == {"received": 2, "repeated": 1}


def test_a_burst_is_joined(redis_client: Client, tmp_path: Path) -> None:
    with staged(redis_client, tmp_path, quiet=30) as stage:
        for _ in range(20):
            assert stage.tell() == 200

        assert stage.webhooks.counts() == {"received": 20, "joined": 19}
        assert stage.waiting.claim().wanted == Wanted()
        assert all(timedelta(0) < due_in <= timedelta(seconds=30) for _, due_in in stage.woken)


AUTHORS = [
    ([BOT], Wanted(), "own"),
    ([BOT, ADA], LOOK, None),
    ([ADA], LOOK, None),
    ([], LOOK, None),
    ([FOREIGN], LOOK, None),  # another bot
]


@pytest.mark.parametrize(("authors", "wanted", "outcome"), AUTHORS)
def test_only_what_our_bot_wrote_alone_is_no_news(
    stage: Stage, authors: list[str], wanted: Wanted, outcome: str | None
) -> None:
    stage.tell(authors=[{"id": author, "type": "bot"} for author in authors])

    assert stage.waiting.claim().wanted == wanted
    assert stage.webhooks.counts() == {"received": 1} | ({outcome: 1} if outcome else {})


def test_as_long_as_our_bot_is_not_known_everything_is_news(stage: Stage) -> None:
    known = stage.receiver
    ignorant = Receiver(known.client, known.connections, Bots(known.client, ()), known.wake)
    body = event(authors=[{"id": BOT, "type": "bot"}])

    assert ignorant.receive(stage.name, body, sign(TOKEN, body)) == 200

    assert stage.waiting.claim().wanted == LOOK


@pytest.mark.parametrize("kind", ["page.moved", "page.created"])
def test_a_row_of_another_table_is_none_of_ours(stage: Stage, kind: str) -> None:
    assert stage.tell(kind, data=FOREIGN_PARENT) == 200

    assert stage.waiting.claim().wanted == Wanted()
    assert stage.webhooks.counts() == {"received": 1}


@pytest.mark.parametrize(
    "parts",
    [
        {"kind": "page.moved", "data": FOREIGN_PARENT},
        {"kind": "comment.created", "entity": {"id": FOREIGN, "type": "comment"}, "data": {"page_id": PAGE}},
    ],
    ids=["moved away", "commented"],
)
def test_a_page_that_names_no_place_of_ours_is_known_by_its_link(stage: Stage, parts: dict[str, str]) -> None:
    stage.client.ask("HSET", Keys(stage.name).part("links"), PAGE, "[]")

    stage.tell(**parts)

    assert stage.waiting.claim().wanted == LOOK


SOURCES = [
    ("data_source.schema_updated", SOURCE, Wanted(full=True)),
    ("data_source.deleted", SOURCE, Wanted(run=True)),
    ("data_source.schema_updated", FOREIGN, Wanted()),
    ("database.moved", ELSEWHERE, Wanted()),
]


@pytest.mark.parametrize(("kind", "place", "wanted"), SOURCES)
def test_what_happens_to_the_table_asks_for_a_run(
    stage: Stage, kind: str, place: str, wanted: Wanted
) -> None:
    entity = {"id": place, "type": kind.partition(".")[0]}

    stage.tell(kind, entity=entity, data={"parent": {"id": FOREIGN, "type": "page"}})

    assert stage.waiting.claim().wanted == wanted


GENUINE = {
    "a new type": event("view.created", id="event", entity={"id": FOREIGN, "type": "view"}),
    "nothing to do": event("page.locked", id="event"),
    "no event": b"[]",
    "no JSON": b"no JSON",
    "no text": b"\xff",
}


@pytest.mark.parametrize("body", GENUINE.values(), ids=GENUINE)
def test_everything_genuine_is_taken(stage: Stage, body: bytes) -> None:
    assert stage.send(body) == 200

    assert stage.waiting.claim().wanted == Wanted()
    assert stage.webhooks.counts() == {"received": 1}


def test_nothing_is_taken_while_redis_is_away(stage: Stage) -> None:
    away = connect("redis://127.0.0.1:1/0")
    receiver = Receiver(away, stage.receiver.connections, stage.receiver.bots, stage.receiver.wake)
    body = event()

    assert receiver.receive(stage.name, body, sign(TOKEN, body)) == 503
    assert receiver.receive(stage.name, json.dumps({"verification_token": "x"}).encode(), None) == 503
    away.close()


def test_a_handshake_counts_only_while_a_person_waits_for_it(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    offer = json.dumps({"verification_token": "secret_offered"}).encode()
    # nobody waits
    assert stage.send(offer, None) == 403
    assert f"sync-workers web --token-for {stage.name}" in caplog.text
    # somebody does
    stage.webhooks.open_window(timedelta(minutes=1))
    assert stage.send(offer, None) == 200
    assert stage.send(offer.replace(b"offered", b"forged"), None) == 403
    # and the token in use stays what it was
    assert stage.webhooks.token() == TOKEN
    assert stage.tell() == 200
    assert stage.webhooks.counts() == {"refused": 2, "received": 1}
    assert "secret_" not in caplog.text


def test_the_log_says_ids_and_counts_and_nothing_else(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    columns = [{"id": "kqLW", "name": "hunter2", "action": "created"}]

    stage.tell(
        "data_source.schema_updated",
        id="the-event",
        workspace_name="hunter2",
        entity={"id": SOURCE, "type": "data_source"},
        data={"updated_properties": columns},
    )

    (line,) = [record for record in caplog.records if record.name == "sync_workers.web.receiving"]
    assert "data_source.schema_updated the-event, attempt 1: 0 page(s), 1 task(s)" in line.getMessage()
    assert "hunter2" not in caplog.text


def test_the_last_event_is_remembered(stage: Stage) -> None:
    stage.tell()

    last = stage.webhooks.last()
    assert last is not None
    assert abs(datetime.now(UTC) - last) < timedelta(minutes=5)


def test_a_handshake_brings_the_token_that_the_task_file_names_already(
    redis_client: Client, tmp_path: Path
) -> None:
    with staged(redis_client, tmp_path, 'webhook_token = { file = "not-there-yet" }') as stage:
        stage.webhooks.open_window(timedelta(minutes=1))

        assert stage.send(b'{"verification_token": "secret_new"}', None) == 200
        assert stage.webhooks.offered() == "secret_new"
