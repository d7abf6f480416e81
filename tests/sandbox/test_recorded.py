from __future__ import annotations

import httpx
import pytest

from sync_workers.sandbox.notion import Notion
from sync_workers.sandbox.nouns import Property
from sync_workers.sandbox.serve import SandboxServer
from tests.sandbox.evidence import exchanges, misshapen, shared
from tests.sandbox.replay import Clock, Replay
from tests.sandbox.seed import seed

RECORDINGS = [
    "all_createable_props_schema",
    "date_query",
    "delete_restore_page",
    "more_than_max_page_size_pages",
    "more_than_max_refs_per_relation_property",
    "option_page_props",
    "select_query",
    "sync_google_tasks",
    "text_query",
    "update_prop_type_attrs",
]


@pytest.mark.parametrize("name", RECORDINGS)
def test_the_sandbox_answers_as_notion_did(name: str) -> None:
    # given what was there before
    recording = exchanges(name)
    clock = Clock()
    notion = Notion(clock, requests_per_minute=None)
    seed(notion, recording)

    # when everything is asked again, in the same order
    with SandboxServer(notion) as server, httpx.Client(base_url=server.url) as client:
        replay = Replay(clock, client)
        differences = {e.name: replay.play(e) for e in recording}

    # then the answers are the same
    found = [f"{name}: {line}" for name, lines in differences.items() for line in lines]
    assert not found, "\n".join(found[:10])


def test_every_recording_with_notion_is_replayed() -> None:
    names = {path.stem for path in shared("recorded").glob("*.jsonl")}
    assert {name for name in names if exchanges(name)} == set(RECORDINGS)


@pytest.mark.parametrize("name", RECORDINGS)
def test_properties_stand_in_the_order_of_their_ids(name: str) -> None:
    shown = [item for e in exchanges(name) for item in e.response.get("results", [e.response])]
    for item in shown:
        columns = [
            Property(column["id"], column_name, column["type"])
            for column_name, column in item.get("properties", {}).items()
        ]
        assert columns == sorted(columns, key=lambda column: column.order)


@pytest.mark.parametrize("name", RECORDINGS)
def test_the_judge_accepts_what_notion_answered(name: str) -> None:
    assert [line for exchange in exchanges(name) for line in misshapen(exchange.response)] == []
