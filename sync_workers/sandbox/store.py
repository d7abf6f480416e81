"""Everything that exists in the sandbox, in memory: look up by id, put, list. It decides nothing."""

from __future__ import annotations

import secrets
import string
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import quote

from sync_workers.sandbox.errors import invalid, not_found
from sync_workers.sandbox.furniture import Furniture
from sync_workers.sandbox.nouns import Block, Change, Comment, Database, DataSource, Json, Page, User
from sync_workers.sandbox.sharing import Sharing
from sync_workers.sandbox.watched import WatchedLock

Noun = TypeVar("Noun", Database, DataSource, Page, Block)

_ID_CHARACTERS = string.ascii_letters + string.digits + "_~:;<=>?@[\\]^`{|}"


def now() -> datetime:
    return datetime.now(UTC)


def as_id(text: str) -> str | None:
    """An id in the form with dashes; None when it is none."""
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return None


class Store:
    """Objects by id, newest last. Hold `lock` around everything that belongs together."""

    def __init__(self, clock: Callable[[], datetime] = now) -> None:
        self.clock = clock
        self.lock = WatchedLock()
        self.workspace_id = self.new_id()
        self.workspace_name = "Sandbox"
        self.databases: dict[str, Database] = {}
        self.data_sources: dict[str, DataSource] = {}
        self.pages: dict[str, Page] = {}
        self.blocks: dict[str, Block] = {}
        self.comments: dict[str, Comment] = {}
        # The order of what stands under a page or block: blocks, pages and databases.
        self.children: dict[str, list[str]] = {}
        # What is there and cannot be loaded, as far as Markdown goes.
        self.unloaded: set[str] = set()
        self.users: dict[str, User] = {}
        self.furniture = Furniture()
        self.shows_emails = True
        self.sharing = Sharing()
        # People who are not in the list of users, although pages show them.
        self.guests: set[str] = set()
        self._numbers: Counter[str] = Counter()

    def new_id(self) -> str:
        return str(uuid.uuid4())

    def new_property_id(self, taken: set[str]) -> str:
        """Four characters, percent-encoded as in Notion, so that clients meet ids such as `Mn%3CA`."""
        while True:
            new = quote("".join(secrets.choice(_ID_CHARACTERS) for _ in range(4)))
            if new not in taken:
                return new

    def next_number(self, data_source_id: str) -> int:
        """The number of a new row of that table, for unique ids: it is never given again."""
        self._numbers[data_source_id] += 1
        return self._numbers[data_source_id]

    def change(self, by: str) -> Change:
        return Change(self.clock(), by)

    def page(self, page_id: str) -> Page:
        return self._found(self.pages, page_id, "page", "page_id")

    def database(self, database_id: str) -> Database:
        return self._found(self.databases, database_id, "database", "database_id")

    def data_source(self, data_source_id: str) -> DataSource:
        return self._found(self.data_sources, data_source_id, "data source", "data_source_id")

    def user(self, user_id: str) -> User:
        found = self.users.get(as_id(user_id) or "")
        if found is None:
            raise not_found("user", user_id)
        return found

    def sources_of(self, database_id: str) -> list[DataSource]:
        return [source for source in self.data_sources.values() if source.database_id == database_id]

    def in_trash(self, source: DataSource) -> bool:
        return source.in_trash or self.databases[source.database_id].in_trash

    def rows(self, data_source_id: str) -> Iterator[Page]:
        """Rows as a query shows them [recorded]: newest first; trashed ones included."""
        rows = (page for page in reversed(self.pages.values()) if page.data_source_id == data_source_id)
        return (row for row in rows if not self.hides(row.id))

    def hides(self, object_id: str) -> bool:
        """Whether it is not shared with the bot whose request is carried out."""
        return self.sharing.hides(self, object_id)

    def put_page(self, page: Page, by: str) -> Page:
        """Keep an edited page, with the time and the one who edited it."""
        self.pages[page.id] = kept = replace(page, edited=self.change(by))
        return kept

    def place(self, parent: Json, object_id: str, by: str) -> None:
        """Something was made on a page: that edits the page [recorded]; trashing it does not."""
        if "page_id" in parent:
            self.children.setdefault(parent["page_id"], []).append(object_id)
            self.put_page(self.page(parent["page_id"]), by)

    def put_source(self, source: DataSource, by: str) -> DataSource:
        self.data_sources[source.id] = kept = replace(source, edited=self.change(by))
        return kept

    def _found(self, kept: dict[str, Noun], object_id: str, what: str, parameter: str) -> Noun:
        plain = as_id(object_id)
        if plain is None:
            wrong = f'path.{parameter} should be a valid uuid, instead was `"{object_id}"`.'
            raise invalid(f"path failed validation: {wrong}")
        if plain not in kept or self.hides(plain):
            raise not_found(what, plain)
        return kept[plain]
