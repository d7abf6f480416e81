"""What a state says about single records beside their links, as values with a JSON form.

Held conflicts, a person's decisions, trails of our own writes, what value maps remember, and records in
quarantine. There is one only where something is out of the ordinary, so none of them grows with the number of
records.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field, field_serializer, field_validator

from sync_workers.model import ID, Side
from sync_workers.values import from_json, to_json

Values = dict[Side, Any]
"""A value of each side."""


class _Remark(BaseModel):
    """Serializes values of fields with their kinds intact."""

    @field_serializer("values", "seen", when_used="json", check_fields=False)
    def _write_values(self, values: Values) -> dict[str, Any]:
        return {side.value: to_json(value) for side, value in values.items()}

    @field_serializer("value", when_used="json", check_fields=False)
    def _write_value(self, value: Any) -> Any:
        return to_json(value)

    @field_validator("values", "seen", mode="before", check_fields=False)
    @classmethod
    def _read_values(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        return {side: from_json(value) for side, value in values.items()}

    @field_validator("value", mode="before", check_fields=False)
    @classmethod
    def _read_value(cls, value: Any) -> Any:
        return from_json(value)


class HeldConflict(_Remark):
    """A field that stays as it is on both sides until a person decides.

    Attributes:
        other_id: the other side's id of the record; the state knows it by its Notion id.
        other_attr: the other side's name of the field.
        values: what each side shows.
        changed: when each side says that the record last changed.
        authors: who changed it, where the side tells.
        since: when the conflict was first seen.
        run: the run that saw it first.
        frozen: the loop detector holds it: the two sides answered each other's writes.
    """

    other_id: ID
    other_attr: str
    values: Values = Field(repr=False)
    changed: dict[Side, datetime | None] = Field(default_factory=dict)
    authors: dict[Side, str | None] = Field(default_factory=dict)
    since: datetime
    run: ID = ""
    frozen: bool = False


class Decision(_Remark):
    """What a person decided about one held field; carried out by the next run, and only once.

    Attributes:
        use: the side whose value is taken; None when `value` is.
        value: for both sides, as Notion's field has it.
        seen: the values that the person saw; if they are others by now, the conflict is a new one.
    """

    use: Side | None = None
    value: Any = Field(default=None, repr=False)
    seen: Values = Field(repr=False)
    at: datetime


class Trail(BaseModel):
    """What runs in a row wrote to one field; forgotten by the first run that leaves the field alone.

    Attributes:
        last: the side that was written last.
        written: fingerprints of the values on their way, the newest last.
        turns: how often a write came back to an earlier value, or went against the one before it.
    """

    last: Side
    written: list[str] = Field(default_factory=list)
    turns: int = 0


class Memory(BaseModel):
    """Which of several values that say the same a field had before it came to say something else.

    Attributes:
        last: by side, pairs of a value of the opposite side and the value that this side last had for it.
            Only for a value of the opposite side that several of this side's values stand for.
    """

    last: dict[Side, list[tuple[Any, Any]]] = Field(default_factory=dict, repr=False)

    @field_serializer("last", when_used="json")
    def _write(self, last: dict[Side, list[tuple[Any, Any]]]) -> dict[str, Any]:
        return {
            side.value: [[to_json(one) for one in pair] for pair in pairs] for side, pairs in last.items()
        }

    @field_validator("last", mode="before")
    @classmethod
    def _read(cls, last: Mapping[str, Any]) -> dict[str, Any]:
        return {side: [[from_json(one) for one in pair] for pair in pairs] for side, pairs in last.items()}


class Quarantined(BaseModel):
    """A record that failed, or fields of it that were refused, left alone for a while.

    Attributes:
        reason: why, without field values.
        action: what was tried.
        count: how often in a row it failed.
        since: when it failed first.
        due: when it is tried again; at once when its content changes.
        content: fingerprint of both sides' records when it failed.
        fields: of the written side, if only these wait, each with a fingerprint of what was to be written.
    """

    reason: str
    action: str
    count: int = 1
    since: datetime
    due: datetime
    content: str = ""
    fields: dict[str, str] = Field(default_factory=dict)
