"""Which properties of a data source a task uses: those that it maps, and those that are the sync's own."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sync_workers.errors import SettingsError
from sync_workers.model import NOTHING
from sync_workers.services.notion.page_fields import PageField, page_field
from sync_workers.services.notion.properties import Property

OWN_TYPE = "rich_text"
"""The type of the properties that are the sync's own; Notion calls it *Text*."""


_UNREADABLE = {"button": "which holds nothing that could be read"}


@dataclass(frozen=True, slots=True)
class Choice:
    """The properties that a task uses.

    Attributes:
        mapped: those that are the fields of its records.
        marker: where a create leaves its mark; None without one.
        note: where the text about conflicts goes; None without one.
        gone: names of fields that were there when the task ran last.
        parent: what names the row that a row belongs under; None without one.
        page: what is mapped of a page beside its properties.
    """

    mapped: tuple[Property, ...]
    marker: Property | None = None
    note: Property | None = None
    gone: frozenset[str] = frozenset()
    parent: Property | None = None
    page: tuple[PageField, ...] = ()

    @property
    def fields(self) -> tuple[Property | PageField, ...]:
        """All that are the fields of its records."""
        return (*self.mapped, *self.page)

    def __iter__(self) -> Iterator[Property]:
        """All of them; the sync's own stand last and are no fields."""
        yield from self.mapped
        yield from (own for own in (self.marker, self.note) if own is not None)
        if self.parent is not None and self.parent not in self.mapped:
            yield self.parent


def choose(
    properties: Mapping[str, Property],
    names: tuple[str, ...],
    what: str,
    *,
    ids: Mapping[str, str] = NOTHING,
    marker: str | None = None,
    conflicts: str | None = None,
    parent: str | None = None,
    source: str = "",
) -> Choice:
    """Find the properties by name; without names, every one that can be mapped is.

    One that stands in `ids` was mapped when the task ran last. If it is not there any more, or of a type that
    cannot serve, it is left out: whoever knows what it was decides what becomes of it.
    `source` is the id of the data source, which the parent of a row has to be in.

    Raises:
        SettingsError: all that is wrong with the names: not there, with the nearest; of a type that
            cannot serve; mapped and the sync's own at once.
    """
    own = {setting: name for setting, name in (("marker", marker), ("conflicts", conflicts)) if name}
    names = names or tuple(n for n, found in properties.items() if found.codec and n not in own.values())
    page = tuple(one for name in names if (one := page_field(name, properties, ids)) is not None)
    names = tuple(name for name in names if name not in {one.name for one in page})
    gone = frozenset(name for name in names if name in ids and any(_mapping(properties, name, what)))
    problems = [p for name in names if name not in gone for p in _mapping(properties, name, what)]
    for setting, name in own.items():
        problems += _owning(properties, setting, name, what)
        if name in names:
            problems.append(
                f"{setting} = {name!r} of {what} is mapped as a field, too: the sync writes it by itself, "
                "so take it out of the field map or name another property"
            )
    problems += _placing(properties, parent, what, source) if parent is not None else ()
    if problems:
        raise SettingsError(*problems)
    mapped = tuple(properties[name] for name in names if name not in gone)
    marked, noted, above = (properties.get(name or "") for name in (marker, conflicts, parent))
    return Choice(mapped, marked, noted, gone, above, page)


def _mapping(properties: Mapping[str, Property], name: str, what: str) -> Iterator[str]:
    """What keeps a property from being a field."""
    found = properties.get(name)
    if found is None:
        near = difflib.get_close_matches(name, properties, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(properties))}"
        yield (
            f"{what} has no property {name!r}; {hint} "
            "(a relation shows only when the data source it points to is shared, too)"
        )
    elif found.codec is None:
        why = _UNREADABLE.get(found.type, "which this version does not know yet: upgrade, or map another")
        yield f"property {name!r} of {what} has the type {found.type}, {why}"


def _placing(properties: Mapping[str, Property], name: str, what: str, source: str) -> Iterator[str]:
    """What keeps a property from naming the row that a row belongs under."""
    inside = [one for one, shown in properties.items() if source and shown.points_to == source]
    if name in inside:
        return
    near = difflib.get_close_matches(name, inside, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "turn on sub-items in Notion"
    if inside and not near:
        hint = f"there are {', '.join(map(repr, sorted(inside)))}"
    found = properties.get(name)
    said = "there is no such property" if found is None else f"it has the type {found.type}"
    if found is not None and found.points_to:
        said = f"it points to data source {found.points_to}"
    yield (
        f"parent = {name!r} must name a relation of {what} to itself, and {said}: {hint}, "
        "or leave `parent` out"
    )


def _owning(properties: Mapping[str, Property], setting: str, name: str, what: str) -> Iterator[str]:
    """What keeps a property from being the sync's own."""
    found = properties.get(name)
    if found is None:
        texts = [one for one, shown in properties.items() if shown.type == OWN_TYPE]
        near = difflib.get_close_matches(name, texts, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "add one of the type Text in Notion"
        yield f"{setting} = {name!r}: {what} has no such property; {hint}, or leave `{setting}` out"
    elif found.type != OWN_TYPE:
        yield (
            f"{setting} = {name!r} of {what} has the type {found.type} and must have the type Text "
            f"({OWN_TYPE}): name another property, or add one in Notion"
        )
