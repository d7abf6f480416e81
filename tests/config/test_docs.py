"""docs/configuration.md names every setting, key, default, choice and command: held against the models."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from pydantic import AnyUrl, BaseModel
from pydantic.fields import FieldInfo

from sync_workers.cli import app
from sync_workers.config import read
from sync_workers.config.alerts import AlertsForm, EmailForm, SlackForm, WebhookForm
from sync_workers.config.forms import (
    DeleteForm,
    FieldForm,
    FileForm,
    Form,
    GuardForm,
    KindForm,
    SideForm,
    TaskForm,
)
from sync_workers.errors import SettingsError
from sync_workers.schedule import interval_text
from sync_workers.services import KINDS, find
from sync_workers.settings import Settings, variable
from tests.config.fakes import find_kind

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "configuration.md").read_text(encoding="utf-8")

SECTIONS: dict[str, type[BaseModel]] = {
    "## The task file": FileForm,
    "## Connections: `[connections.NAME]`": KindForm,
    "## Tasks: `[tasks.NAME]`": TaskForm,
    "### Sides: `notion` and `other`": SideForm,
    "### Deletions: `[tasks.NAME.delete]`": DeleteForm,
    "### Field map: `[tasks.NAME.fields]`": FieldForm,
    "### Guards: `[tasks.NAME.guard]`": GuardForm,
    "## Alerts: `[alerts]`": AlertsForm,
    '### Webhooks: `kind = "webhook"` in `[alerts.to.NAME]`': WebhookForm,
    '### Slack: `kind = "slack"` in `[alerts.to.NAME]`': SlackForm,
    '### E-mail: `kind = "email"` in `[alerts.to.NAME]`': EmailForm,
}


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its head."""
    section = PAGE.partition(f"\n{heading}\n")[2]
    assert section, f"there is no section {heading}"
    lines = [line for line in re.split(r"\n##+ ", section)[0].splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def default(field: FieldInfo, *, in_seconds: bool = False) -> str:
    """A default as it stands in the docs; below a day environment variables name seconds."""
    if field.is_required():
        return "required"
    value: Any = field.get_default(call_default_factory=True)
    if value is None or value == ():
        return "none"
    if isinstance(value, timedelta) and in_seconds and value < timedelta(days=1):
        value = int(value.total_seconds())
    return f"`{written(value)}`"


def written(value: Any) -> str:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, AnyUrl | ZoneInfo | Path):
        value = str(value)
    if isinstance(value, timedelta):
        value = interval_text(value) if value >= timedelta(minutes=1) else int(value.total_seconds())
    return json.dumps(value)


def choices(annotation: Any) -> Iterator[str]:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        yield from (str(choice.value) for choice in annotation)
    for inner in get_args(annotation):
        yield from choices(inner)


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_key_stands_in_its_table_with_its_default_and_choices(heading: str) -> None:
    model = SECTIONS[heading]

    documented = {cells[0]: cells for cells in rows(heading)}

    assert list(documented) == [f"`{name}`" for name in model.model_fields]
    for name, field in model.model_fields.items():
        assert documented[f"`{name}`"][1] == default(field), name
        for choice in choices(field.annotation):
            assert f"`{choice}`" in documented[f"`{name}`"][2], f"{name} = {choice}"


def test_no_form_is_left_out() -> None:
    assert set(Form.__subclasses__()) <= set(SECTIONS.values())


def test_every_environment_variable_is_named_with_its_default_and_choices() -> None:
    documented = {cells[0]: cells for cells in rows("## Environment variables")}

    assert list(documented) == [f"`{variable(name)}`" for name in Settings.model_fields]
    for name, field in Settings.model_fields.items():
        cells = documented[f"`{variable(name)}`"]
        assert cells[1].replace("`", "") == default(field, in_seconds=True).strip("`").replace('"', ""), name
        for choice in choices(field.annotation):
            assert f"`{choice}`" in cells[2], f"{name} = {choice}"


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_of_every_service_is_named_with_its_default(kind: str) -> None:
    service = find(kind)
    models = {"connection": service.connection, "side": service.container}

    documented = [cells[:3] for cells in rows(f'### `kind = "{kind}"`')]

    assert documented == [
        [where, f"`{name}`", default(field)]
        for where, model in models.items()
        for name, field in model.model_fields.items()
    ]


def test_every_kind_is_named() -> None:
    (row,) = rows("## Connections: `[connections.NAME]`")

    assert set(re.findall(r"`(\w+)`", row[2])) == set(KINDS)


def test_every_command_is_named_somewhere_in_the_docs() -> None:
    docs = "\n".join(path.read_text(encoding="utf-8") for path in DOCS.rglob("*.md"))
    names = [command.name for command in app.registered_commands]

    assert names
    assert [name for name in names if f"sync-workers {name}" not in docs] == []


WRONG = """\
[connections.work]
kind = "vault"
token = "ntn_secret"
[connections.calendar]
kind = "memory"


[tasks.todo]
match = ["Name"]
notion = { connection = "work", box = "a" }
other = { connection = "calendar" }
confict = "newer"





[tasks.todo.fields]
Status = { other = "status", direction = "to_notoin" }
Name = "title"
"""


def test_the_messages_on_the_page_are_those_that_are_given() -> None:
    with pytest.raises(SettingsError) as raised:
        read(WRONG, Path("sync.toml"), find_kind)

    assert list(raised.value.problems) == fenced("text").splitlines()


def test_the_field_map_on_the_page_can_be_read() -> None:
    text = WRONG[: WRONG.index("confict")].replace('"ntn_secret"', '{ env = "A" }') + fenced("toml")

    assert len(read(text, Path("sync.toml"), find_kind).tasks["todo"].rules.fields) == 5


def fenced(language: str) -> str:
    """The block of that language on the page."""
    return PAGE.partition(f"```{language}\n")[2].partition("```")[0]
