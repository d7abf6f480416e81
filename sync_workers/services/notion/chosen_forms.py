"""The properties of a data source in the forms that a task chose for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from sync_workers.errors import SettingsError
from sync_workers.fields import ValueForm
from sync_workers.services.notion.codecs import MARKDOWN, Codec
from sync_workers.services.notion.people import People
from sync_workers.services.notion.properties import Property


def in_forms(
    properties: Mapping[str, Property], forms: Mapping[str, str], people: People
) -> dict[str, Property]:
    """The same properties; a name that is not there is told where the mapped names are looked up.

    Raises:
        SettingsError: a form that the values of the property's type do not have.
    """
    if problems := list(_problems(properties, forms)):
        raise SettingsError(*problems)
    return {name: _in_form(found, forms.get(name), people) for name, found in properties.items()}


def _in_form(found: Property, form: str | None, people: People) -> Property:
    return found if form is None else replace(found, chosen=_codec(found, form, people))


def _codec(found: Property, form: str, people: People) -> Codec | None:
    if form == ValueForm.ID:
        return None
    if form == ValueForm.MARKDOWN:
        return MARKDOWN
    return people.codec(form, is_list=found.type == "people", writable=found.writable)


def _problems(properties: Mapping[str, Property], forms: Mapping[str, str]) -> Iterator[str]:
    for name, form in forms.items():
        found = properties.get(name)
        if found is not None and form not in found.forms:
            offered = ", ".join(f'"{one}"' for one in found.forms)
            hint = f"it can be {offered}" if offered else "take it away"
            yield f'form = "{form}" does not fit property {name!r} of the type {found.type}: {hint}'
