"""`Schema`: the properties of a data source as a task knows them, for as long as a service lives."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from sync_workers.errors import MovedError
from sync_workers.model import Fields
from sync_workers.services.base import Field, Mapped
from sync_workers.services.notion.bound import bind
from sync_workers.services.notion.choice import Choice, choose
from sync_workers.services.notion.chosen_forms import in_forms
from sync_workers.services.notion.page_fields import page_fields
from sync_workers.services.notion.people import People
from sync_workers.services.notion.properties import Property, read_properties
from sync_workers.services.notion.settings import NotionContainer
from sync_workers.services.notion.source import Source


class Schema:
    """What the names of the task file stand for."""

    def __init__(self, source: Source, container: NotionContainer, mapped: Mapped, people: People) -> None:
        self._source = source
        self._container = container
        self._mapped = mapped
        self._people = people
        self._made: set[str] = set()

    @cached_property
    def properties(self) -> Mapping[str, Property]:
        """By the names that the task file has for them, the others by their own."""
        bound = bind(self._source.properties, self._mapped.names, self._mapped.ids)
        known = self._mapped.ids
        # A form that fitted the type which a property had is no mistake in the task file.
        fitting = {
            n: form for n, form in self._mapped.forms.items() if n not in known or _fits(bound, n, form)
        }
        return in_forms(bound, fitting, self._people)

    @cached_property
    def chosen(self) -> Choice:
        """Those that the task uses and that are there."""
        own = {name: getattr(self._container, name) for name in ("marker", "conflicts", "parent")}
        names, ids, source = self._mapped.names, self._mapped.ids, self._source
        return choose(self.properties, names, source.name, ids=ids, source=source.id, **own)

    def ids(self) -> dict[str, str]:
        """The ids of the mapped properties by name; of those that are gone, the ones that they had."""
        there = {found.name: found.id for found in self.chosen.fields}
        known = self._mapped.ids
        return {name: known[name] for name in self._mapped.names if name in known} | there

    def make_options(self, fields: Fields) -> None:
        """Add the options that a write names and that it does not add by itself, where the task wants that.

        Raises:
            RejectedError: the connection may not change the data source.
            LaterError: someone else changes it at the same time.
        """
        for found in self.chosen.mapped:
            name = fields.get(found.name)
            if found.type != "status" or found.name not in self._mapped.grows or not isinstance(name, str):
                continue
            if name and name.casefold() not in {option.casefold() for option in found.options} | self._made:
                self._source.add_option(found, name)
                self._made.add(name.casefold())

    @property
    def fields(self) -> dict[str, Field]:
        """What can be mapped, or is, by name: properties, and what else a page has."""
        shown = {name: found.field for name, found in self.properties.items()}
        return {**shown, **page_fields(self.properties, self._mapped.names, self._mapped.ids)}

    def expect_unchanged(self) -> None:
        """Make sure that the properties in use still are what they were at the first look.

        Raises:
            MovedError: one was deleted, or changed its type.
        """
        now = {found.id: found.type for found in read_properties(self._source.look()).values()}
        changed = [found.name for found in self.chosen if now.get(found.id) != found.type]
        if changed:
            msg = f"property {', '.join(changed)} of {self._source.name} was deleted or changed its type"
            raise MovedError(msg)


def _fits(properties: Mapping[str, Property], name: str, form: str) -> bool:
    return name in properties and form in properties[name].forms
