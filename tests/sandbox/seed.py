"""Put into a sandbox what existed before a recording: read back from the recorded answers, same ids."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any
from urllib.parse import quote

from sync_workers.sandbox.notion import TOKEN, Notion
from sync_workers.sandbox.nouns import Change, Database, DataSource, Page, Property, User
from tests.sandbox.evidence import Exchange


def seed(notion: Notion, recording: list[Exchange]) -> None:
    notion.store.pages.clear()
    notion.store.workspace_id = _workspace(recording) or notion.store.workspace_id
    made = {e.response["id"] for e in recording if e.method == "POST" and "id" in e.response}
    tables = {i for e in recording for i in _tables_of(e) if e.method == "POST"}
    first: dict[str, dict[str, Any]] = {}
    for exchange in recording:
        for shown in exchange.response.get("results", [exchange.response]):
            first.setdefault(shown.get("id", ""), shown)
            _seed_users(notion, shown)
    before = [shown for i, shown in first.items() if i not in made | tables]
    _seed_parents(notion, recording)
    # Oldest first: listings show the last edited first and, at the same minute, what was made last.
    for shown in reversed(before):
        if shown["object"] == "page":
            _seed_page(notion, shown)
        elif shown["object"] == "data_source":
            _seed_table(notion, shown)


def _seed_parents(notion: Notion, recording: list[Exchange]) -> None:
    """Pages under which something is made, also when the recording never shows them."""
    for exchange in recording:
        parent = (exchange.request or {}).get("parent", {}).get("page_id")
        if parent:
            change = notion.store.change(notion.person)
            workspace = {"type": "workspace", "workspace": True}
            notion.store.pages[parent] = Page(parent, workspace, {"title": []}, change, change)


def _workspace(recording: list[Exchange]) -> str | None:
    """The id that stands last in every reference of a formula."""
    found = re.findall(r"block_property:[^}]*:([0-9a-f-]{36})}", json.dumps([e.response for e in recording]))
    return found[-1] if found else None


def _tables_of(exchange: Exchange) -> list[str]:
    return [source["id"] for source in exchange.response.get("data_sources", [])]


def _seed_users(notion: Notion, part: Any) -> None:
    """Everyone who is named; the one who wrote is the bot of our token."""
    if isinstance(part, list):
        for item in part:
            _seed_users(notion, item)
    if not isinstance(part, dict):
        return
    if part.get("object") == "user":
        known = notion.store.users.get(part["id"])
        if known is None or known.name == "?":
            email = part.get("person", {}).get("email")
            notion.store.users[part["id"]] = User(part["id"], part.get("name", "?"), email)
        if "workspace_name" in part.get("bot", {}):
            notion.store.workspace_name = part["bot"]["workspace_name"]
    for key, item in part.items():
        if key == "last_edited_by" and part.get("object") == "page":
            notion.tokens[TOKEN] = item["id"]
        _seed_users(notion, item)


def _changes(shown: dict[str, Any]) -> tuple[Change, Change]:
    def change(time: str, by: str) -> Change:
        return Change(datetime.fromisoformat(shown[time]), shown[by]["id"])

    return change("created_time", "created_by"), change("last_edited_time", "last_edited_by")


def _seed_page(notion: Notion, shown: dict[str, Any]) -> None:
    assert "data_source_id" not in shown["parent"], "rows are made in the recordings"
    created, edited = _changes(shown)
    title = shown["properties"]["title"]["title"]
    looks = {"icon": shown["icon"], "cover": shown["cover"]}
    page = Page(shown["id"], shown["parent"], {"title": title}, created, edited, **looks)
    notion.store.pages[page.id] = page


def _seed_table(notion: Notion, shown: dict[str, Any]) -> None:
    created, edited = _changes(shown)
    source = DataSource(
        shown["id"],
        shown["parent"]["database_id"],
        shown["title"],
        tuple(_column(column) for column in shown["properties"].values()),
        created,
        edited,
        shown["description"],
        shown["icon"],
        shown["cover"],
    )
    database = Database(
        source.database_id,
        shown["database_parent"],
        source.title,
        created,
        source.description,
        in_trash=shown["in_trash"],
    )
    notion.store.databases[database.id] = database
    notion.store.data_sources[source.id] = source


def _column(shown: dict[str, Any]) -> Property:
    config = dict(shown[shown["type"]])
    if shown["type"] == "relation":
        synced = config.get("dual_property", {}).get("synced_property_id")
        config = {"data_source_id": config["data_source_id"], "synced_property_id": synced}
    elif shown["type"] == "rollup":
        ids = ("relation_property_id", "rollup_property_id")
        config = {"function": config["function"], **{key: quote(config[key]) for key in ids}}
    return Property(shown["id"], shown["name"], shown["type"], config, shown["description"])
