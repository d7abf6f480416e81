"""What the contract tests of all services have in hand: one empty container, seen by a person."""

from __future__ import annotations

from typing import Any, Protocol

from sync_workers.model import ID, Record
from sync_workers.services.base import Fetched, Mapped, Service
from sync_workers.values import same


class World(Protocol):
    """One empty container, seen by a person."""

    mapped: Mapped
    samples: dict[str, tuple[Any, Any]]
    """For each mapped field two different canonical values, both kept exactly by the service."""
    keeps_deleted: bool
    """Whether the service can bring back what it deleted."""

    def open(self) -> Service:
        """A new service on the container."""

    def add(self, fields: dict[str, Any]) -> ID:
        """Add a record past the service."""

    def edit(self, record_id: ID, fields: dict[str, Any]) -> None:
        """Change a record past the service."""

    def remove(self, record_id: ID) -> None:
        """Delete a record past the service."""

    def destroy(self, record_id: ID) -> None:
        """Delete a record past the service, so that nothing brings it back."""


class Samples:
    """Values to write and to expect, for the classes of the contract."""

    def first(self, world: World) -> dict[str, Any]:
        return {name: values[0] for name, values in world.samples.items()}

    def second(self, world: World) -> dict[str, Any]:
        return {name: values[1] for name, values in world.samples.items()}

    def assert_shows(self, record: Record, fields: dict[str, Any]) -> None:
        for name, value in fields.items():
            assert same(record.fields[name], value), name


def by_id(fetched: Fetched) -> dict[ID, Record]:
    return {record.id: record for record in fetched.records}
