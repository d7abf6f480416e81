"""`[alerts]`: when a person is told, and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from sync_workers.config.forms import Form, Interval, KindForm, Table, Text
from sync_workers.config.tables import Tables, table, tables
from sync_workers.naming import hint
from sync_workers.secret import Secret

PATH = "alerts"


class AlertsForm(Form):
    """`[alerts]`."""

    late: Annotated[int, Field(ge=1)] = 3
    patience: Interval = timedelta(minutes=5)
    waiting: Interval = timedelta(days=1)
    quarantined: Annotated[int, Field(ge=1)] = 5
    to: dict[str, Table] = Field(default_factory=dict)


class WebhookForm(Form):
    """`[alerts.to.NAME]` with `kind = "webhook"`: JSON of our own, to anything that takes it."""

    kind: Literal["webhook"]
    url: Secret
    token: Secret | None = None


class SlackForm(Form):
    """`[alerts.to.NAME]` with `kind = "slack"`: what Slack, Mattermost and Rocket.Chat take."""

    kind: Literal["slack"]
    url: Secret


class Security(StrEnum):
    """How a mail server is spoken to."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class EmailForm(Form):
    """`[alerts.to.NAME]` with `kind = "email"`."""

    kind: Literal["email"]
    host: Text
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Annotated[Security, Field(strict=False)] = Security.STARTTLS
    user: Text | None = None
    password: Secret | None = None
    sender: Text
    recipients: Annotated[list[Text], Field(min_length=1)]


Receiver: TypeAlias = WebhookForm | SlackForm | EmailForm

RECEIVERS: Mapping[str, type[Receiver]] = {"webhook": WebhookForm, "slack": SlackForm, "email": EmailForm}


@dataclass(frozen=True, slots=True)
class Alerts:
    """When a person is told, and where.

    Attributes:
        receivers: by name; where there is none, nobody is told.
    """

    rules: AlertsForm = AlertsForm()
    receivers: Mapping[str, Receiver] = field(default_factory=dict)


def read_alerts(checked: Tables, data: Table) -> Alerts:
    """What the file says of alerts; problems are noted."""
    found = table(data, PATH)
    if found is None:  # another thing than a table is told by the form of the file
        return Alerts()
    rules = checked.form(AlertsForm, found, (PATH,))
    receivers = {name: _receiver(checked, name, one) for name, one in tables(found, "to")}
    return Alerts(rules or AlertsForm(), {name: one for name, one in receivers.items() if one})


def _receiver(checked: Tables, name: str, data: dict[str, Any]) -> Receiver | None:
    path = (PATH, "to", name)
    form = checked.form(KindForm, data, path)
    if form is None:
        return None
    if form.kind not in RECEIVERS:
        checked.problems.add(
            (*path, "kind"), f"alerts cannot go to a {form.kind!r}{hint(form.kind, RECEIVERS)}"
        )
        return None
    return checked.form(RECEIVERS[form.kind], data, path)
