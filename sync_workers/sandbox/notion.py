"""The sandbox as a Python object: set it up, act as a person in it, count what clients asked.

Everything may be called from any thread, also while a server answers from it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sync_workers.sandbox import cells, pages, sources
from sync_workers.sandbox.body.person import Bodies
from sync_workers.sandbox.body.render import Rendered
from sync_workers.sandbox.capabilities import ALL, Capability, reads
from sync_workers.sandbox.faults import Faults
from sync_workers.sandbox.icons import icon_text
from sync_workers.sandbox.nouns import DataSource, Json, Page, User
from sync_workers.sandbox.oauth import Apps
from sync_workers.sandbox.people import People
from sync_workers.sandbox.plain import from_shown, to_payload
from sync_workers.sandbox.store import Store, now
from sync_workers.sandbox.subscriptions import Subscription, Subscriptions
from sync_workers.sandbox.texts import plain_text, rich_text
from sync_workers.sandbox.versions import VERSION
from sync_workers.sandbox.window import LIMIT, RATE_LIMIT_REASONS, Window
from sync_workers.sandbox.writes import Writes

TOKEN = "ntn_sandbox"  # noqa: S105  # opens the sandbox only; shown on its page
ROW_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Seen:
    """One request in the log; the status is None when the connection was closed without an answer."""

    method: str
    path: str
    status: int | None


@dataclass(frozen=True, slots=True)
class Row:
    """A row in plain values.

    Attributes:
        values: by property name; see `plain` for their types.
        edited: when it was last edited, exactly (the API floors it to the minute).
        edited_by: the name of the person or bot.
        icon: an emoji, or where the picture is.
        body: what stands on it, as Markdown.
    """

    id: str
    values: dict[str, Any]
    edited: datetime
    edited_by: str
    in_trash: bool = False
    icon: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A property of a table; options are names."""

    name: str
    type: str
    options: list[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A data source, its title column first and the others as they were made."""

    id: str
    title: str
    columns: list[Column]


@dataclass
class Notion(People):
    """A workspace with one page, one person, and no tables yet.

    Attributes:
        clock: tells the time of every change; tests pass their own.
        window: of each token; its `limit` may be set at any time, 0 or None for none.
        space_window: of all tokens together, as Notion has one for each workspace; none at first.
        write_times: how long a write takes; while it does, another one to the same table is refused with 409.
        tokens: what clients may use, each with its own bot (a user id).
        capabilities: what each token may do; see `allow`.
        apps: who may get tokens by OAuth.
        bodies: what stands on the pages, for the person.
        requests: the log of all calls to the API, oldest first.
        row_limit: how many rows a query shows at most, over all its pages.
        versions: which versions of the API it knows; the product has to ask for the current one.
    """

    clock: Callable[[], datetime] = now
    requests_per_minute: int | None = LIMIT
    row_limit: int = ROW_LIMIT
    faults: Faults = field(default_factory=Faults)
    tokens: dict[str, str] = field(default_factory=dict)
    capabilities: dict[str, frozenset[Capability]] = field(default_factory=dict)
    requests: list[Seen] = field(default_factory=list)
    versions: set[str] = field(default_factory=lambda: {VERSION})

    def __post_init__(self) -> None:
        self.store = Store(self.clock)
        self.window = Window(self.requests_per_minute)
        self.space_window = Window(None, reason=RATE_LIMIT_REASONS[1])
        self.write_times = Writes()
        self.apps = Apps()
        self.subscriptions = Subscriptions(self.store)
        self._log_lock = threading.Lock()
        self.person = self.add_user("Ada", "ada@example.com")
        self.add_token(TOKEN)
        first = pages.add_page(self.store, {"workspace": True}, _titled("Sandbox"), self.person)
        self.root = first.id
        self.bodies = Bodies(self.store, self.person)

    def add_user(self, name: str, email: str | None = None) -> str:
        """A person, or without an email a bot; the id comes back."""
        with self.store.lock:
            user = User(self.store.new_id(), name, email)
            self.store.users[user.id] = user
            return user.id

    def add_token(self, token: str, name: str = "Sync", allowed: AbstractSet[Capability] = ALL) -> str:
        """Let a client in as a bot of its own; the bot's user id comes back."""
        self.tokens[token] = self.add_user(name)
        self.allow(token, allowed)
        return self.tokens[token]

    def revoke(self, token: str) -> None:
        """The token opens nothing any more: 401."""
        self.tokens.pop(token, None)

    def allow(self, token: str, allowed: AbstractSet[Capability]) -> None:
        """What a token may do from now on, for example `capabilities.ALL - {Capability.READ_EMAILS}`."""
        self.capabilities[token] = frozenset(allowed)

    def add_database(self, title: str, columns: Mapping[str, Any], parent: str | None = None) -> str:
        """A database with one data source, whose id comes back.

        Args:
            title: of both.
            columns: by name: a type (`"number"`), a list of options for a select (`["Open", "Done"]`),
                or what the API takes (`{"status": {"options": [...]}}`).
            parent: the page it stands on.
        """
        with self.store.lock:
            body = {
                "parent": {"type": "page_id", "page_id": parent or self.root},
                "title": rich_text(title),
                "initial_data_source": {"properties": {n: _column(spec) for n, spec in columns.items()}},
            }
            _, source = sources.add_database(self.store, body, self.person)
            return source.id

    def add_page(self, data_source_id: str, values: Mapping[str, Any]) -> str:
        """A row, made by the person; values are plain, see `plain.to_payload`. The id comes back."""
        with self.store.lock:
            body = {"properties": self._payloads(data_source_id, values)}
            return pages.add_page(self.store, {"data_source_id": data_source_id}, body, self.person).id

    def edit_page(self, page_id: str, values: Mapping[str, Any]) -> None:
        """Change cells of a row, as the person."""
        with self.store.lock:
            body = {"properties": self._payloads(self._source_of(page_id), values)}
            pages.change_page(self.store, page_id, body, self.person)

    def trash_page(self, page_id: str) -> None:
        with self.store.lock:
            pages.change_page(self.store, page_id, {"in_trash": True}, self.person)

    def restore_page(self, page_id: str) -> None:
        with self.store.lock:
            pages.change_page(self.store, page_id, {"in_trash": False}, self.person)

    def pages(self, data_source_id: str, *, trashed: bool = False) -> list[Row]:
        """The rows that are there, oldest first; with `trashed` those in the trash as well."""
        with self.store.lock:
            rows = reversed(list(self.store.rows(data_source_id)))
            return [self._row(row) for row in rows if trashed or not row.in_trash]

    def tables(self) -> list[Table]:
        """The data sources that are not in the trash, oldest first."""
        with self.store.lock:
            there = [source for source in self.store.data_sources.values() if not self.store.in_trash(source)]
            return [Table(source.id, plain_text(source.title), _columns(source)) for source in there]

    def page(self, page_id: str) -> Row:
        """One row, also one in the trash."""
        with self.store.lock:
            return self._row(self.store.page(page_id))

    def subscribe(self, url: str, token: str | None = None, **how: Any) -> Subscription:
        """Tell that URL from now on what happens here; see `subscriptions.Subscription` for how.

        Without a token the URL is sent a new one first, and nothing more before somebody has verified it.
        """
        return self.subscriptions.add(url, token, **how)

    def close(self) -> None:
        """Tell nobody anything any more; calling it twice is fine."""
        self.subscriptions.close()

    def seen(self, request: Seen) -> None:
        with self._log_lock:
            self.requests.append(request)

    def seen_requests(self) -> list[Seen]:
        """A copy of the log."""
        with self._log_lock:
            return list(self.requests)

    def forget_requests(self) -> None:
        """Empty the log, to count anew."""
        with self._log_lock:
            self.requests.clear()

    def writes(self) -> list[Seen]:
        """The calls in the log that could change something; a query and a search are reads."""
        return [seen for seen in self.seen_requests() if not reads(seen.method, seen.path)]

    def _source_of(self, page_id: str) -> str:
        return self.store.page(page_id).data_source_id or ""

    def _payloads(self, data_source_id: str, values: Mapping[str, Any]) -> Json:
        source = self.store.data_source(data_source_id)
        found = {name: source.find(name) for name in values}
        return {
            name: {column.type: to_payload(column, values[name])} if column else {}
            for name, column in found.items()
        }

    def _row(self, page: Page) -> Row:
        source = self.store.data_source(page.data_source_id or "")
        values = {
            column.name: from_shown(column.type, cells.content(self.store, source, column, page))
            for column in source.properties
        }
        name = self.store.users[page.edited.by].name
        body = Rendered(self.store, page.id).markdown
        return Row(page.id, values, page.edited.at, name, page.in_trash, icon_text(page.icon), body)


def _columns(source: DataSource) -> list[Column]:
    ordered = sorted(source.properties, key=lambda column: column.type != "title")
    return [Column(p.name, p.type, [option["name"] for option in p.options]) for p in ordered]


def _titled(title: str) -> Json:
    return {"properties": {"title": {"title": rich_text(title)}}}


def _column(spec: Any) -> Json:
    if isinstance(spec, str):
        return {"type": spec, spec: {}}
    if isinstance(spec, Mapping):
        return dict(spec)
    return {"select": {"options": [{"name": name} for name in spec]}}
