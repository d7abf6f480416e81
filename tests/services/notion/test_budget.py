"""What Notion asks for concerns every worker: pauses of a token and of its workspace, and writes in turn."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from sync_workers.errors import AccessError, NotYetError, SettingsError
from sync_workers.redis.budget import RedisBudget
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import BudgetKeys
from sync_workers.report import Trigger
from sync_workers.secret import Secret
from sync_workers.services.base import Mapped
from sync_workers.services.budget import Budget
from sync_workers.services.local_budget import LocalBudget
from sync_workers.services.notion.service import NotionService
from sync_workers.services.notion.settings import NotionConnection, NotionContainer
from tests.conftest import wait_until
from tests.services.notion.calls import Hurried
from tests.services.notion.world import NotionWorld, notion_world

MAPPED = Mapped(("Name",), key="Name")


@pytest.fixture
def world(tmp_path: Path, redis_client: Client) -> Iterator[NotionWorld]:
    with notion_world(tmp_path) as world:
        yield world
    for key in redis_client.ask("KEYS", "sync:{budget}:*"):
        redis_client.ask("DEL", key)


def worker(client: Client, name: str) -> Budget:
    return RedisBudget(client, name, Trigger.BEAT, patience=timedelta(0))


def opened(world: NotionWorld, budget: Budget, token: Path, limit: int = 180) -> NotionService:
    connection = NotionConnection.model_validate(
        {"token": Secret(file=token), "url": world.server.url, "calls_per_minute": limit}
    )
    service = NotionService(connection, NotionContainer(data_source=world.source), MAPPED, budget)
    world.opened.append(service)
    return service


def another_token(world: NotionWorld, folder: Path) -> Path:
    """Of the same workspace."""
    world.notion.add_token("ntn_another", "Another")
    path = folder / "another"
    path.write_text("ntn_another")
    return path


def test_a_pause_that_one_worker_met_is_kept_by_the_next(
    world: NotionWorld, redis_client: Client, tmp_path: Path
) -> None:
    one, two = (opened(world, worker(redis_client, name), tmp_path / "token") for name in ("one", "two"))
    world.notion.faults.add("rate_limited", "GET", "/v1/data_sources/", seconds=40)
    with pytest.raises(NotYetError) as told:
        one.schema()
    assert timedelta(seconds=30) < told.value.wait <= timedelta(seconds=40)
    before = len(world.notion.seen_requests())

    with pytest.raises(NotYetError):
        two.schema()

    assert len(world.notion.seen_requests()) == before


def test_an_overload_is_a_pause_for_everyone_too(
    world: NotionWorld, redis_client: Client, tmp_path: Path
) -> None:
    one, two = (opened(world, worker(redis_client, name), tmp_path / "token") for name in ("one", "two"))
    world.notion.faults.add("overload", "GET", "/v1/data_sources/", seconds=40)
    for service in (one, two):
        with pytest.raises(NotYetError):
            service.schema()
    assert [seen.status for seen in world.notion.seen_requests()] == [529]


def test_a_pause_of_the_workspace_holds_for_its_other_tokens(
    world: NotionWorld, redis_client: Client, tmp_path: Path
) -> None:
    one = opened(world, worker(redis_client, "one"), tmp_path / "token")
    other = opened(world, worker(redis_client, "two"), another_token(world, tmp_path))
    world.notion.faults.add(
        "rate_limited", "GET", "/v1/data_sources/", seconds=90, reason="public_api_space_request_rate_limit"
    )
    with pytest.raises(NotYetError):
        one.schema()
    world.notion.forget_requests()

    with pytest.raises(NotYetError) as told:
        other.schema()
    with pytest.raises(NotYetError):
        other.schema()

    assert told.value.wait > timedelta(seconds=60)
    assert [seen.path for seen in world.notion.seen_requests()] == ["/v1/users/me"]  # asked once, then known


def test_who_has_no_trouble_is_not_asked_for_its_workspace(
    world: NotionWorld, redis_client: Client, tmp_path: Path
) -> None:
    opened(world, worker(redis_client, "one"), tmp_path / "token").fetch()
    assert not [seen for seen in world.notion.seen_requests() if "users" in seen.path]


def test_one_that_is_blocked_is_told_to_a_person_and_pauses_nobody(
    world: NotionWorld, redis_client: Client, tmp_path: Path
) -> None:
    service = opened(world, worker(redis_client, "one"), tmp_path / "token")
    world.notion.faults.add("rate_limited", "GET", seconds=40, reason="public_api_request_blocked")
    with pytest.raises(AccessError, match="blocked"):
        service.schema()
    service.schema()


def test_a_workspace_without_blocks_left_is_told_to_a_person(
    world: NotionWorld, redis_client: Client, tmp_path: Path
) -> None:
    service = opened(world, worker(redis_client, "one"), tmp_path / "token")
    world.notion.faults.add("block_limit", "POST", "/v1/pages$")
    with pytest.raises(AccessError, match=r"Free plan.*upgrade"):
        service.create({"Name": "Bread"}, "one")


def test_writes_of_two_workers_to_one_data_source_do_not_meet(
    world: NotionWorld, redis_client: Client, tmp_path: Path
) -> None:
    slow = opened(world, worker(redis_client, "slow"), tmp_path / "token")
    quick = opened(world, RedisBudget(redis_client, "quick", Trigger.BEAT), another_token(world, tmp_path))
    for service in (slow, quick):
        service.schema()
    world.notion.faults.add("delay", "POST", "/v1/pages$", seconds=0.5)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(slow.create, {"Name": "Bread"}, "one")
        held = partial(redis_client.ask, "HGET", BudgetKeys("").writes, world.source)
        wait_until(held, "the first one writes")
        second = pool.submit(quick.create, {"Name": "Milk"}, "two")
        wait_until(lambda: first.done() or len(world.notion.writes()) > 1, "one of them goes on")
        assert first.done(), "the second one wrote before the first one had its answer"
        second.result(20)


@pytest.mark.parametrize(
    ("url", "calls"), [("https://api.notion.com", 601), ("https://api.notion.com", 0), ("http://here", -1)]
)
def test_more_calls_than_notion_allows_are_no_setting(url: str, calls: int) -> None:
    with pytest.raises(ValueError, match="calls"):
        NotionConnection.model_validate({"token": {"env": "TOKEN"}, "url": url, "calls_per_minute": calls})


def test_a_token_that_is_missing_is_told_before_any_call(world: NotionWorld, redis_client: Client) -> None:
    with pytest.raises(SettingsError):
        opened(world, worker(redis_client, "one"), Path("nowhere"))


def test_what_completes_a_row_waits_for_its_turn_here(world: NotionWorld, tmp_path: Path) -> None:
    """Given back to the queue in the middle of a row, a listing would begin anew and never end."""
    (shops,) = {source for source in world.notion.store.data_sources if source != world.source}
    many = [world.notion.add_page(shops, {"Name": str(number)}) for number in range(90)]
    world.notion.add_page(world.source, {"Name": "Bread", "Shop": many})
    clock = Hurried()
    budget = LocalBudget(patience=timedelta(0), clock=clock)
    connection = NotionConnection.model_validate(
        {"token": Secret(file=tmp_path / "token"), "url": world.server.url, "calls_per_minute": 2}
    )
    container = NotionContainer(data_source=world.source)
    service = NotionService(connection, container, Mapped(("Name", "Shop"), key="Name"), budget)
    world.opened.append(service)

    (record,) = service.fetch().records

    assert len(record.fields["Shop"]) == len(many)
    assert clock.slept > 0
