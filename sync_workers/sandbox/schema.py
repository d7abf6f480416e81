"""Schemas: make, change and remove the columns of a data source, relations on both ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sync_workers.sandbox.checks import check_list, check_object, check_text, part_of
from sync_workers.sandbox.computed import keep_expression
from sync_workers.sandbox.errors import failed, invalid
from sync_workers.sandbox.nouns import DataSource, Json, Property
from sync_workers.sandbox.properties import find_option, new_option, unset
from sync_workers.sandbox.store import Store
from sync_workers.sandbox.texts import plain_text

TYPES = frozenset(
    [
        "title",
        "rich_text",
        "number",
        "select",
        "multi_select",
        "status",
        "date",
        "people",
        "files",
        "checkbox",
        "url",
        "email",
        "phone_number",
        "formula",
        "relation",
        "rollup",
        "created_time",
        "created_by",
        "last_edited_time",
        "last_edited_by",
        "unique_id",
        "button",
        "place",
        "verification",
    ]
)
_GROUPS = (("To-do", "gray"), ("In progress", "blue"), ("Complete", "green"))
_STATUS = (("Not started", "default"), ("In progress", "blue"), ("Done", "green"))


def make_columns(store: Store, source: DataSource, specs: Any) -> DataSource:
    """A new data source's columns: exactly one title, then what refers to other columns last."""
    specs = check_object(specs, "properties")
    kinds = [_kind(name, spec) for name, spec in specs.items()]
    if kinds.count("title") != 1:
        raise invalid(
            "Title is not provided, or more than once: a data source has exactly one title property."
        )
    late = {"formula": 1, "rollup": 2}
    for name in sorted(specs, key=lambda name: late.get(_kind(name, specs[name]), 0)):
        source = add_column(store, source, name, specs[name])
    return source


def change_columns(store: Store, source: DataSource, changes: Any, by: str) -> DataSource:
    """Columns by name or id: null removes, a name renames, a type changes or adds."""
    for key, change in check_object(changes, "properties").items():
        column = source.find(key)
        if change is None:
            source = _remove(store, source, column, key, by)
        elif column is None:
            source = add_column(store, source, key, change)
        else:
            source = _change(store, source, column, change)
        store.data_sources[source.id] = source
    return source


def add_column(store: Store, source: DataSource, name: str, spec: Any) -> DataSource:
    kind = _kind(name, spec)
    taken = {column.id for column in source.properties}
    column_id = "title" if kind == "title" else store.new_property_id(taken)
    column = Property(column_id, name, kind, {}, spec.get("description"))
    column = replace(
        column, config=_config(store, source, column, part_of(spec, kind, f"properties.{name}."))
    )
    source = store.data_sources[source.id]  # with the other end, when it relates to itself
    source = replace(source, properties=(*source.properties, column))
    store.data_sources[source.id] = source
    return source


def _kind(name: str, spec: Any) -> str:
    spec = check_object(spec, f"properties.{name}")
    kind = spec.get("type") or next((key for key in spec if key in TYPES), None)
    if not isinstance(kind, str) or kind not in TYPES:
        raise failed(f"properties.{name}.type", "a property type", kind)
    return kind


def _change(store: Store, source: DataSource, column: Property, change: Json) -> DataSource:
    change = check_object(change, f"properties.{column.name}")
    if "name" in change:
        name = check_text(change["name"], f"properties.{column.name}.name")
        if (other := source.find(name)) and other.id != column.id and other.name == name:
            raise invalid(f"There is a property named {name} already.")
        column = replace(column, name=name)
    if "description" in change:
        column = replace(column, description=change["description"])
    if any(key == "type" or key in TYPES for key in change):
        kind = _kind(column.name, change)
        if kind != column.type:
            _drop_back(store, column, source.edited.by)
            column = replace(column, type=kind, config={})
            _clear(store, source, column)
        spec = part_of(change, kind, f"properties.{column.name}.")
        column = replace(column, config=_config(store, source, column, spec))
    source = store.data_sources[source.id]  # as above
    columns = tuple(column if p.id == column.id else p for p in source.properties)
    return replace(source, properties=columns)


def _clear(store: Store, source: DataSource, column: Property) -> None:
    """A property that changes its type loses its values; Notion converts some of them."""
    for page in list(store.rows(source.id)):
        store.pages[page.id] = replace(page, values={**page.values, column.id: unset(column.type)})


def _remove(store: Store, source: DataSource, column: Property | None, key: str, by: str) -> DataSource:
    if column is None:
        raise invalid(f"{key} is not a property that exists.")
    if column.type == "title":
        raise invalid("The title property cannot be removed.")
    _drop_back(store, column, by)
    source = store.data_sources[source.id]  # as above
    return replace(source, properties=tuple(p for p in source.properties if p.id != column.id))


