"""The objects that the official client's own tests want to find: each one is made through the client."""

from __future__ import annotations

import io
from typing import Any, cast

import pytest
from notion_client import Client

from sync_workers.sandbox.notion import Notion

Answer = dict[str, Any]


def _title(text: str) -> Answer:
    return {"title": [{"text": {"content": text}}]}


def _id(answer: Any) -> str:
    return cast("str", cast("Answer", answer)["id"])


@pytest.fixture
def parent_page_id(notion: Notion) -> str:
    return notion.root


@pytest.fixture
def page_id(client: Client, parent_page_id: str) -> str:
    return _id(client.pages.create(parent={"page_id": parent_page_id}, properties=_title("Test Page")))


@pytest.fixture
def database_id(client: Client, page_id: str) -> str:
    parent = {"type": "page_id", "page_id": page_id}
    return _id(client.databases.create(parent=parent, title=_title("Test Database")["title"]))


@pytest.fixture
def data_source_id(client: Client, database_id: str) -> str:
    return _id(cast("Answer", client.databases.retrieve(database_id))["data_sources"][0])


@pytest.fixture
def async_test_data_source(data_source_id: str) -> str:
    return data_source_id


@pytest.fixture
def view_id(client: Client, database_id: str, data_source_id: str) -> str:
    view = client.views.create(
        database_id=database_id, data_source_id=data_source_id, name="A view", type="table"
    )
    return _id(view)


def _block(client: Client, page_id: str, *rich_text: Answer) -> str:
    children = [{"paragraph": {"rich_text": list(rich_text)}}]
    answer = client.blocks.children.append(block_id=page_id, children=children)
    return _id(cast("Answer", answer)["results"][0])


@pytest.fixture
def block_id(client: Client, page_id: str) -> str:
    return _block(client, page_id, {"text": {"content": "I'm a paragraph."}})


@pytest.fixture
def text_block_id(block_id: str) -> str:
    return block_id


@pytest.fixture
def equation_block_id(client: Client, page_id: str) -> str:
    return _block(client, page_id, {"type": "equation", "equation": {"expression": "e = mc^2"}})


@pytest.fixture
def mention_block_id(client: Client, page_id: str) -> str:
    mention = {"type": "date", "date": {"start": "2026-01-02"}}
    return _block(client, page_id, {"type": "mention", "mention": mention})


@pytest.fixture
def comment_id(client: Client, page_id: str) -> str:
    text = [{"text": {"content": "This is a test comment."}}]
    return _id(client.comments.create(parent={"page_id": page_id}, rich_text=text))


def _pages(client: Client, parent: str, title: str) -> list[str]:
    return [_id(client.pages.create(parent={"page_id": parent}, properties=_title(title))) for _ in range(5)]


@pytest.fixture
def multiple_test_pages(client: Client, parent_page_id: str) -> list[str]:
    return _pages(client, parent_page_id, "test_iterate_paginated_api")


@pytest.fixture
def async_multiple_test_pages(client: Client, parent_page_id: str) -> list[str]:
    return _pages(client, parent_page_id, "test_async_iterate_paginated_api")


def _upload(client: Client, name: str, **more: Any) -> str:
    return _id(client.file_uploads.create(filename=name, content_type="text/plain", **more))


@pytest.fixture
def pending_single_file_upload_id(client: Client) -> str:
    return _upload(client, "test_file_small.txt", mode="single_part")


@pytest.fixture
def single_file_upload_id(client: Client, pending_single_file_upload_id: str) -> str:
    client.file_uploads.send(file_upload_id=pending_single_file_upload_id, file=io.BytesIO(b"content"))
    return pending_single_file_upload_id


@pytest.fixture
def pending_multi_file_upload_id(client: Client) -> str:
    return _upload(client, "test_file_multi.txt", mode="multi_part", number_of_parts=3)


@pytest.fixture
def part_uploaded_file_upload_id(client: Client, pending_multi_file_upload_id: str) -> str:
    for number in ("1", "2", "3"):
        part = io.BytesIO(b"A" * 1024)
        client.file_uploads.send(file_upload_id=pending_multi_file_upload_id, file=part, part_number=number)
    return pending_multi_file_upload_id


@pytest.fixture
def setup_file_uploads_ids(client: Client) -> list[str]:
    return [_upload(client, f"file_{number}.txt", mode="single_part") for number in range(6)]
