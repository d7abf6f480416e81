"""`Settings`: what the environment says. Nothing else reads it, but for secrets (`secret.py`)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from sync_workers.errors import SettingsError
from sync_workers.logs import LogFormat
from sync_workers.naming import hint
from sync_workers.schedule import interval, interval_text

PREFIX = "SYNC_WORKERS_"


class LogLevel(StrEnum):
    """From how grave a message on the log is written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def _redis_url(url: str) -> str:
    if "://" not in url:
        raise ValueError("should be a URL such as redis://localhost:6379/0")
    return url


def _address(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004 - the last port
        raise ValueError("should be a host and a port, such as 127.0.0.1:8080")
    return text


def _login(secret: SecretStr) -> SecretStr:
    user, _, password = secret.get_secret_value().partition(":")
    # Flower takes several, with a comma between them.
    if not user or len(password) < SHORTEST_PASSWORD or "," in secret.get_secret_value():
        raise ValueError(f"should be user:password, with {SHORTEST_PASSWORD} characters or more and no comma")
    return secret


def _lower(text: object) -> object:
    return text.lower() if isinstance(text, str) else text


def _interval(text: object) -> object:
    """An interval as in the task file; a mere number is seconds."""
    if not isinstance(text, str):
        return text
    return interval(f"{text}s" if text.isdecimal() else text)


def _at_least(least: timedelta) -> AfterValidator:
    def check(length: timedelta) -> timedelta:
        if length < least:
            raise ValueError(f"should be at least {interval_text(least)}")
        return length

    return AfterValidator(check)


def _within_limits(length: timedelta, info: ValidationInfo) -> timedelta:
    most = info.data.get("redelivery", REDELIVERY) * LONGEST_SLICE
    if length > most:
        raise ValueError(f"should be at most {interval_text(most)}: longer phases are stopped")
    return length


SHORTEST_PASSWORD = 8

REDELIVERY = timedelta(minutes=5)

LONGEST_SLICE = 0.6
"""Share of `redelivery`: room for the operation that is under way when the slice is over, before the
worker's limits."""

Url = Annotated[str, AfterValidator(_redis_url)]
Interval = Annotated[timedelta, BeforeValidator(_interval)]


class Settings(BaseSettings):
    """Each field is the variable SYNC_WORKERS_ and its name in capitals; see docs/configuration.md.

    Attributes:
        redis_url: where state, leases and snapshots live; also the broker unless that is named.
        broker_url: where Celery's messages go.
        config: the task file.
        log_level: from how grave a message on the log is written.
        log_format: whether that is text for people, or JSON, an object a line.
        health: host and port where a worker and beat say whether they live; None for nowhere.
        secrets: a folder with files that are named like these variables, for those that hold secrets.
        flower_login: `user:password` of Flower.
        lease: how long a run whose worker died stands in the way of the next one. It is renewed at every
            third of it, so that two renewals may fail in a row.
        redelivery: after this a message whose worker vanished is delivered to another one.
        apply_slice: how long `apply` works before it goes on as a new message.
        history_number: how many operations of each task the history keeps.
        history_age: how long it keeps them.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, env_ignore_empty=True)

    redis_url: Url = Field(default="redis://localhost:6379/0", repr=False)  # it may hold a password
    broker_url: Url | None = Field(default=None, repr=False)
    config: Path = Path("sync.toml")
    log_level: Annotated[LogLevel, BeforeValidator(_lower)] = LogLevel.INFO
    log_format: Annotated[LogFormat, BeforeValidator(_lower)] = LogFormat.TEXT
    health: Annotated[str, AfterValidator(_address)] | None = None
    secrets: Path | None = None
    flower_login: Annotated[SecretStr, AfterValidator(_login)] | None = None
    lease: Annotated[Interval, _at_least(timedelta(seconds=5))] = timedelta(seconds=60)
    redelivery: Annotated[Interval, _at_least(timedelta(seconds=10))] = REDELIVERY
    apply_slice: Annotated[Interval, AfterValidator(_within_limits)] = Field(
        default=timedelta(seconds=60),
        validate_default=False,  # who only shortens `redelivery` is not told about what was not set
    )
    history_number: int = Field(default=10_000, ge=1)
    history_age: Annotated[Interval, _at_least(timedelta(minutes=1))] = timedelta(days=90)

    @property
    def broker(self) -> str:
        """Where Celery's messages go."""
        return self.broker_url or self.redis_url

    @property
    def slice(self) -> timedelta:
        """How long `apply` works at a time, within what `redelivery` leaves room for."""
        return min(self.apply_slice, self.redelivery * LONGEST_SLICE)

    @property
    def queued(self) -> timedelta:
        """How long a run may wait in the queue for its next phase before another one may begin.

        Twice the broker's: a phase whose worker died before it began is delivered once more within it. A
        run that waits longer is superseded by the next one, which costs calls and loses nothing.
        """
        return 2 * self.redelivery

    @property
    def patience(self) -> timedelta:
        """How long a phase waits for a Redis that is away, such as over a restart; half of a lease."""
        return self.lease / 2


def load_settings() -> Settings:
    """The settings of this process.

    Raises:
        SettingsError: a variable with our prefix is unknown or wrong; all of them.
    """
    problems = unknown_variables(os.environ)
    try:
        settings = Settings(_secrets_dir=_secrets(os.environ))
    except ValidationError as error:
        problems += [_wrong(str(detail["loc"][0]), detail["msg"]) for detail in error.errors()]
    if problems:
        raise SettingsError(*problems)
    return settings


def _secrets(environment: Mapping[str, str]) -> Path | None:
    """The folder with files for variables, as Docker and systemd make one.

    Raises:
        SettingsError: it is not there.
    """
    name = variable("secrets")
    folder = environment.get(name)
    if folder and not Path(folder).is_dir():
        raise SettingsError(f"the environment variable {name} should name a folder, and {folder} is none")
    return Path(folder) if folder else None


def unknown_variables(environment: Mapping[str, str]) -> list[str]:
    """A sentence for each variable with our prefix that no setting reads: probably misspelt."""
    known = {variable(name) for name in Settings.model_fields}
    return [
        f"the environment variable {name} is no setting{hint(name.upper(), known)}"
        for name in sorted(environment)
        if name.upper().startswith(PREFIX) and name.upper() not in known
    ]


def variable(setting: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + setting.upper()


def _wrong(setting: str, message: str) -> str:
    what = message.removeprefix("Value error, ").replace("Input should", "should")
    return f"the environment variable {variable(setting)} {what}"
