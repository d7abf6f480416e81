"""What the task file says about Notion: the connection, and which data source a side is."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from sync_workers.schedule import interval
from sync_workers.secret import Secret
from sync_workers.services.budget import Account
from sync_workers.services.notion.filters import plain, problems

SHORTEST_OVERLAP = timedelta(minutes=1)
AT_ONCE = "0s"

# An id stands at the end of a link's path, with or without its dashes, behind the title's words.
_ID = re.compile(r"(?<![0-9a-fA-F])([0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12})$")


def id_of(text: str) -> str:
    """The id in a link or text, with dashes.

    A link's query names a view and its fragment a block, so only its path is looked at; its host is
    not, because it changed before.

    Raises:
        ValueError: there is no id in it.
    """
    path = re.split(r"[?#]", text.strip(), maxsplit=1)[0].rstrip("/")
    found = _ID.search(path)
    if found is None:
        msg = "holds no id of Notion: copy the link of the database or data source, or its 32-digit id"
        raise ValueError(msg)
    return str(UUID(found[1]))


MOST_CALLS = 600
"""In any 60 seconds; 180 on the other plans."""


def plain_id(text: str) -> str:
    """An id as Notion shows it, whether it was written with or without dashes; other text as it is."""
    try:
        return str(UUID(text))
    except ValueError:
        return text


NotionId = Annotated[str, AfterValidator(id_of)]


class NotionConnection(BaseModel):
    """`[connections.NAME]` with `kind = "notion"`.

    Attributes:
        token: the integration's secret.
        url: where the API is; another one for the sandbox.
        timeout: seconds that one call may take without a byte from the server.
        calls_per_minute: what Notion allows this connection in any 60 seconds; 600 for workspaces on the
            Business and Enterprise plans.
        webhook_token: the token of the webhook subscription, which signs its events.
        webhook_quiet: seconds without an event after which a record is looked at.
        webhook_longest: seconds after its first event when it is looked at all the same.
    """

    model_config = ConfigDict(extra="forbid")

    token: Secret
    url: AnyHttpUrl = AnyHttpUrl("https://api.notion.com")
    timeout: float = Field(default=60.0, gt=0)
    calls_per_minute: int = Field(default=180, ge=1)
    webhook_token: Secret | None = None
    webhook_quiet: float = Field(default=5.0, ge=0)
    webhook_longest: float = Field(default=60.0, ge=0)

    @model_validator(mode="after")
    def _quiet_within_longest(self) -> Self:
        if self.webhook_quiet > self.webhook_longest:
            msg = "webhook_quiet must not be longer than webhook_longest"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _no_more_than_notion_allows(self) -> Self:
        if self.calls_per_minute > MOST_CALLS and (self.url.host or "").endswith("notion.com"):
            msg = f"Notion allows at most {MOST_CALLS} calls a minute, on the Business and Enterprise plans"
            raise ValueError(msg)
        return self

    def account(self) -> Account:
        """Whose calls Notion counts together: those of one token.

        Raises:
            SettingsError: the token is missing.
        """
        return Account(f"notion:{self.token.fingerprint()}", self.calls_per_minute)


def _filter(condition: dict[str, Any] | None) -> dict[str, Any] | None:
    if condition is None:
        return None
    if wrong := next(problems(condition), None):
        raise ValueError(wrong)
    return dict(plain(condition))


def _late(value: object) -> timedelta:
    if not isinstance(value, str):
        msg = 'should be text such as "1m", or "0s"'
        raise ValueError(msg)  # noqa: TRY004 - pydantic collects ValueErrors only
    return timedelta(0) if value == AT_ONCE else interval(value)


def _overlap(value: object) -> timedelta:
    if not isinstance(value, str):
        msg = 'should be text such as "5m" or "1h"'
        raise ValueError(msg)  # noqa: TRY004 - pydantic collects ValueErrors only
    if (found := interval(value)) < SHORTEST_OVERLAP:
        msg = f"is {value}, but Notion's times are cut to the minute: at least 1m"
        raise ValueError(msg)
    return found


class NotionContainer(BaseModel):
    """A task's side on a Notion connection: exactly one of the first two, as id or link.

    Attributes:
        data_source: the data source itself.
        database: a database that has exactly one data source.
        marker: a property of the type Text in which each row that the sync makes is marked.
        conflicts: a property of the type Text in which the sync says what waits for a person.
        parent: a relation of the data source to itself that names the row which a row belongs under.
        filter: only rows that pass it belong to the task; Notion's own form, as a table.
        overlap: how far each query for changes reaches back over what was seen: Notion's times are cut to
            the minute, and a row may be listed some minutes late.
        late: how late a row that was made may be listed: a create whose reply was lost is looked for so
            long before it is tried again.
    """

    model_config = ConfigDict(extra="forbid")

    data_source: NotionId | None = None
    database: NotionId | None = None
    marker: str | None = Field(default=None, min_length=1)
    conflicts: str | None = Field(default=None, min_length=1)
    parent: str | None = Field(default=None, min_length=1)
    filter: Annotated[dict[str, Any] | None, AfterValidator(_filter)] = None
    overlap: Annotated[timedelta, BeforeValidator(_overlap)] = timedelta(minutes=5)
    late: Annotated[timedelta, BeforeValidator(_late)] = timedelta(minutes=1)

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.data_source is None) == (self.database is None):
            msg = "name exactly one of the two: data_source or database"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _two_properties(self) -> Self:
        if self.marker is not None and self.marker == self.conflicts:
            msg = "marker and conflicts must name two different properties"
            raise ValueError(msg)
        return self
