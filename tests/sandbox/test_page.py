"""The page for people: what it is made of, and the endpoints that it uses."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from sync_workers.sandbox.notion import Notion
from tests.sandbox.conftest import Api

EVIL = "<img src=x onerror=alert(1)>"


def table(http: httpx.Client) -> dict[str, Any]:
    read: dict[str, Any] = http.get("/_sandbox/tables").json()["tables"][0]
    return read


def test_the_page_stands_alone_and_never_reads_text_as_html(http: httpx.Client) -> None:
    answer = http.get("/")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert not re.search(r"https?://|innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", answer.text)


def test_the_page_shows_no_values_itself(http: httpx.Client, notion: Notion, tasks: str) -> None:
    notion.add_page(tasks, {"Task": EVIL})
    assert EVIL not in http.get("/").text
    tables = http.get("/_sandbox/tables")
    assert tables.headers["content-type"] == "application/json"
    assert tables.json()["tables"][0]["rows"][0]["values"]["Task"] == EVIL


def test_tables_are_shown_with_columns_and_rows(api: Api, notion: Notion) -> None:
    row = notion.add_page(api.table, {"Task": "Bread", "Kind": "Home"})
    api.update(row, Effort={"number": 2})
    shown = table(api.http)
    assert (shown["id"], shown["title"]) == (api.table, "Tasks")
    assert shown["columns"][0] == {"name": "Task", "type": "title", "options": []}
    assert {"name": "Kind", "type": "select", "options": ["Home", "Work"]} in shown["columns"]
    assert (shown["rows"][0]["id"], shown["rows"][0]["edited_by"]) == (row, "Sync")
    assert shown["rows"][0]["values"]["Effort"] == 2
    assert api.http.get("/_sandbox/tables").json()["requests"] == 1


EDITS = [
    ("Task", "Milk"),
    ("Effort", 2.5),
    ("Done", True),
    ("Kind", "Work"),
    ("State", "Done"),
    ("Due", "2026-01-31"),
    ("Due", ["2026-01-31", "2026-02-01"]),
    ("Kind", None),
]


@pytest.mark.parametrize(("name", "value"), EDITS)
def test_a_cell_is_edited(http: httpx.Client, notion: Notion, tasks: str, name: str, value: Any) -> None:
    row = notion.add_page(tasks, {"Task": "Bread", "Kind": "Home"})
    shown = http.patch(f"/_sandbox/pages/{row}", json={name: value}).json()
    assert shown["values"][name] == value
    assert shown["edited_by"] == "Ada"


def test_a_row_is_added_and_trashed(http: httpx.Client, notion: Notion, tasks: str) -> None:
    made = http.post(f"/_sandbox/data_sources/{tasks}/pages", json={}).json()["id"]
    assert [row.id for row in notion.pages(tasks)] == [made]
    http.request("DELETE", f"/_sandbox/pages/{made}", json={})
    assert table(http)["rows"] == []


def test_a_wrong_edit_is_told(http: httpx.Client, notion: Notion, tasks: str) -> None:
    row = notion.add_page(tasks, {"Task": "Bread"})
    for values in ({"Effort": "many"}, {"State": "Blocked"}, {"Due": "tomorrow"}, {"Color": "red"}):
        answer = http.patch(f"/_sandbox/pages/{row}", json=values)
        assert answer.status_code == 400
        assert answer.json()["message"]
    assert http.patch("/_sandbox/pages/none", json={}).status_code == 400
    assert http.patch(f"/_sandbox/pages/{row}", content="{", headers=JSON).status_code == 400


JSON = {"Content-Type": "application/json"}


def test_a_form_of_another_site_cannot_write(http: httpx.Client, notion: Notion, tasks: str) -> None:
    row = notion.add_page(tasks, {"Task": "Bread"})
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        headers = {"Content-Type": kind}
        assert (
            http.post(f"/_sandbox/data_sources/{tasks}/pages", content="{}", headers=headers).status_code
            == 415
        )
    assert http.delete(f"/_sandbox/pages/{row}").status_code == 415
    assert [r.id for r in notion.pages(tasks)] == [row]


def test_the_log_and_the_window_are_controlled(http: httpx.Client, notion: Notion) -> None:
    http.get("/v1/users/me")
    log = [{"method": "GET", "path": "/v1/users/me", "status": 200}]
    assert http.get("/_sandbox/requests").json() == log
    http.request("DELETE", "/_sandbox/requests", json={})
    assert notion.seen_requests() == []
    http.post("/_sandbox/limit", json={"requests_per_minute": 1})
    assert [http.get("/v1/users/me").status_code for _ in range(2)] == [200, 429]
    http.post("/_sandbox/limit", json={"requests_per_minute": None})
    assert http.get("/v1/users/me").status_code == 200


def test_a_person_writes_on_a_page(api: Api, notion: Notion) -> None:
    row = notion.add_page(api.table, {"Task": "Bread"})
    api.http.put(f"/_sandbox/pages/{row}/body", json={"markdown": "- fresh"})
    api.http.put(f"/_sandbox/pages/{row}/icon", json={"icon": "🥖"})
    (shown,) = table(api.http)["rows"]
    assert (shown["body"], shown["icon"]) == ("- fresh", "🥖")
    api.http.put(f"/_sandbox/pages/{row}/icon", json={"icon": "https://example.com/i.png"})
    assert api.get(row)["icon"]["external"] == {"url": "https://example.com/i.png"}
    api.http.put(f"/_sandbox/pages/{row}/icon", json={"icon": ""})
    assert notion.page(row).icon == ""
