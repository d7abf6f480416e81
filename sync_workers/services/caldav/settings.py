"""What the task file says about CalDAV: the connection, and which calendar a side is."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, field_validator

from sync_workers.secret import Secret
from sync_workers.services.budget import Account


class CaldavConnection(BaseModel):
    """`[connections.NAME]` with `kind = "caldav"`.

    Attributes:
        url: the server's CalDAV address; the principal's and the calendar's own address do as well.
        timeout: how long the server may stay silent during a call, in seconds.
        calls_per_minute: how many requests all workers together make with this login in any minute.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: HttpUrl
    username: str | None = None
    password: Secret | None = None
    timeout: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(seconds=30)
    calls_per_minute: Annotated[int, Field(ge=1)] | None = None

    @field_validator("url")
    @classmethod
    def _refuse_login_in_url(cls, url: HttpUrl) -> HttpUrl:
        if url.username or url.password:
            msg = "a login does not stand in the url: write username, and password as a secret"
            raise ValueError(msg)
        return url

    def fingerprint(self) -> str:
        """A short hash of the login, from which nothing is learned.

        Raises:
            SettingsError: a secret is missing.
        """
        secret = self.password.fingerprint() if self.password is not None else ""
        return hashlib.sha256(f"{self.username}\n{secret}".encode()).hexdigest()[:16]

    def account(self) -> Account | None:
        """Whose calls count together; None where none are counted. Raises as `fingerprint`."""
        if self.calls_per_minute is None:
            return None
        return Account(f"caldav:{self.url.host}:{self.fingerprint()}", self.calls_per_minute)


class CaldavCalendar(BaseModel):
    """A task's side on a CalDAV connection.

    Attributes:
        calendar: the calendar's full URL, its path on the server, or its display name.
        zone: where "nine o'clock" without a zone is meant (floating times), and the zone in which a
            moment that brings none of its own is written.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    calendar: Annotated[str, Field(min_length=1)]
    zone: ZoneInfo = ZoneInfo("UTC")

    @field_validator("calendar")
    @classmethod
    def _refuse_login_in_url(cls, calendar: str) -> str:
        if "://" in calendar and "@" in urlsplit(calendar).netloc:
            msg = "a login does not stand in the calendar's url: it belongs to the connection"
            raise ValueError(msg)
        return calendar