def _config(store: Store, source: DataSource, column: Property, spec: Json) -> Json:
    match column.type:
        case "select" | "multi_select" | "status":
            return _options(store, column, spec)
        case "number":
            return {"format": spec.get("format", "number")}
        case "unique_id":
            return {"prefix": spec.get("prefix")}
        case "formula":
            return {
                "expression": keep_expression(
                    check_text(spec.get("expression", ""), "expression"), source, store.workspace_id
                )
            }
        case "rollup":
            return _rollup(store, source, spec)
        case "relation":
            return _relation(store, source, column, spec)
        case _:
            return {}


def _options(store: Store, column: Property, spec: Json) -> Json:
    """The given list is the new list; options that are known by id or name keep their id."""
    path = f"properties.{column.name}.{column.type}.options"
    written = check_list(spec.get("options", column.options), path)
    options = [_option(store, column, item, f"{path}[{place}]") for place, item in enumerate(written)]
    if column.type != "status":
        return {"options": options}
    if not options:
        options = [new_option(store, {"name": name, "color": color}, path) for name, color in _STATUS]
        return {"options": options, "groups": _groups(store, [[option["id"]] for option in options])}
    groups = column.config.get("groups") or _groups(store, [[], [], []])
    grouped = {option_id for group in groups for option_id in group["option_ids"]}
    fresh = [option["id"] for option in options if option["id"] not in grouped]
    # Options made by the API stand in the first group; they cannot be regrouped by it.
    first = {**groups[0], "option_ids": [*groups[0]["option_ids"], *fresh]}
    return {"options": options, "groups": [first, *groups[1:]]}


def _option(store: Store, column: Property, item: Any, path: str) -> Json:
    item = check_object(item, path)
    return find_option(column, item) or new_option(store, item, path)


def _groups(store: Store, members: list[list[str]]) -> list[Json]:
    return [
        {"id": store.new_id(), "name": name, "color": color, "option_ids": ids}
        for (name, color), ids in zip(_GROUPS, members, strict=True)
    ]


def _rollup(store: Store, source: DataSource, spec: Json) -> Json:
    relation = source.find(str(spec.get("relation_property_id") or spec.get("relation_property_name")))
    if relation is None or relation.type != "relation":
        raise invalid("A rollup needs a relation property of the same data source.")
    related = store.data_source(relation.config["data_source_id"])
    rolled = related.find(str(spec.get("rollup_property_id") or spec.get("rollup_property_name")))
    if rolled is None:
        raise invalid("A rollup needs a property of the related data source.")
    return {
        "relation_property_id": relation.id,
        "rollup_property_id": rolled.id,
        "function": spec.get("function", "show_original"),
    }


def _relation(store: Store, source: DataSource, column: Property, spec: Json) -> Json:
    """Where it points; a two-way one makes its counterpart in the other data source."""
    related = store.data_source(str(spec.get("data_source_id")))
    kept = {"data_source_id": related.id}
    partner = column.config.get("synced_property_id")
    moved = column.config.get("data_source_id") not in {None, related.id}
    if "dual_property" not in spec:
        if partner is not None:
            _cut_back(store, column)
        return kept
    if partner is not None and not moved:
        return dict(column.config)
    if partner is not None:
        _drop_back(store, column, source.edited.by)
    named = part_of(spec, "dual_property").get("synced_property_name")
    name = named or f"Related to {plain_text(source.title)} ({column.name})"
    back_id = store.new_property_id({p.id for p in related.properties})
    back_config = {"data_source_id": source.id, "synced_property_id": column.id}
    back = Property(back_id, name, "relation", back_config)
    store.put_source(replace(related, properties=(*related.properties, back)), source.edited.by)
    return {**kept, "synced_property_id": back_id}


def _back(store: Store, column: Property) -> tuple[DataSource, Property] | None:
    partner = column.config.get("synced_property_id")
    related = store.data_sources.get(column.config.get("data_source_id", ""))
    found = related.find(partner) if related and partner else None
    return (related, found) if related and found else None


def _drop_back(store: Store, column: Property, by: str) -> None:
    """The counterpart of a removed two-way relation goes with it."""
    if back := _back(store, column):
        related, found = back
        left = tuple(p for p in related.properties if p.id != found.id)
        store.put_source(replace(related, properties=left), by)


def _cut_back(store: Store, column: Property) -> None:
    """The counterpart of a relation that becomes one-way stays as a one-way relation [recorded]."""
    if back := _back(store, column):
        related, found = back
        alone = replace(found, config={"data_source_id": found.config["data_source_id"]})
        columns = tuple(alone if p.id == found.id else p for p in related.properties)
        store.data_sources[related.id] = replace(related, properties=columns)
