"""What a workspace has beside pages and tables, as frozen values: views, uploads, emojis, templates."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sync_workers.sandbox.nouns import Change, Json


@dataclass(frozen=True, slots=True)
class View:
    """A way to look at a data source.

    Attributes:
        settings: filter, sorts, quick_filters and configuration, as they came.
    """

    id: str
    database_id: str
    data_source_id: str
    name: str
    type: str
    created: Change
    edited: Change
    settings: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ViewQuery:
    """The rows that a view showed when it was asked; kept for a while.

    Attributes:
        cut: there were more rows than a query gives.
    """

    id: str
    view_id: str
    expires: datetime
    rows: tuple[str, ...]
    cut: bool


@dataclass(frozen=True, slots=True)
class Upload:
    """A file on its way into the workspace.

    Attributes:
        total: in how many parts it comes; None when it comes in one piece.
        parts: what has arrived, by part number.
        source: the address that it is imported from.
    """

    id: str
    created: Change
    edited: Change
    expires: datetime
    filename: str | None = None
    content_type: str | None = None
    total: int | None = None
    parts: dict[int, bytes] = field(default_factory=dict)
    source: str | None = None
    imported: datetime | None = None
    complete: bool = False
    attached: bool = False

    @property
    def content(self) -> bytes:
        return b"".join(self.parts[number] for number in sorted(self.parts))

    def status(self, now: datetime) -> str:
        """`uploaded` when it has arrived; one that nobody attaches within the hour expires."""
        if not self.attached and now >= self.expires:
            return "expired"
        return "uploaded" if self.complete else "pending"


@dataclass(frozen=True, slots=True)
class Emoji:
    """A custom emoji of the workspace."""

    id: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Template:
    """A template of a data source; its id is that of the page that is copied."""

    id: str
    name: str
    is_default: bool = False


@dataclass
class Furniture:
    """All of it, by id, oldest first; templates by the id of their data source."""

    views: dict[str, View] = field(default_factory=dict)
    queries: dict[str, ViewQuery] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    emojis: dict[str, Emoji] = field(default_factory=dict)
    templates: dict[str, list[Template]] = field(default_factory=dict)
