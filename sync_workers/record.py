"""`Record`: one object of a side as a frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sync_workers.sides import ID, NOTHING, Fields


@dataclass(frozen=True, slots=True)
class About:
    """What a side shows of a record beside its fields; most records have none of it.

    Attributes:
        mark: what a create of ours stamped on it (`Capabilities.marks`), by which it is known for sure.
        note: the text about open conflicts that stands with it, for a person to read and answer.
        author: who changed it last, in the side's own terms.
        parent: id of the record of the same side that it belongs under.
        fixed: the attributes that must not be written on this very record, each with the reason.
        unread: those that cannot be read on it now, likewise, as the end of a sentence that begins with the
            field; they are not among its fields, which says neither that they are empty nor what they hold.
    """

    mark: str | None = None
    note: str | None = None
    author: str | None = None
    parent: ID | None = None
    fixed: Mapping[str, str] = field(default_factory=lambda: NOTHING, hash=False)
    unread: Mapping[str, str] = field(default_factory=lambda: NOTHING, hash=False)


NOTHING_ELSE = About()


@dataclass(frozen=True, slots=True)
class Record:
    """One object of a side, as the side showed it.

    Attributes:
        id: the side's own id, never a URL.
        fields: canonical values of the mapped attributes, by the side's attribute names.
        modified: when the side says it last changed; aware, never naive.
        version: opaque (etag, version column, hash); equal versions mean an unchanged record.
        key: what records of both sides are matched by; None or empty never matches.
        about: what else the side shows of it.
    """

    id: ID
    fields: Fields
    modified: datetime | None = None
    version: str | None = None
    key: str | None = None
    about: About = NOTHING_ELSE

    def __post_init__(self) -> None:
        if self.modified is not None and self.modified.tzinfo is None:
            msg = f"record {self.id}: its time of change has no time zone"
            raise ValueError(msg)
