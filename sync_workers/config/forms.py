"""The tables of a task file as pydantic checks them, one by one, so that all problems are found at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from sync_workers import schedule
from sync_workers.engine.rules import (
    AmbiguousPolicy,
    DeletePolicy,
    Direction,
    Limits,
    OutOfScopePolicy,
    Rules,
)
from sync_workers.fields import NewOptions, ValueForm
from sync_workers.model import ConflictMode, Pair, Side
from sync_workers.naming import tenant_name


class Form(BaseModel):
    """Strict, since TOML has types of its own: a number in quotes is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _interval(value: object) -> timedelta:
    if not isinstance(value, str):
        msg = 'should be text such as "10s", "5m" or "1h 30m"'
        raise ValueError(msg)  # noqa: TRY004 - pydantic collects ValueErrors only
    return schedule.interval(value)


_LIMITS = Limits()
_RULES = Rules(())
_VALUE = (str, bool, int, float)


def _pairs(value: object) -> tuple[Pair[Any], ...]:
    """A value map: a table from Notion value to other value, or a list of such pairs."""
    if not isinstance(value, dict | list):
        msg = 'should be a table such as { "Done" = "COMPLETED" }, or a list such as [["Done", true]]'
        raise ValueError(msg)  # noqa: TRY004 - pydantic collects ValueErrors only
    pairs = [list(pair) for pair in value.items()] if isinstance(value, dict) else value
    if not pairs:
        raise ValueError("is empty: name at least one pair of values, or leave it out")
    for number, pair in enumerate(pairs, start=1):
        if not isinstance(pair, list) or len(pair) != 2:  # noqa: PLR2004 - two sides
            msg = f"item {number} is no pair of a Notion value and an other value, such as [true, 1]"
            raise ValueError(msg)
        if not all(isinstance(part, _VALUE) for part in pair):
            msg = f"pair {number} should hold text, numbers, true or false"
            raise ValueError(msg)
    return tuple(Pair(notion, other) for notion, other in pairs)


Table: TypeAlias = dict[str, Any]
Text: TypeAlias = Annotated[str, Field(min_length=1)]
Interval: TypeAlias = Annotated[timedelta, BeforeValidator(_interval)]
Crontab: TypeAlias = Annotated[str, AfterValidator(schedule.crontab)]
Zone: TypeAlias = Annotated[str, AfterValidator(schedule.timezone)]
Pairs: TypeAlias = Annotated[tuple[Any, ...], BeforeValidator(_pairs)]
Tenant: TypeAlias = Annotated[str, AfterValidator(tenant_name)]
Mode: TypeAlias = Annotated[ConflictMode, Field(strict=False)]
Delete: TypeAlias = Annotated[DeletePolicy, Field(strict=False)]


class FileForm(Form):
    """The whole file; what is in the tables is checked by the forms below."""

    imports: list[Text] = []
    connections: dict[str, Table] = {}
    tasks: dict[str, Table] = {}
    alerts: Table = {}


class KindForm(BaseModel):
    """The one key that every `[connections.NAME]` has; the rest is up to the kind."""

    model_config = ConfigDict(strict=True)

    kind: Text


class DeleteForm(Form):
    """`delete` of a task as a table; one policy as text is the short form of it."""

    to_notion: Delete = DeletePolicy.PROPAGATE
    to_other: Delete = DeletePolicy.PROPAGATE


class TaskForm(Form):
    """`[tasks.NAME]`."""

    every: Interval | None = None
    crontab: Crontab | None = None
    timezone: Zone = "UTC"
    in_total: Annotated[int, Field(ge=1)] | None = None
    conflict: Mode = ConflictMode.NEWER
    tie: Annotated[Side, Field(strict=False)] = Side.OTHER
    delete: Delete | DeleteForm = DeletePolicy.PROPAGATE
    out_of_scope: Annotated[OutOfScopePolicy, Field(strict=False)] = OutOfScopePolicy.WAIT
    ambiguous: Annotated[AmbiguousPolicy, Field(strict=False)] = AmbiguousPolicy.REPORT
    loop_limit: Annotated[int, Field(ge=0)] = 10
    full_every: Interval = _RULES.full_every
    tenant: Tenant = ""
    match: Annotated[list[Text], Field(min_length=1)] | None = None
    notion: Table
    other: Table
    guard: Table = {}
    fields: dict[str, Any]


class GuardForm(Form):
    """`[tasks.NAME.guard]`."""

    lost_share: Annotated[float, Field(ge=0, le=1)] = _LIMITS.lost_share
    lost_number: Annotated[int, Field(ge=0)] = _LIMITS.lost_number
    changed_share: Annotated[float, Field(ge=0, le=1)] = _LIMITS.changed_share
    changed_number: Annotated[int, Field(ge=0)] = _LIMITS.changed_number
    created_share: Annotated[float, Field(ge=0)] = _LIMITS.created_share
    created_number: Annotated[int, Field(ge=0)] = _LIMITS.created_number


class SideForm(BaseModel):
    """The one key that both sides of a task have; the rest is up to the connection's kind."""

    model_config = ConfigDict(strict=True)

    connection: Text


class FieldForm(Form):
    """`NAME = { ... }` in `[tasks.NAME.fields]`; `NAME = "other"` is the short form of it."""

    other: Text
    direction: Annotated[Direction, Field(strict=False)] = Direction.BOTH
    conflict: Mode | None = None
    values: Pairs = ()
    form: Annotated[ValueForm, Field(strict=False)] | None = None
    relation: Text | None = None
    type: Text | None = None
    new_options: Annotated[NewOptions, Field(strict=False)] | None = None
