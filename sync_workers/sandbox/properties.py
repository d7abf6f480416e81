"""Property values: check what a client writes and bring it to the form in which it is kept."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sync_workers.sandbox.attached import read_files
from sync_workers.sandbox.checks import check_list, check_object, check_text
from sync_workers.sandbox.errors import failed, invalid
from sync_workers.sandbox.nouns import DataSource, Json, Property
from sync_workers.sandbox.store import Store, as_id
from sync_workers.sandbox.texts import plain_text, show_date, show_rich_text

READ_ONLY = frozenset(
    [
        "formula",
        "rollup",
        "unique_id",
        "created_time",
        "created_by",
        "last_edited_time",
        "last_edited_by",
        "button",
    ]
)
_LISTS = frozenset({"title", "rich_text", "multi_select", "people", "relation", "files"})
_LENGTHS = {"url": 2000, "email": 200, "phone_number": 200}
OPTION_NAME_LIMIT = 100


@dataclass(frozen=True, slots=True)
class Written:
    """Values to keep, and the data source with the options that the write made."""

    values: dict[str, Any]
    source: DataSource


def unset(kind: str) -> Any:
    """What a property of that type holds in a new page."""
    if kind == "checkbox":
        return False
    return [] if kind in _LISTS else None


def write_values(store: Store, source: DataSource, properties: Any) -> Written:
    """Check the `properties` of a request against the schema; nothing is kept before all are right."""
    values: dict[str, Any] = {}
    for key, written in check_object(properties, "properties").items():
        column = source.find(key)
        if column is None:
            raise invalid(f"{key} is not a property that exists.")
        payload = _payload(column, key, written)
        if column.type in {"select", "multi_select", "status"}:
            column, values[column.id] = _write_options(store, column, payload, f"properties.{key}")
            source = replace_property(source, column)
        else:
            values[column.id] = _WRITERS[column.type](
                store, column, payload, f"properties.{key}.{column.type}"
            )
    return Written(values, source)


def replace_property(source: DataSource, column: Property) -> DataSource:
    return replace(source, properties=tuple(column if p.id == column.id else p for p in source.properties))


def _payload(column: Property, key: str, written: Any) -> Any:
    """What stands under the type's name; a title may come as a bare list."""
    if column.type in READ_ONLY:
        raise invalid(f"{key} is a {column.type} property and cannot be written.")
    if isinstance(written, list) and column.type == "title":
        return written
    written = check_object(written, f"properties.{key}")
    if written.get("type", column.type) != column.type or column.type not in written:
        raise invalid(f"{key} is expected to be {column.type}.")
    return written[column.type]


def _text(store: Store, _column: Property, payload: Any, path: str) -> Any:
    return show_rich_text(payload, path, partial(_mentioned, store))


def _mentioned(store: Store, mention: Json) -> str | None:
    """How a mention reads; what is not there cannot be mentioned."""
    content = mention[mention["type"]]
    match mention["type"]:
        case "user":
            return f"@{store.user(content['id']).name}"
        case "page":
            page = store.page(content["id"])
            source = store.data_sources.get(page.data_source_id or "")
            return plain_text(page.values.get(source.title_property.id if source else "title", []))
        case "database":
            return plain_text(store.database(content["id"]).title)
        case "date":
            shown = show_date(content, "mention.date") or {}
            return " → ".join(str(shown[end]) for end in ("start", "end") if shown.get(end))
        case _:
            return None


def _number(_store: Store, _column: Property, payload: Any, path: str) -> Any:
    good = payload is None or (isinstance(payload, int | float) and not isinstance(payload, bool))
    if not good or (isinstance(payload, float) and not math.isfinite(payload)):
        raise failed(path, "a number", payload)
    return payload


def _checkbox(_store: Store, _column: Property, payload: Any, path: str) -> Any:
    if not isinstance(payload, bool):
        raise failed(path, "a boolean", payload)
    return payload


def _short_text(_store: Store, column: Property, payload: Any, path: str) -> Any:
    if payload is None:
        return None
    text = check_text(payload, path, _LENGTHS[column.type])
    if not text and column.type == "url":
        raise failed(f"{path}.length", "≥ `1`", 0)
    return text or None


def _date(_store: Store, _column: Property, payload: Any, path: str) -> Any:
    return show_date(payload, path)


