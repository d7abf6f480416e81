"""What stands in the task file for a SQL side; no library is needed to read it."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field, field_validator

from sync_workers.secret import Secret
from sync_workers.services.budget import Account

# The same reading of a URL as SQLAlchemy's: all that stands between ":" and "@" is a password.
_PASSWORD = re.compile(r"^[\w+]+://[^:/@]*:[^@]+@|[?&](password|sslpassword)=[^&]", re.IGNORECASE)


class SqlConnection(BaseModel):
    """`[connections.NAME]` with `kind = "sql"`.

    Attributes:
        url: `postgresql://user@host/database` or `sqlite:////path/to/file`, without a password; or a
            `Secret` with the whole URL, which may have one.
        password: of the URL's user.
        connect_timeout: how long to wait for the server to answer at all; seconds in the task file.
        calls_per_minute: how many transactions all workers together begin in any minute.
    """

    # Pydantic shows the input beside a problem, and the input may be a URL with a password.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: Secret | str
    password: Secret | None = None
    connect_timeout: timedelta = Field(default=timedelta(seconds=10), gt=timedelta(0))
    calls_per_minute: int | None = Field(default=None, ge=1)

    @field_validator("url")
    @classmethod
    def _refuse_password(cls, url: Secret | str) -> Secret | str:
        if isinstance(url, str) and _PASSWORD.search(url):
            msg = (
                "a password does not stand in the task file: leave it out of the URL and write "
                'password = { env = "NAME" }, or keep the whole URL elsewhere: url = { env = "NAME" }'
            )
            raise ValueError(msg)
        return url

    def account(self) -> Account | None:
        """Whose transactions count together; None where none are counted. Raises as `reveal`."""
        if self.calls_per_minute is None:
            return None
        password = self.password.reveal() if self.password is not None else ""
        bound = hashlib.sha256(f"sync-workers:{self.reveal()}\n{password}".encode()).hexdigest()[:16]
        return Account(f"sql:{bound}", self.calls_per_minute)

    def reveal(self) -> str:
        """The URL, with a password only where the URL itself is a secret.

        Raises:
            SettingsError: the secret is missing.
        """
        return self.url.reveal() if isinstance(self.url, Secret) else self.url


class SqlContainer(BaseModel):
    """A task's side on a SQL connection.

    Attributes:
        table: table or view, with its schema where it needs one: `tasks`, `public.tasks`.
        key: the column that tells rows apart; the primary key when it is one column.
        version: a whole-number column that each write counts up.
        modified: a timestamp column that says when a row last changed; set on each of our writes.
        archived: a boolean column; rows where it is true are out of sight.
        idempotency: a text column with a UNIQUE index, for creates that can be repeated with any key.
        parent: a column that holds the key of the row that this one belongs under; only read.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: str = Field(min_length=1)
    key: str | None = None
    version: str | None = None
    modified: str | None = None
    archived: str | None = None
    idempotency: str | None = None
    parent: str | None = None

    @property
    def roles(self) -> dict[str, str]:
        """The columns that the settings name, by the setting."""
        named = self.model_dump(exclude={"table"}, exclude_none=True)
        return {role: str(column) for role, column in named.items()}
