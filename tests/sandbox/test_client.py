"""The sandbox under the client that the product uses."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, cast

import httpx
import pytest
from notion_client import APIResponseError, Client
from notion_client.helpers import collect_paginated_api

from sync_workers.sandbox.notion import TOKEN, Notion
from sync_workers.sandbox.serve import SandboxServer
from tests.sandbox.conftest import title

Answer = dict[str, Any]


@pytest.fixture
def client(server: SandboxServer) -> Iterator[Client]:
    made = Client(
        auth=TOKEN,
        notion_version="2026-03-11",
        base_url=server.url,
        retry=False,
        logger=logging.getLogger("test"),
    )
    yield made
    made.close()


def test_the_client_goes_the_whole_way_of_a_row(client: Client, notion: Notion, tasks: str) -> None:
    # given
    schema = cast("Answer", client.data_sources.retrieve(tasks))
    due = schema["properties"]["Due"]["id"]
    # when
    parent = {"type": "data_source_id", "data_source_id": tasks}
    page = cast("Answer", client.pages.create(parent=parent, properties={"Task": title("Bread")}))
    client.pages.update(page["id"], properties={due: {"date": {"start": "2026-01-31"}}})
    read = cast("Answer", client.pages.retrieve(page["id"]))
    item = cast("Answer", client.pages.properties.retrieve(page["id"], due))
    # then
    assert (
        read["properties"]["Due"]["date"]
        == item["date"]
        == {"start": "2026-01-31", "end": None, "time_zone": None}
    )
    assert notion.page(page["id"]).values["Due"] == "2026-01-31"
    # and in the end
    client.pages.update(page["id"], in_trash=True)
    assert cast("Answer", client.data_sources.query(tasks))["results"] == []
    assert cast("Answer", client.users.me())["type"] == "bot"


def test_the_client_pages_through_all_rows(client: Client, notion: Notion, tasks: str) -> None:
    made = [notion.add_page(tasks, {"Task": str(number)}) for number in range(7)]
    rows = collect_paginated_api(client.data_sources.query, data_source_id=tasks, page_size=3)
    assert [row["id"] for row in rows] == made[::-1]


def test_the_client_reads_errors_with_what_they_carry(client: Client, notion: Notion, tasks: str) -> None:
    parent = {"data_source_id": tasks}
    notion.faults.add("saved")
    with pytest.raises(APIResponseError) as saved:
        client.pages.create(parent=parent, properties={"Task": title("Bread")})
    assert (saved.value.status, saved.value.code) == (503, "service_unavailable")
    assert (saved.value.additional_data or {})["committed_resource_id"] == notion.pages(tasks)[0].id
    notion.faults.add("rate_limited", seconds=3)
    with pytest.raises(APIResponseError) as limited:
        client.users.me()
    assert limited.value.headers["retry-after"] == "3"


def test_the_client_sees_a_cut_reply_as_a_lost_connection(client: Client, notion: Notion, tasks: str) -> None:
    notion.faults.add("cut")
    with pytest.raises(httpx.RemoteProtocolError):
        client.pages.create(parent={"data_source_id": tasks}, properties={"Task": title("Bread")})
    assert len(notion.pages(tasks)) == 1


def test_without_the_version_the_client_is_refused(server: SandboxServer) -> None:
    client = Client(auth=TOKEN, base_url=server.url, retry=False, logger=logging.getLogger("test"))
    with pytest.raises(APIResponseError, match="Notion-Version"):
        client.users.me()
    client.close()
