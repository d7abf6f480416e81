"""A task between a sandbox Notion and a table that knows people by their e-mail addresses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sync_workers.redis.connect import Client
from sync_workers.redis.quarantine import quarantined, release
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


def test_r10_a_row_that_was_written_beside_a_hidden_address_is_not_asked_for_again(stage: Stage) -> None:
    stage.add(Name="Bread", Owner=[ada(stage)])
    stage.run()
    stage.notion.store.shows_emails = False
    stage.sql("UPDATE things SET notes = 'cold'")
    assert stage.run().counts == {"notion.update": 1}
    stage.notion.forget_requests()

    stage.run()

    assert not [call.path for call in stage.notion.requests if "pages/" in call.path]


def test_a_new_row_with_a_hidden_address_is_copied_without_it(stage: Stage) -> None:
    stage.notion.store.shows_emails = False
    stage.add(Name="Bread", Owner=[ada(stage)])
    stage.run()
    assert (stage.row["title"], stage.row["owner"]) == ("Bread", None)
    stage.notion.store.shows_emails = True
    stage.run()
    assert stage.row["owner"] == "ada@example.com"
    assert stage.is_quiet()


def test_an_unknown_address_waits_alone_and_status_names_the_field(stage: Stage) -> None:
    # given
    page = stage.add(Name="Bread", Owner=[ada(stage)])
    stage.run()
    stage.sql("UPDATE things SET owner = 'eve@example.com', notes = 'cold'")
    stage.sql("INSERT INTO things (title, owner) VALUES ('Milk', 'eve@example.com')")
    # when
    report = stage.run()
    # then
    assert report.outcome is Outcome.PARTIAL
    assert report.counts == {"notion.update": 1, "notion.create": 1}
    rows = {shown["Name"]: (shown["Notes"], len(shown["Owner"])) for shown in stage.pages()}
    assert rows == {"Bread": ("cold", 1), "Milk": (None, 0)}
    assert [row["owner"] for row in stage.rows()] == ["eve@example.com"] * 2
    waiting = quarantined(stage.client, stage.name).values()
    assert [list(one.fields) for one in waiting] == [["Owner"]] * 2
    assert all(
        "property 'Owner' (people) names a person that is not in Notion" in one.reason for one in waiting
    )
    # when nothing changes, nothing is called but the listing
    stage.notion.forget_requests()
    report = stage.run()
    assert not report.counts
    assert {call.path.rpartition("/")[2] for call in stage.notion.requests if call.method == "POST"} <= {
        "query"
    }
    assert not [call for call in stage.notion.requests if "pages/" in call.path or "users" in call.path]
    # when another field changes
    stage.edit(page, Name="Rolls")
    stage.sql("UPDATE things SET notes = 'fresh' WHERE title = 'Milk'")
    stage.run()
    assert {row["title"] for row in stage.rows()} == {"Rolls", "Milk"}
    assert {shown["Name"]: shown["Notes"] for shown in stage.pages()} == {"Rolls": "cold", "Milk": "fresh"}
    # when the person is there
    stage.notion.add_user("Eve", "eve@example.com")
    release(stage.client, stage.name, quarantined(stage.client, stage.name), datetime.now(UTC))
    assert stage.run().counts == {"notion.update": 2}
    assert not any(stage.state.quarantine.values())
    assert stage.is_quiet()
