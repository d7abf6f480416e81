"""Databases and data sources beside their columns: looks, locks, the trash."""

from __future__ import annotations

import httpx
import pytest

from sync_workers.sandbox.notion import Notion
from tests.sandbox.conftest import Api

FIRE = {"type": "emoji", "emoji": "🔥"}


@pytest.fixture
def database(api: Api, notion: Notion) -> str:
    return notion.store.data_source(api.table).database_id


def test_a_database_has_an_icon_a_cover_and_a_lock(http: httpx.Client, database: str) -> None:
    cover = {"type": "external", "external": {"url": "https://example.com/cover.png"}}
    body = {"icon": FIRE, "cover": cover, "is_locked": True}
    changed = http.patch(f"/v1/databases/{database}", json=body).json()
    assert {key: changed[key] for key in body} == body
    assert http.patch(f"/v1/databases/{database}", json={"icon": None}).json()["icon"] is None
    assert http.patch(f"/v1/databases/{database}", json={"icon": {"emoji": "x"}}).status_code == 400


def test_one_data_source_of_a_database_goes_to_the_trash(api: Api, notion: Notion, database: str) -> None:
    # given two in one database
    body = {"parent": {"database_id": database}, "properties": {"Name": {"title": {}}}}
    other = api.http.post("/v1/data_sources", json=body).json()["id"]
    # when
    trashed = api.http.patch(f"/v1/data_sources/{api.table}", json={"in_trash": True}).json()
    # then it can still be read, but no more be asked
    assert trashed["in_trash"] is True
    assert api.query().status_code == 404
    assert [table.id for table in notion.tables()] == [other]
    assert api.http.get(f"/v1/data_sources/{other}").json()["in_trash"] is False
    # and it comes back
    api.http.patch(f"/v1/data_sources/{api.table}", json={"in_trash": False})
    assert api.query().status_code == 200
