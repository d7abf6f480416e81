"""A task between a sandbox Notion and a table that knows people by their e-mail addresses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync_workers.redis.connect import Client
from sync_workers.report import Outcome
from sync_workers.sandbox.notion import TOKEN
from tests.drift.stage import Stage, staged

FIELDS = """
Name = "title"
Notes = "notes"
Owner = { other = "owner", form = "email" }
"""


@pytest.fixture
def stage(
    tmp_path: Path, redis_client: Client, task_name: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    monkeypatch.setenv("NOTION_TOKEN_OF_THE_TEST", TOKEN)
    with staged(tmp_path, redis_client, task_name) as made:
        made.change(Owner={"people": {}})
        made.sql("ALTER TABLE things ADD COLUMN owner TEXT")
        made.fields = FIELDS
        yield made


def ada(stage: Stage) -> str:
    return stage.notion.add_user("Ada", "ada@example.com")


def test_a_hidden_address_holds_its_field_and_the_others_cross_both_ways(stage: Stage) -> None:
    # given
    owner = ada(stage)
    page = stage.add(Name="Bread", Notes="fresh", Owner=[owner])
    stage.run()
    assert stage.row["owner"] == "ada@example.com"
    stage.notion.store.shows_emails = False
    stage.edit(page, Name="Milk")
    stage.sql("UPDATE things SET notes = 'cold', owner = NULL")
    # when
    report = stage.run()
    # then
    assert report.outcome is Outcome.DECISION
    (hold,) = report.asking
    assert "the value of 'Owner' names someone whose e-mail address Notion does not show" in hold.reason
    assert (stage.row["title"], stage.row["owner"]) == ("Milk", None)
    shown = stage.page(page)
    assert (shown["Notes"], [one["id"] for one in shown["Owner"]]) == ("cold", [owner])
    assert stage.is_quiet()
    # when it is shown again
    stage.notion.store.shows_emails = True
    stage.run()
    # then
    assert stage.page(page)["Owner"] == []
    assert stage.is_quiet()


def test_a_new_row_with_a_hidden_address_is_copied_without_it(stage: Stage) -> None:
    stage.notion.store.shows_emails = False
    stage.add(Name="Bread", Owner=[ada(stage)])
    stage.run()
    assert (stage.row["title"], stage.row["owner"]) == ("Bread", None)
    stage.notion.store.shows_emails = True
    stage.run()
    assert stage.row["owner"] == "ada@example.com"
    assert stage.is_quiet()
