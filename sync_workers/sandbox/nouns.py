"""What a Notion workspace consists of, as frozen values: changed by copy, kept by the store.

Times are exact in here; `show` floors them to the minute, as Notion does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias
from urllib.parse import unquote

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class User:
    """A person, or the bot behind a token (then without email)."""

    id: str
    name: str
    email: str | None = None

    @property
    def is_bot(self) -> bool:
        return self.email is None


@dataclass(frozen=True, slots=True)
class Change:
    """Who did something, and when."""

    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Property:
    """One column.

    Attributes:
        id: as Notion shows it, percent-encoded; survives renaming.
        config: what Notion shows under the type's name; relations and rollups keep ids only
            (`data_source_id` and `synced_property_id`; `relation_property_id`, `rollup_property_id`).
    """

    id: str
    name: str
    type: str
    config: Json = field(default_factory=dict)
    description: str | None = None

    @property
    def order(self) -> tuple[int, str]:
        """Notion shows properties in this order [recorded]: by length, then text, of the plain id."""
        return len(unquote(self.id)), unquote(self.id)

    @property
    def options(self) -> list[Json]:
        return list(self.config.get("options", ()))

    def option(self, option_id: str | None) -> Json | None:
        return next((option for option in self.options if option["id"] == option_id), None)


@dataclass(frozen=True, slots=True)
class Database:
    """The container that a page shows; its rows live in its data sources."""

    id: str
    parent: Json
    title: list[Json]
    created: Change
    description: list[Json] = field(default_factory=list)
    edited: Change | None = None
    is_inline: bool = False
    in_trash: bool = False
    is_locked: bool = False
    icon: Json | None = None
    cover: Json | None = None


@dataclass(frozen=True, slots=True)
class DataSource:
    """A table: a schema, and the rows whose parent it is."""

    id: str
    database_id: str
    title: list[Json]
    properties: tuple[Property, ...]
    created: Change
    edited: Change
    description: list[Json] = field(default_factory=list)
    icon: Json | None = None
    cover: Json | None = None
    in_trash: bool = False

    def find(self, key: str) -> Property | None:
        """The property with that name or id, the id with or without percent-encoding."""
        by_name = next((p for p in self.properties if p.name == key), None)
        return by_name or next((p for p in self.properties if unquote(p.id) == unquote(key)), None)

    @property
    def title_property(self) -> Property:
        return next(p for p in self.properties if p.type == "title")


@dataclass(frozen=True, slots=True)
class Page:
    """A page: a row when its parent is a data source.

    Attributes:
        values: by property id. Options, people and relations are ids; texts, dates and files are
            as Notion shows them; what is computed is not here.
        number: the how-manieth row of its data source, for unique ids.
    """

    id: str
    parent: Json
    values: Mapping[str, Any]
    created: Change
    edited: Change
    number: int = 0
    in_trash: bool = False
    is_archived: bool = False
    icon: Json | None = None
    cover: Json | None = None

    @property
    def data_source_id(self) -> str | None:
        return self.parent.get("data_source_id")


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph or the like.

    Attributes:
        page_id: the page that it stands on, at any depth.
        parent_id: what it stands directly under: a block, or that page.
    """

    id: str
    page_id: str
    type: str
    content: Json
    created: Change
    edited: Change
    parent_id: str
    in_trash: bool = False


@dataclass(frozen=True, slots=True)
class Comment:
    """A remark on a page or block; those with one discussion id are a thread."""

    id: str
    parent: Json
    discussion_id: str
    rich_text: list[Json]
    created: Change
    edited: Change
    display_name: Json