def _people(store: Store, _column: Property, payload: Any, path: str) -> Any:
    ids = _ids(payload, path)
    for user_id in ids:
        store.user(user_id)
    return ids


def _relation(store: Store, column: Property, payload: Any, path: str) -> Any:
    ids = _ids(payload, path)
    for page_id in ids:
        if store.page(page_id).data_source_id != column.config["data_source_id"]:
            raise invalid(f"{path}: page {page_id} is not in the data source that {column.name} relates to.")
    return ids


def _ids(payload: Any, path: str) -> list[str]:
    ids = []
    for place, item in enumerate(check_list(payload, path)):
        plain = as_id(str(item.get("id"))) if isinstance(item, dict) else None
        if plain is None:
            raise failed(f"{path}[{place}].id", "a valid uuid", item)
        ids.append(plain)
    return list(dict.fromkeys(ids))


def _files(store: Store, _column: Property, payload: Any, path: str) -> Any:
    return read_files(store, payload, path)


def _place(_store: Store, _column: Property, payload: Any, path: str) -> Any:
    if payload is None:
        return None
    place = check_object(payload, path)
    for part in ("lat", "lon"):
        if isinstance(place.get(part), bool) or not isinstance(place.get(part), int | float):
            raise failed(f"{path}.{part}", "a number", place.get(part))
    return {
        part: place.get(part) for part in ("lat", "lon", "name", "address", "aws_place_id", "google_place_id")
    }


def _verification(_store: Store, _column: Property, payload: Any, path: str) -> Any:
    """Who verified it is left out here: the sandbox does not know who writes at this place."""
    state = check_object(payload, path).get("state")
    if state not in {"verified", "unverified"}:
        raise failed(f"{path}.state", '`"verified"` or `"unverified"`', state)
    until = show_date(payload.get("date"), f"{path}.date") if state == "verified" else None
    return {"state": state, "date": until, "verified_by": None}


_WRITERS: dict[str, Callable[[Store, Property, Any, str], Any]] = {
    "title": _text,
    "rich_text": _text,
    "number": _number,
    "checkbox": _checkbox,
    "url": _short_text,
    "email": _short_text,
    "phone_number": _short_text,
    "date": _date,
    "people": _people,
    "relation": _relation,
    "files": _files,
    "place": _place,
    "verification": _verification,
}


def _write_options(store: Store, column: Property, payload: Any, path: str) -> tuple[Property, Any]:
    """Option ids, and the column with the options that select and multi_select make on the way."""
    path = f"{path}.{column.type}"
    if column.type != "multi_select":
        if payload is None:
            return column, None
        column, option_id = _write_option(store, column, payload, path)
        return column, option_id
    ids = []
    for place, item in enumerate(check_list(payload, path)):
        column, option_id = _write_option(store, column, item, f"{path}[{place}]")
        ids.append(option_id)
    return column, list(dict.fromkeys(ids))


def _write_option(store: Store, column: Property, item: Any, path: str) -> tuple[Property, str]:
    if not isinstance(item, dict) or not (item.get("id") or item.get("name")):
        raise failed(f"{path}.name", "defined", "undefined")
    found = find_option(column, item)
    if found is not None:
        return column, found["id"]
    if "name" not in item:
        raise invalid(f"{path}: there is no option with the id {item['id']}.")
    if column.type == "status":
        raise invalid(f'Invalid status option. Status option "{item["name"]}" does not exist".')
    option = new_option(store, item, path)
    return replace(column, config={**column.config, "options": [*column.options, option]}), option["id"]


def find_option(column: Property, item: Json) -> Json | None:
    """By id, else by name; names are unique without case."""
    if item.get("id") and (by_id := column.option(item["id"])):
        return by_id
    name = str(item.get("name") or "").casefold()
    return next((option for option in column.options if option["name"].casefold() == name), None)


def new_option(store: Store, item: Json, path: str) -> Json:
    name = check_text(item.get("name"), f"{path}.name", OPTION_NAME_LIMIT)
    if "," in name:
        raise invalid(f"Invalid select option, commas not allowed: {name}")
    color = item.get("color") or "default"
    return {"id": store.new_id(), "name": name, "color": color, "description": item.get("description")}
