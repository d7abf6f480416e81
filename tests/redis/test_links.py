"""What other tasks read of a state: which ids belong together, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync_workers.engine.rules import FieldRule, Rules
from sync_workers.errors import StateError
from sync_workers.model import Pair
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import Keys
from sync_workers.redis.links import HEAD, load_links, related
from sync_workers.state import State
from tests.redis.test_state_store import take

IDS = st.one_of(
    st.text(min_size=1, max_size=HEAD * 2).filter(lambda text: text.isprintable()),
    st.sampled_from(["ä" * 97, "ä" * 98, "x" * (HEAD - 3), "x" * (HEAD - 2), '"', "\\" * 150, "a\ufffdb"]),
)


def store(client: Client, task: str, ids: dict[str, str]) -> None:
    state = State()
    for notion_id, other_id in ids.items():
        state.link(notion_id, other_id, {"Name": "x" * 500}, {"title": None})
    take(client, task, "one run").replace(state)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(IDS, unique=True, max_size=8))
def test_every_link_is_read_whatever_its_ids(redis_client: Client, task_name: str, others: list[str]) -> None:
    ids = {f"n{number}": other_id for number, other_id in enumerate(others)}
    store(redis_client, task_name, ids)
    assert load_links(redis_client, task_name) == ids


def test_more_links_than_one_answer_holds_are_read(redis_client: Client, task_name: str) -> None:
    ids = {f"n{number}": f"o{number}" for number in range(2500)}
    store(redis_client, task_name, ids)
    assert load_links(redis_client, task_name) == ids


def test_a_task_that_never_ran_links_nothing(redis_client: Client, task_name: str) -> None:
    assert load_links(redis_client, task_name) == {}


def test_a_state_of_another_version_is_not_guessed_at(redis_client: Client, task_name: str) -> None:
    store(redis_client, task_name, {"n1": "o1"})
    redis_client.ask("HSET", Keys(task_name).meta, "version", "99")
    with pytest.raises(StateError, match="version"):
        load_links(redis_client, task_name)


def test_only_tasks_that_are_named_are_read_and_not_ones_own(redis_client: Client, task_name: str) -> None:
    store(redis_client, task_name, {"n1": "o1"})
    rules = Rules(
        (
            FieldRule(Pair("Name", "title")),
            FieldRule(Pair("Project", "project"), relation=task_name),
            FieldRule(Pair("Parent", "parent"), relation="tasks"),
        )
    )
    assert related(redis_client, rules, "tasks") == {task_name: {"n1": "o1"}}
    assert related(redis_client, rules, task_name) == {"tasks": {}}
