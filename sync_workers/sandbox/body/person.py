"""What a person does on a page: read it, write it, comment on it, give it an icon."""

from __future__ import annotations

from typing import Any

from sync_workers.sandbox.body import comments, parse, tree
from sync_workers.sandbox.body.render import Rendered
from sync_workers.sandbox.body.replace import replace_body
from sync_workers.sandbox.nouns import Block, Json
from sync_workers.sandbox.pages import change_page
from sync_workers.sandbox.store import Store
from sync_workers.sandbox.texts import rich_text, show_rich_text


class Bodies:
    """The bodies of all pages, for one person."""

    def __init__(self, store: Store, person: str) -> None:
        self._store = store
        self._person = person

    def read(self, page_id: str) -> str:
        with self._store.lock:
            return Rendered(self._store, self._store.page(page_id).id).markdown

    def write(self, page_id: str, markdown: str) -> None:
        """Other Markdown in the place of what is there; child pages that it does not name are trashed."""
        with self._store.lock:
            page = tree.editable(self._store, page_id)
            replace_body(self._store, page, parse.parse(markdown), self._person, may_delete=True)

    def add(self, page_id: str, kind: str, content: Json | None = None) -> str:
        """A block at the end, also of a type that no client can make; its id comes back."""
        with self._store.lock:
            page, change = tree.editable(self._store, page_id), self._store.change(self._person)
            block = Block(
                self._store.new_id(), page.id, kind, content or {}, change, change, parent_id=page.id
            )
            self._store.blocks[block.id] = block
            self._store.children.setdefault(page.id, []).append(block.id)
            self._store.put_page(page, self._person)
            return block.id

    def hide(self, block_id: str) -> None:
        """From now on it cannot be loaded, as beyond 20,000 blocks, or where it is not shared."""
        with self._store.lock:
            self._store.unloaded.add(block_id)

    def icon(self, page_id: str, icon: Any) -> None:
        with self._store.lock:
            change_page(self._store, page_id, {"icon": icon}, self._person)

    def comment(self, page_id: str, text: str, by: str | None = None) -> str:
        """A new thread on the page; the comment's id comes back."""
        with self._store.lock:
            parent = {"type": "page_id", "page_id": self._store.page(page_id).id}
            author = by or self._person
            name = {"type": "user", "resolved_name": self._store.users[author].name}
            said = show_rich_text(rich_text(text), "rich_text")
            return comments.add(self._store, parent, self._store.new_id(), said, author, name).id
