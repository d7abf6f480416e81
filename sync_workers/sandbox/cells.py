"""The value of one property of one row, as Notion shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sync_workers.sandbox import computed, users
from sync_workers.sandbox.attached import show_files
from sync_workers.sandbox.nouns import DataSource, Json, Page, Property
from sync_workers.sandbox.rollups import rolled_up
from sync_workers.sandbox.store import Store
from sync_workers.sandbox.texts import show_time

SHOWN_REFERENCES = 25
"""Of a relation, people, a text's mentions, or what a rollup looks at; the property-item endpoint has all."""

_PAGED = frozenset({"title", "rich_text", "relation", "people"})


def value(store: Store, source: DataSource, column: Property, one: Page) -> Json:
    """A property as it stands in a page."""
    shown = content(store, source, column, one)
    if column.type == "relation":
        more = len(shown) > SHOWN_REFERENCES
        return {"id": column.id, "type": "relation", "relation": shown[:SHOWN_REFERENCES], "has_more": more}
    if column.type == "people":
        shown = shown[:SHOWN_REFERENCES]
    if column.type == "rollup":
        shown = _rollup(store, source, column, one, most=SHOWN_REFERENCES)
    if column.type in {"title", "rich_text"}:
        places = [place for place, item in enumerate(shown) if item["type"] == "mention"]
        shown = shown[: places[SHOWN_REFERENCES]] if len(places) > SHOWN_REFERENCES else shown
    return {"id": column.id, "type": column.type, column.type: shown}


def property_item(store: Store, source: DataSource, column: Property, one: Page) -> Json | list[Json]:
    """One object, or for texts, relations and people the items of a list."""
    shown = content(store, source, column, one)
    base = {"object": "property_item", "type": column.type, "id": column.id}
    if column.type == "rollup":
        return [{"object": "property_item", "id": column.id, **item} for item in shown.get("array", ())]
    if column.type in _PAGED:
        return [{**base, column.type: item} for item in shown]
    return {**base, column.type: shown}


def content(store: Store, source: DataSource, column: Property, one: Page) -> Any:
    """What stands under the type's name, in full."""
    if column.type in _OF_PAGE:
        return _OF_PAGE[column.type](store, source, column, one)
    kept = one.values.get(column.id)
    return _OF_VALUE[column.type](store, column, kept) if column.type in _OF_VALUE else kept


def together(store: Store, source: DataSource, column: Property, one: Page) -> Json:
    """What the property-item endpoint says of all items of a value together."""
    if column.type != "rollup":
        return {}
    shown: Json = content(store, source, column, one)
    return {**shown, "array": []} if shown["type"] == "array" else shown


def _rollup(store: Store, source: DataSource, column: Property, one: Page, most: int | None = None) -> Json:
    """Over the related rows that are not in the trash."""
    relation = source.find(column.config["relation_property_id"])
    related = store.data_sources.get(relation.config["data_source_id"]) if relation else None
    rolled = related.find(column.config["rollup_property_id"]) if related else None
    if relation is None or related is None or rolled is None:
        return rolled_up("show_original", [])
    ids = [row["id"] for row in _relation(store, relation, one.values.get(relation.id))]
    shown = (content(store, related, rolled, store.pages[row_id]) for row_id in ids[:most])
    return rolled_up(column.config["function"], [{"type": rolled.type, rolled.type: v} for v in shown])


def _option(_store: Store, column: Property, option_id: str | None) -> Json | None:
    option = column.option(option_id)
    return option and {key: option[key] for key in ("id", "name", "color")}


def _options(store: Store, column: Property, kept: list[str] | None) -> list[Json]:
    return [option for option_id in kept or () if (option := _option(store, column, option_id))]


def _user(store: Store, user_id: str) -> Json:
    return users.show(store.users[user_id], with_email=store.shows_emails)


def _people(store: Store, _column: Property, kept: list[str] | None) -> list[Json]:
    return [_user(store, user_id) for user_id in kept or ()]


def _relation(store: Store, _column: Property, kept: list[str] | None) -> list[Json]:
    # A page in the trash is still related, but not shown; nor is one that is not shared or deleted for good.
    there = (store.pages[page_id] for page_id in kept or () if page_id in store.pages)
    return [{"id": page.id} for page in there if not page.in_trash and not store.hides(page.id)]


def _files(store: Store, _column: Property, kept: list[Json] | None) -> list[Json]:
    return show_files(store, kept or [])


def _list(_store: Store, _column: Property, kept: list[Json] | None) -> list[Json]:
    return kept or []


_OF_VALUE: dict[str, Callable[[Store, Property, Any], Any]] = {
    "select": _option,
    "status": _option,
    "multi_select": _options,
    "people": _people,
    "relation": _relation,
    "title": _list,
    "rich_text": _list,
    "files": _files,
}

_OF_PAGE: dict[str, Callable[[Store, DataSource, Property, Page], Any]] = {
    "created_time": lambda _store, _source, _column, one: show_time(one.created.at),
    "last_edited_time": lambda _store, _source, _column, one: show_time(one.edited.at),
    "created_by": lambda store, _source, _column, one: _user(store, one.created.by),
    "last_edited_by": lambda store, _source, _column, one: _user(store, one.edited.by),
    "unique_id": lambda _store, _source, column, one: {
        "prefix": column.config.get("prefix"),
        "number": one.number,
    },
    "formula": lambda _store, source, column, one: computed.formula(source, column, one),
    "rollup": _rollup,
    "button": lambda _store, _source, _column, _one: {},
}
