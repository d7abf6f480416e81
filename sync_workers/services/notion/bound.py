"""Which property of a data source each name of the task file means, whatever it is called by now. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from sync_workers.services.notion.properties import Property


def bind(
    properties: Mapping[str, Property], names: Collection[str], ids: Mapping[str, str]
) -> dict[str, Property]:
    """The properties by the names that the task file has for them, the others by their own.

    A property is known by the id that it had at the last run. Where that one is gone, the name decides; a new
    property that took the name of a renamed one stands beside it.
    """
    by_id = {found.id: found for found in properties.values()}
    followed = {name: by_id[ids[name]] for name in names if ids.get(name) in by_id}
    taken = {found.id for found in followed.values()}
    bound = {
        f"{name} ({found.id})" if name in followed else name: found
        for name, found in properties.items()
        if found.id not in taken
    }
    for name, found in followed.items():
        bound[name] = found if found.name == name else replace(found, name=name, called=found.name)
    return bound
