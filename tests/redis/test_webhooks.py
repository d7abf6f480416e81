"""What is remembered about a connection's webhooks."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import timedelta

import pytest

from sync_workers.redis.connect import Client
from sync_workers.redis.keys import webhook_of
from sync_workers.redis.webhooks import OWN, RECEIVED, REFUSED, Webhooks

MINUTE = timedelta(minutes=1)


@pytest.fixture
def name(redis_client: Client) -> Iterator[str]:
    made = f"test-{secrets.token_hex(6)}"
    yield made
    redis_client.ask("DEL", *(webhook_of(made, part) for part in ("counts", "window", "token", "bot")))


@pytest.fixture
def webhooks(redis_client: Client, name: str) -> Webhooks:
    return Webhooks(redis_client, name)


def test_events_are_counted_and_only_what_was_received_is_the_last(webhooks: Webhooks) -> None:
    webhooks.count(REFUSED)
    assert (webhooks.counts(), webhooks.last()) == ({"refused": 1}, None)

    webhooks.count(RECEIVED, OWN)
    webhooks.count(RECEIVED)

    assert webhooks.counts() == {"refused": 1, "received": 2, "own": 1}
    assert webhooks.last() is not None


def test_a_token_comes_in_only_while_a_person_waits_and_only_the_first(webhooks: Webhooks) -> None:
    assert not webhooks.offer("too early")
    assert webhooks.offered() is None

    webhooks.open_window(MINUTE)
    assert webhooks.offered() == ""
    assert webhooks.offer("first")
    assert webhooks.offer("first"), "the same once more is fine"
    assert not webhooks.offer("second")
    assert webhooks.offered() == "first"

    webhooks.close_window()
    assert not webhooks.offer("too late")


def test_the_window_closes_by_itself_also_after_a_token_came(
    webhooks: Webhooks, redis_client: Client, name: str
) -> None:
    webhooks.open_window(MINUTE)
    webhooks.offer("first")

    assert 0 < redis_client.ask("PTTL", webhook_of(name, "window")) <= 60_000


def test_a_token_that_came_is_no_key_before_a_person_has_kept_it(webhooks: Webhooks) -> None:
    webhooks.open_window(MINUTE)
    webhooks.offer("first")
    assert webhooks.token() is None

    webhooks.keep_token("first")

    assert webhooks.token() == "first"


def test_a_bot_is_remembered_for_one_credential(webhooks: Webhooks) -> None:
    webhooks.keep_bot("old", "bot-1")
    webhooks.keep_bot("new", "bot-2")

    assert (webhooks.bot("old"), webhooks.bot("new")) == (None, "bot-2")
