"""`State`: all that one task remembers between two runs, as a value with a JSON form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_serializer, field_validator, model_validator

from sync_workers.model import ID, Record, Side
from sync_workers.remarks import Decision, HeldConflict, Memory, Quarantined, Trail
from sync_workers.values import from_json, to_json

T = TypeVar("T")

VERSION = 1
"""Of the form of a state that is written here."""

UPGRADES: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""How a state of a version, in terms of JSON, becomes one of the next; ids and set-up stay as they are.

Who changes what stands in a state raises `VERSION` and adds the step from the version before. Steps are kept:
a state can be years old.
"""


class Pending(BaseModel):
    """A create that was begun and whose end nobody saw: looked for before it is tried again.

    Attributes:
        source: the base that the source record gets when the created record is found.
        sent: what was sent to the target, by the target's attribute names.
        key: the source record's matching key when the create was begun.
        mark: what the create stamps on the record where the service can (`Capabilities.marks`).
        alike: records of the target that look like it, but were there before: it is none of them.
    """

    source: dict[str, Any] = Field(repr=False)
    sent: dict[str, Any] = Field(repr=False)
    key: str | None = Field(default=None, repr=False)
    mark: str = ""
    alike: tuple[ID, ...] = ()

    @field_serializer("source", "sent", when_used="json")
    def _write(self, fields: dict[str, Any]) -> dict[str, Any]:
        return write_fields(fields)

    @field_validator("source", "sent", mode="before")
    @classmethod
    def _read(cls, fields: Mapping[str, Any]) -> dict[str, Any]:
        return read_fields(fields)


class State(BaseModel):
    """All links of a task with the base of each side, plus what the next run has to know.

    `State.model_validate_json(state.model_dump_json()) == state`, dates and times included.

    Attributes:
        version: of this form; an older one is brought up to date when it is read, a newer one is refused.
        ids: Notion id to other id.
        objs: the Notion base by Notion id, with Notion attribute names.
        other_objs: the other base by other id, with the other side's attribute names.
        pending: creates whose reply was lost, by written side and the id of the source record.
        unlinked: records that were parted by the delete policy and are not copied again, by side.
        setup: fingerprints of the set-up that the bases were made with; see rule R9.
        held: fields that wait for a person, by Notion id and Notion attribute.
        decisions: what a person decided about them and no run has carried out yet, likewise.
        trails: what the last runs wrote, for the loop detector, likewise.
        quarantine: records that failed and wait, by the side and id that the failure names.
        paused: records that a person told us to leave alone, by side.
        memory: what the value maps of linked records remember, by Notion id and Notion attribute.
    """

    model_config = ConfigDict(validate_assignment=False)

    version: int = VERSION
    ids: dict[ID, ID] = Field(default_factory=dict)
    objs: dict[ID, dict[str, Any]] = Field(default_factory=dict, repr=False)
    other_objs: dict[ID, dict[str, Any]] = Field(default_factory=dict, repr=False)
    pending: dict[Side, dict[ID, Pending]] = Field(default_factory=dict)
    unlinked: dict[Side, set[ID]] = Field(default_factory=dict)
    setup: dict[str, str] = Field(default_factory=dict)
    held: dict[ID, dict[str, HeldConflict]] = Field(default_factory=dict)
    decisions: dict[ID, dict[str, Decision]] = Field(default_factory=dict)
    trails: dict[ID, dict[str, Trail]] = Field(default_factory=dict)
    quarantine: dict[Side, dict[ID, Quarantined]] = Field(default_factory=dict)
    paused: dict[Side, set[ID]] = Field(default_factory=dict)
    memory: dict[ID, dict[str, Memory]] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _bring_up_to_date(cls, raw: Any) -> Any:
        return upgraded(raw) if isinstance(raw, dict) else raw

    @field_serializer("objs", "other_objs", when_used="json")
    def _write(self, bases: dict[ID, dict[str, Any]]) -> dict[ID, dict[str, Any]]:
        return {record_id: write_fields(base) for record_id, base in bases.items()}

    @field_validator("objs", "other_objs", mode="before")
    @classmethod
    def _read(cls, bases: Mapping[ID, Mapping[str, Any]]) -> dict[ID, dict[str, Any]]:
        return {record_id: read_fields(base) for record_id, base in bases.items()}

    @field_serializer("unlinked", "paused", when_used="json")
    def _sort(self, named: dict[Side, set[ID]]) -> dict[str, list[ID]]:
        return {side.value: sorted(ids) for side, ids in named.items()}

    def bases(self, side: Side) -> dict[ID, dict[str, Any]]:
        """The bases of one side by that side's ids; the very dict, not a copy."""
        return self.objs if side is Side.NOTION else self.other_objs

    def linked(self, side: Side) -> set[ID]:
        """The ids of one side that have a link."""
        return set(self.ids) if side is Side.NOTION else set(self.ids.values())

    def links(self) -> Iterator[tuple[ID, ID]]:
        """All links as pairs of Notion id and other id."""
        yield from self.ids.items()

    def link(
        self, notion_id: ID, other_id: ID, notion_base: Mapping[str, Any], base: Mapping[str, Any]
    ) -> None:
        """Link two records, or move both bases of a link; replaces what the Notion id had."""
        if self.ids.get(notion_id, other_id) != other_id:
            self.unlink(notion_id)
        self.ids[notion_id] = other_id
        self.objs[notion_id] = dict(notion_base)
        self.other_objs[other_id] = dict(base)

    def unlink(self, notion_id: ID) -> None:
        """Forget a link, both bases and its memory; forgetting an unknown one is fine."""
        other_id = self.ids.pop(notion_id, None)
        self.memory.pop(notion_id, None)
        self.objs.pop(notion_id, None)
        if other_id is not None:
            self.other_objs.pop(other_id, None)


