"""The sandbox tells subscribers what happens in it, as Notion's webhooks do."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from sync_workers.sandbox.notion import TOKEN, Notion
from sync_workers.sandbox.serve import SandboxServer
from sync_workers.sandbox.subscriptions import Subscription
from tests.conftest import wait_until
from tests.sandbox.listener import Listener, listening
from tests.sandbox.replay import HEADERS


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as found:
        yield found


@pytest.fixture
def table(notion: Notion) -> Iterator[str]:
    yield notion.add_database("Tasks", {"Name": "title", "Done": "checkbox", "Points": "number"})
    notion.close()


def told(notion: Notion, subscription: Subscription) -> list[str]:
    """The types of all events that were sent."""
    wait_until(notion.subscriptions.idle, "everything is sent")
    return [sent.type for sent in subscription.sent]


def test_a_subscription_begins_with_one_unsigned_request_and_events_follow_its_verification(
    notion: Notion, table: str, listener: Listener
) -> None:
    # given
    subscription = notion.subscribe(listener.url)
    assert subscription.handshake == 200
    notion.add_page(table, {"Name": "Too early"})
    # when
    with pytest.raises(ValueError, match="not the token"):
        subscription.verify("secret_other")
    subscription.verify(listener.events[0]["verification_token"])
    notion.add_page(table, {"Name": "Bread"})
    # then
    assert sorted(told(notion, subscription)) == ["data_source.content_updated", "page.created"]
    assert "x-notion-signature" not in listener.came[0][0]
    for headers, body in listener.came[1:]:
        digest = hmac.new(subscription.token.encode(), body, hashlib.sha256).hexdigest()
        assert headers["x-notion-signature"] == f"sha256={digest}"


def test_an_event_has_notions_shape_and_no_value(notion: Notion, table: str, listener: Listener) -> None:
    # given
    row = notion.add_page(table, {"Name": "Bread"})
    subscription = notion.subscribe(listener.url, "secret_known")
    # when
    notion.edit_page(row, {"Done": True, "Points": 3})
    told(notion, subscription)
    # then
    (event,) = listener.events
    source = notion.store.data_source(table)
    ids = [column.id for column in source.properties if column.name != "Name"]
    assert {key: event[key] for key in ("type", "entity", "authors", "attempt_number", "api_version")} == {
        "type": "page.properties_updated",
        "entity": {"id": row, "type": "page"},
        "authors": [{"id": notion.person, "type": "person"}],
        "attempt_number": 1,
        "api_version": "2026-03-11",
    }
    assert event["data"]["parent"] == {"id": source.database_id, "type": "database", "data_source_id": table}
    assert sorted(event["data"]["updated_properties"]) == sorted(ids)
    assert set(event) == {
        *("id", "timestamp", "workspace_id", "workspace_name", "subscription_id", "integration_id"),
        *("authors", "attempt_number", "api_version", "entity", "type", "data"),
    }


def test_a_write_over_the_api_is_told_as_its_bots(notion: Notion, table: str, listener: Listener) -> None:
    # given
    row = notion.add_page(table, {"Name": "Bread"})
    subscription = notion.subscribe(listener.url, "secret_known")
    # when
    with SandboxServer(notion) as server:
        changes = {"properties": {"Points": {"number": 5}}}
        httpx.patch(f"{server.url}/v1/pages/{row}", json=changes, headers=HEADERS).raise_for_status()
        told(notion, subscription)
    # then
    assert listener.events[0]["authors"] == [{"id": notion.tokens[TOKEN], "type": "bot"}]


def trash_and_restore(notion: Notion, _table: str, row: str) -> None:
    notion.trash_page(row)
    wait_until(notion.subscriptions.idle, "the first is sent")
    notion.restore_page(row)


def write_and_comment(notion: Notion, _table: str, row: str) -> None:
    notion.bodies.write(row, "Flour")
    notion.bodies.comment(row, "Rye?")


def move(notion: Notion, _table: str, row: str) -> None:
    notion.move_page(row, notion.add_database("More", {"Title": "title"}))


def change_schema(notion: Notion, table: str, _row: str) -> None:
    with SandboxServer(notion) as server:
        body: dict[str, Any] = {
            "properties": {"Points": {"name": "Effort"}, "Done": None, "Due": {"date": {}}}
        }
        path = f"{server.url}/v1/data_sources/{table}"
        httpx.patch(path, json=body, headers=HEADERS).raise_for_status()
        wait_until(notion.subscriptions.idle, "everything is sent")


@pytest.mark.parametrize(
    ("act", "kinds"),
    [
        (trash_and_restore, ["page.deleted", "page.undeleted"]),
        (write_and_comment, ["page.content_updated", "comment.created"]),
        (move, ["database.created", "page.moved"]),
        (change_schema, ["data_source.schema_updated"]),
        (lambda notion, _table, _row: notion.add_database("More", {"Name": "title"}), ["database.created"]),
    ],
)
def test_what_else_happens_is_told(
    notion: Notion, table: str, listener: Listener, act: Any, kinds: list[str]
) -> None:
    row = notion.add_page(table, {"Name": "Bread"})
    subscription = notion.subscribe(listener.url, "secret_known")

    act(notion, table, row)

    assert [kind for kind in told(notion, subscription) if kind in kinds] == kinds


def test_a_changed_schema_names_what_became_of_each_column(
    notion: Notion, table: str, listener: Listener
) -> None:
    notion.subscribe(listener.url, "secret_known")

    change_schema(notion, table, "")

    (event,) = listener.of("data_source.schema_updated")
    changed = {column["name"]: column["action"] for column in event["data"]["updated_properties"]}
    assert changed == {"Effort": "updated", "Done": "deleted", "Due": "created"}


def test_a_comment_names_its_page_and_says_nothing_else(
    notion: Notion, table: str, listener: Listener
) -> None:
    row = notion.add_page(table, {"Name": "Bread"})
    subscription = notion.subscribe(listener.url, "secret_known")

    notion.bodies.comment(row, "Rye?")

    told(notion, subscription)
    (event,) = listener.events
    assert event["data"] == {"page_id": row, "parent": {"id": row, "type": "page"}}


def test_events_that_wait_are_joined_and_what_came_and_went_is_not_told(
    notion: Notion, table: str, listener: Listener
) -> None:
    # given
    row = notion.add_page(table, {"Name": "Bread"})
    subscription = notion.subscribe(listener.url, "secret_known", aggregate=0.5)
    # when
    for points in range(20):
        notion.edit_page(row, {"Points": points, "Done": points % 2 == 0})
    notion.trash_page(notion.add_page(table, {"Name": "Mistake"}))
    told(notion, subscription)
    # then
    (event,) = [event for event in listener.events if event["entity"]["type"] == "page"]
    assert event["entity"]["id"] == row
    assert len(event["data"]["updated_properties"]) == 2


def test_an_event_that_is_not_taken_comes_again_with_its_own_id(
    notion: Notion, table: str, listener: Listener
) -> None:
    # given
    row = notion.add_page(table, {"Name": "Bread"})
    listener.answers = [503, 500]
    subscription = notion.subscribe(listener.url, "secret_known", retry_after=(0.01, 0.01, 0.01))
    # when
    notion.edit_page(row, {"Points": 1})
    told(notion, subscription)
    # then
    assert [(sent.attempt, sent.status) for sent in subscription.sent] == [(1, 503), (2, 500), (3, 200)]
    assert [event["attempt_number"] for event in listener.events] == [1, 2, 3]
    assert len({event["id"] for event in listener.events}) == 1


def test_events_come_twice_where_that_is_wanted(notion: Notion, table: str, listener: Listener) -> None:
    row = notion.add_page(table, {"Name": "Bread"})
    subscription = notion.subscribe(listener.url, "secret_known", copies=2)

    notion.edit_page(row, {"Points": 1})

    assert told(notion, subscription) == ["page.properties_updated"] * 2
    assert listener.came[0][1] == listener.came[1][1]


def test_later_events_overtake_earlier_ones_where_that_is_wanted(
    notion: Notion, table: str, listener: Listener
) -> None:
    rows = [notion.add_page(table, {"Name": str(number)}) for number in range(20)]
    subscription = notion.subscribe(listener.url, "secret_known", jitter=0.2)

    for row in rows:
        notion.edit_page(row, {"Done": True})

    told(notion, subscription)
    order = [event["entity"]["id"] for event in listener.events]
    assert sorted(order) == sorted(rows)
    assert order != rows


def test_the_end_of_the_server_ends_the_thread_that_sends(notion: Notion, table: str) -> None:
    with SandboxServer(notion):
        notion.subscribe("http://127.0.0.1:9/", "secret_known", retry_after=(3600.0,))
        notion.add_page(table, {"Name": "Bread"})
        assert "sandbox events" in [thread.name for thread in threading.enumerate()]
    assert "sandbox events" not in [thread.name for thread in threading.enumerate()]
    notion.add_page(table, {"Name": "Told to nobody"})
