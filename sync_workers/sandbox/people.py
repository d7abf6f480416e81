"""What a person does beside editing cells: move, archive, change a table's columns, share.

Each of these changes what a client finds at its next visit, without a word to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from sync_workers.sandbox.furniture import Emoji, Template
from sync_workers.sandbox.moving import move_page
from sync_workers.sandbox.nouns import Json
from sync_workers.sandbox.pages import change_page
from sync_workers.sandbox.sources import change_table
from sync_workers.sandbox.store import Store


class Workspace(Protocol):
    """What `People` needs of the sandbox."""

    store: Store
    person: str
    tokens: dict[str, str]


class People:
    """The part of `Notion` that acts as its person on more than cells."""

    def move_page(self: Workspace, page_id: str, data_source_id: str) -> None:
        """A row to another table; it keeps its id, and the values that the other table has room for."""
        with self.store.lock:
            parent = {"data_source_id": data_source_id}
            move_page(self.store, self.store.page(page_id), parent, self.person)

    def archive_page(self: Workspace, page_id: str, *, archived: bool = True) -> None:
        """Out of the partition that queries show, which is not the trash; or back into it."""
        with self.store.lock:
            change_page(self.store, page_id, {"is_archived": archived}, self.person)

    def table(self: Workspace, data_source_id: str) -> Columns:
        """To change the columns of a table."""
        return Columns(self.store, data_source_id, self.person)

    def unshare(self: Workspace, object_id: str, token: str) -> None:
        """A page, a database or a data source is kept from a connection, with all that stands under it."""
        with self.store.lock:
            self.store.sharing.unshare(self.tokens[token], object_id)

    def share(self: Workspace, object_id: str, token: str) -> None:
        """Give back what was unshared."""
        with self.store.lock:
            self.store.sharing.share(self.tokens[token], object_id)

    def add_emoji(self: Workspace, name: str, url: str = "https://example.com/emoji.png") -> str:
        """A custom emoji; its id comes back."""
        with self.store.lock:
            emoji = Emoji(self.store.new_id(), name, url)
            self.store.furniture.emojis[emoji.id] = emoji
            return emoji.id

    def add_template(self: Workspace, data_source_id: str, name: str, *, is_default: bool = False) -> str:
        """A template of a table; its id comes back."""
        with self.store.lock:
            template = Template(self.store.new_id(), name, is_default)
            self.store.furniture.templates.setdefault(data_source_id, []).append(template)
            return template.id


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one table, as a person changes them in the app; they are named by name or id."""

    store: Store
    data_source_id: str
    person: str

    def change(self, properties: Json) -> None:
        """As the API takes it: columns by name or id, null removes one."""
        with self.store.lock:
            source = self.store.data_source(self.data_source_id)
            change_table(self.store, source, {"properties": properties}, self.person)

    def rename(self, column: str, name: str) -> None:
        """The id stays."""
        self.change({column: {"name": name}})

    def retype(self, column: str, spec: str | Json) -> None:
        """Another type, `"number"` or as the API takes it; the id stays."""
        self.change({column: {spec: {}} if isinstance(spec, str) else spec})

    def add(self, name: str, spec: str | Json) -> None:
        self.change({name: {spec: {}} if isinstance(spec, str) else spec})

    def remove(self, column: str) -> None:
        self.change({column: None})

    def add_option(self, column: str, *names: str) -> None:
        """New options of a select, a multi-select or a status, after those that are there."""
        self._set_options(column, lambda kept: [*kept, *({"name": name} for name in names)])

    def remove_option(self, column: str, name: str) -> None:
        self._set_options(column, lambda kept: [option for option in kept if option["name"] != name])

    def _set_options(self, column: str, change: Callable[[list[Json]], list[Any]]) -> None:
        with self.store.lock:
            found = self.store.data_source(self.data_source_id).find(column)
            if found is None:
                raise KeyError(column)
            self.change({found.id: {found.type: {"options": change(found.options)}}})