def is_known(version: object) -> bool:
    """Whether a state of that version can be read here."""
    return isinstance(version, int) and (version == VERSION or version in UPGRADES)


def upgraded(raw: dict[str, Any]) -> dict[str, Any]:
    """A state in terms of JSON as one of this version; without a version it is one already.

    Raises:
        ValueError: its version is not known here.
    """
    version = raw.get("version", VERSION)
    if not is_known(version):
        msg = f"its version is not known here (only {known_versions()}): upgrade sync-workers"
        raise ValueError(msg)
    while version < VERSION:
        raw = UPGRADES[version](raw)
        version += 1
    return raw | {"version": VERSION}


def known_versions() -> str:
    """For people: the versions that can be read here."""
    return ", ".join(map(str, sorted({*UPGRADES, VERSION})))


def write_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields in terms of JSON."""
    return {attr: to_json(value) for attr, value in fields.items()}


def read_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields from their JSON form; values that are no JSON stay as they are."""
    return {attr: from_json(value) for attr, value in fields.items()}


Glimpse: TypeAlias = Record | str
"""What one record was seen to show, besides all listings; or why it is not there, empty when it is gone."""

Link: TypeAlias = tuple[ID, Mapping[str, Any], Mapping[str, Any]]
"""A link as its Notion id names it: other id, Notion base, other base."""


@dataclass(frozen=True, slots=True)
class Change:
    """One step of the state, applied and stored as a whole or not at all.

    Attributes:
        links: per Notion id the new link, or None to forget it.
        pending: per written side and source id the begun create, or None once its end is known.
        unlinked: per side and id whether it is to be left alone from now on.
        setup: the new fingerprints; None leaves them.
        held, trails, memory: per Notion id all that is known of the record from now on, or None.
        decisions: per Notion id and Notion attribute the decision, or None once it is of no use any more;
            one by one, since a person may add one while a run removes another.
        quarantine: per side and id what is known of its failure, or None.
        paused: per side and id whether a person wants it left alone.
        shown: what was seen of single records. No part of the state, but kept in the same step, so that the
            next run does not take what we wrote for an edit.
        looks: records that the next run has to ask for by id, or not any more; likewise.
    """

    links: Mapping[ID, Link | None] = field(default_factory=dict)
    pending: Mapping[tuple[Side, ID], Pending | None] = field(default_factory=dict)
    unlinked: Mapping[tuple[Side, ID], bool] = field(default_factory=dict)
    setup: Mapping[str, str] | None = None
    held: Mapping[ID, dict[str, HeldConflict] | None] = field(default_factory=dict)
    decisions: Mapping[tuple[ID, str], Decision | None] = field(default_factory=dict)
    trails: Mapping[ID, dict[str, Trail] | None] = field(default_factory=dict)
    quarantine: Mapping[tuple[Side, ID], Quarantined | None] = field(default_factory=dict)
    paused: Mapping[tuple[Side, ID], bool] = field(default_factory=dict)
    memory: Mapping[ID, dict[str, Memory] | None] = field(default_factory=dict)
    shown: Mapping[tuple[Side, ID], Glimpse] = field(default_factory=dict)
    looks: Mapping[tuple[Side, ID], bool] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any(getattr(self, part.name) for part in fields(self)) or self.setup is not None

    def apply(self, state: State) -> None:
        """Make the change in a state in memory."""
        memory = {i: state.memory[i] for i, link in self.links.items() if link and i in state.memory}
        # Forget all first: a record's link may move from one Notion id to another in one change.
        for notion_id in self.links:
            state.unlink(notion_id)
        state.memory |= memory
        for notion_id, link in self.links.items():
            if link is not None:
                state.link(notion_id, *link)
        self._apply_remarks(state)
        if self.setup is not None:
            state.setup = dict(self.setup)

    def _apply_remarks(self, state: State) -> None:
        for part in ("pending", "quarantine"):
            for (side, record_id), value in getattr(self, part).items():
                _put(getattr(state, part).setdefault(side, {}), record_id, value)
        for part in ("unlinked", "paused"):
            for (side, record_id), is_in in getattr(self, part).items():
                ids = getattr(state, part).setdefault(side, set())
                (ids.add if is_in else ids.discard)(record_id)
        for part in ("held", "trails", "memory"):
            for notion_id, value in getattr(self, part).items():
                _put(getattr(state, part), notion_id, value)
        for (notion_id, attr), decision in self.decisions.items():
            known = dict(state.decisions.get(notion_id, {}))
            _put(known, attr, decision)
            _put(state.decisions, notion_id, known or None)


def _put(known: dict[ID, T], record_id: ID, value: T | None) -> None:
    if value is None:
        known.pop(record_id, None)
    else:
        known[record_id] = value
