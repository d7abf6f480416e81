"""A schema that changes under a task: renames are followed, lost fields freeze, nothing is erased."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync_workers.errors import SettingsError
from sync_workers.redis.connect import Client
from sync_workers.report import Outcome
from sync_workers.sandbox.notion import TOKEN
from tests.cli.command import Command
from tests.drift.stage import FIELDS, Stage, staged

DAY, NEXT_DAY, LAST_DAY = "2026-03-01", "2026-03-02", "2026-03-09"


def linked(stage: Stage) -> str:
    """A page with its row, in step; everything is filled in."""
    page_id = stage.add(Name="Bread", Due=DAY, Notes="fresh")
    stage.run()
    return page_id


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the runs so far told about fields; begins anew."""
    messages = [record.getMessage() for record in caplog.records if getattr(record, "action", "") == "drift"]
    caplog.clear()
    return messages


def test_a_renamed_property_is_followed_and_told_once(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    page_id = linked(stage)
    told(caplog)
    stage.change(Due={"name": "Deadline"})
    stage.sql("UPDATE things SET due = ?", NEXT_DAY)

    report = stage.run()

    assert stage.page(page_id)["Deadline"] == NEXT_DAY
    assert report.outcome is Outcome.DONE
    (sentence,) = report.drift
    assert "'Due' of notion is called 'Deadline' there now, and is followed" in sentence
    assert [sentence in message for message in told(caplog)] == [True]
    assert report.fresh == []
    assert stage.is_quiet()
    assert told(caplog) == []
    stage.edit(page_id, Deadline=LAST_DAY)
    stage.run()
    assert stage.row["due"] == LAST_DAY


def test_the_task_file_may_take_the_new_name(stage: Stage) -> None:
    page_id = linked(stage)
    stage.change(Due={"name": "Deadline"})
    stage.run()
    stage.fields = stage.fields.replace("Due =", "Deadline =")

    assert stage.run().drift == []

    assert (stage.page(page_id)["Deadline"], stage.row["due"]) == (DAY, DAY)
    assert stage.is_quiet()


def test_two_properties_that_swap_their_names_keep_their_own_values(stage: Stage) -> None:
    stage.fields = 'Name = "title"\nNotes = "notes"\nMore = "kind"\n'
    stage.change(More={"rich_text": {}})
    page_id = stage.add(Name="Bread", Notes="fresh", More="white")
    stage.run()
    stage.change(Notes={"name": "tmp"})
    stage.change(More={"name": "Notes"})
    stage.change(tmp={"name": "More"})
    stage.edit(page_id, More="stale")

    stage.run()

    assert (stage.row["notes"], stage.row["kind"]) == ("stale", "white")
    assert stage.is_quiet()


def test_another_property_that_took_the_old_name_is_not_taken_for_the_renamed_one(stage: Stage) -> None:
    page_id = linked(stage)
    stage.change(Due={"name": "Deadline"})
    stage.change(Due={"date": {}})
    stage.edit(page_id, Due=LAST_DAY)

    report = stage.run()

    assert stage.row["due"] == DAY
    assert "another one has its old name" in report.drift[0]


def test_a_deleted_property_freezes_its_field_and_all_else_goes_on(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    page_id = linked(stage)
    told(caplog)
    stage.change(Due=None)
    stage.edit(page_id, Notes="stale")
    stage.sql("UPDATE things SET due = ?", NEXT_DAY)

    report = stage.run()

    assert report.outcome is Outcome.DONE
    assert (stage.row["notes"], stage.row["due"]) == ("stale", NEXT_DAY)
    (sentence,) = report.drift
    assert "'Due' of notion was deleted" in sentence
    assert len(told(caplog)) == 1
    assert str(stage.state.objs[page_id]["Due"]) == DAY  # what was known stays
    assert stage.is_quiet()
    assert told(caplog) == []


def test_a_property_that_comes_back_thaws_and_what_was_edited_meanwhile_crosses(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    page_id = linked(stage)
    before = stage.notion.store.data_sources[stage.source]
    stage.change(Due=None)
    stage.run()
    stage.sql("UPDATE things SET due = ?", NEXT_DAY)
    stage.run()
    caplog.set_level(logging.INFO)
    told(caplog)

    stage.notion.store.data_sources[stage.source] = before
    report = stage.run()

    assert stage.page(page_id)["Due"] == NEXT_DAY
    assert (report.drift, report.fresh) == ([], [])
    assert "notion.Due is as it was" in told(caplog)[0]
    assert stage.is_quiet()


def test_a_property_that_was_made_anew_is_compared_afresh(stage: Stage) -> None:
    page_id = linked(stage)
    stage.change(Due=None)
    stage.run()
    stage.change(Due={"date": {}})

    report = stage.run()

    assert (stage.row["due"], stage.page(page_id)["Due"]) == (DAY, DAY)
    assert "field.Due" in report.fresh


def test_a_changed_type_freezes_until_the_task_file_means_it(stage: Stage) -> None:
    page_id = linked(stage)
    stage.change(Notes={"number": {}})  # Notion loses what is no number

    report = stage.run()

    assert report.outcome is Outcome.DONE
    assert "'Notes' of notion was a rich_text and is a number now" in report.drift[0]
    assert stage.row["notes"] == "fresh"
    stage.edit(page_id, Notes=5)
    assert stage.is_quiet()

    stage.fields = 'Name = "title"\nDue = "due"\nNotes = { other = "notes", direction = "to_other" }\n'
    report = stage.run()
    assert report.drift == []
    assert stage.row["notes"] == "5"
    assert stage.is_quiet()


def test_a_type_that_still_fits_is_accepted_by_naming_it(stage: Stage) -> None:
    stage.fields = 'Name = "title"\nKind = "kind"\n'
    page_id = stage.add(Name="Bread", Kind="Food")
    stage.run()
    stage.change(Kind={"rich_text": {}})
    assert "write type = 'rich_text'" in stage.run().drift[0]

    stage.fields = 'Name = "title"\nKind = { other = "kind", type = "rich_text" }\n'
    report = stage.run()

    assert report.drift == []
    assert (stage.row["kind"], stage.page(page_id)["Kind"]) == ("Food", "Food")  # filled in again
    assert stage.is_quiet()


def test_a_type_that_changes_back_thaws(stage: Stage) -> None:
    page_id = linked(stage)
    before = stage.notion.store.data_sources[stage.source]
    pages = dict(stage.notion.store.pages)
    stage.change(Notes={"number": {}})
    stage.run()

    stage.notion.store.data_sources[stage.source] = before
    stage.notion.store.pages.update(pages)
    stage.edit(page_id, Notes="stale")
    stage.run()

    assert stage.row["notes"] == "stale"
    assert stage.is_quiet()


def test_a_type_that_cannot_be_mapped_freezes_too(stage: Stage) -> None:
    linked(stage)
    stage.change(Notes={"button": {}})

    report = stage.run()

    assert "has a type now that cannot be mapped (button)" in report.drift[0]
    assert stage.row["notes"] == "fresh"


def test_a_dropped_column_freezes_its_field(stage: Stage) -> None:
    page_id = linked(stage)
    stage.sql("ALTER TABLE things DROP COLUMN notes")
    stage.edit(page_id, Notes="stale", Due=NEXT_DAY)

    report = stage.run()

    assert report.outcome is Outcome.DONE
    assert "'notes' of other was deleted" in report.drift[0]
    assert stage.row["due"] == NEXT_DAY
    assert stage.page(page_id)["Notes"] == "stale"
    assert stage.is_quiet()

    stage.sql("ALTER TABLE things ADD COLUMN notes TEXT")
    stage.run()
    assert stage.page(page_id)["Notes"] == "stale"


def test_with_a_frozen_key_nothing_new_is_made(stage: Stage) -> None:
    """Nobody could tell whether it is there already."""
    stage.match = "Notes"
    linked(stage)
    stage.change(Notes=None)
    stage.add(Name="Milk")
    stage.sql("INSERT INTO things (title, notes) VALUES ('Milk', 'new')")

    report = stage.run()

    assert report.counts == {}
    assert len(report.held) == 2
    assert "no record is made as long as the field" in report.held[0].reason
    assert (len(stage.rows()), len(stage.pages())) == (2, 2)


def test_an_edit_of_a_frozen_field_still_keeps_its_record(stage: Stage) -> None:
    """Its page is trashed, but a person changed on the other side what cannot cross now."""
    page_id = linked(stage)
    stage.change(Due=None)
    stage.run()
    stage.add(Name="Milk")
    stage.run()
    stage.sql("UPDATE things SET due = ? WHERE title = 'Bread'", NEXT_DAY)
    stage.notion.trash_page(page_id)

    report = stage.run()

    assert report.counts == {"notion.create": 1}
    assert {row["title"]: row["due"] for row in stage.rows()} == {"Bread": NEXT_DAY, "Milk": None}


def test_a_frozen_field_does_not_keep_a_record_that_nobody_edited(stage: Stage) -> None:
    linked(stage)
    stage.add(Name="Milk")
    stage.run()
    stage.change(Due=None)
    stage.sql("DELETE FROM things WHERE title = 'Bread'")

    stage.run()

    assert [page["Name"] for page in stage.pages()] == ["Milk"]


def test_a_wrong_name_is_still_an_error(stage: Stage) -> None:
    linked(stage)
    stage.fields = stage.fields.replace("Due =", "Deu =")

    with pytest.raises(SettingsError, match="did you mean 'Due'"):
        stage.run()


def test_another_data_source_without_the_property_is_an_error_too(stage: Stage) -> None:
    linked(stage)
    stage.source = stage.notion.add_database("Others", {"Name": "title", "Notes": "rich_text"})

    with pytest.raises(SettingsError, match="notion has no field 'Due'"):
        stage.run()


def test_columns_of_another_table_may_have_other_types(stage: Stage) -> None:
    linked(stage)
    stage.sql("DROP TABLE things")
    stage.sql("CREATE TABLE others (id INTEGER PRIMARY KEY, title TEXT, due TEXT, notes JSON)")
    stage.table = "others"

    report = stage.run()

    assert report.drift == []
    assert report.counts["other.create"] == 1


def test_plan_and_status_say_it_as_long_as_it_lasts(
    stage: Stage, redis_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    linked(stage)
    stage.change(Due={"name": "Deadline"})
    stage.change(Notes=None)
    stage.run()
    stage.run()
    path = stage.database.with_name("sync.toml")
    path.write_text(stage.text, encoding="utf-8")
    monkeypatch.setenv("SYNC_WORKERS_REDIS_URL", redis_url)
    monkeypatch.setenv("COLUMNS", "400")
    command = Command(capsys)

    for args in (["status"], ["plan", stage.name], ["run", stage.name]):
        told_now = command(*args, "--config", str(path))
        assert (told_now.code, told_now.err) == (0, "")
        assert "'Notes' of notion was deleted" in told_now.out
        assert "'Due' of notion is called 'Deadline' there now" in told_now.out


def test_check_shows_what_changed_and_what_could_be_mapped(
    stage: Stage, redis_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    linked(stage)
    stage.change(Due={"name": "Deadline"}, Notes={"number": {}}, Press={"button": {}})
    path = stage.database.with_name("sync.toml")
    path.write_text(stage.text, encoding="utf-8")
    monkeypatch.setenv("SYNC_WORKERS_REDIS_URL", redis_url)
    monkeypatch.setenv("COLUMNS", "400")
    command = Command(capsys)

    shown = command("check", "--config", str(path))

    assert (shown.code, shown.err) == (0, "")
    rows = {
        line.split("│")[1].strip(): line.split("│")[3].strip()
        for line in shown.out.splitlines()
        if "│" in line
    }
    assert rows == {"Name: text": "<->", "Due (now Deadline): date": "<->", "Notes: number": "frozen"}
    lines = [line.strip() for line in shown.out.splitlines()]
    assert any(line.startswith("renamed: field 'Due' of notion is called 'Deadline'") for line in lines)
    assert any(line.startswith("frozen: field 'Notes' of notion was a rich_text") for line in lines)
    (unmapped,) = [line for line in lines if line.startswith("not mapped on notion: ")]
    assert all(one in unmapped for one in ("Kind (select)", "Tags (multi_select)", "State (status)"))
    assert "cannot be mapped on notion: Press (button)" in lines
    assert any(line.startswith("not mapped on other: id (") for line in lines)

    stage.fields = FIELDS.replace('"notes"', '{ other = "notes", type = "nubmer" }')
    path.write_text(stage.text, encoding="utf-8")
    assert (
        "type = 'nubmer' is wrong: it is number on notion and text on other"
        in command("check", "--config", str(path)).err
    )


def test_check_does_without_redis(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = stage.database.with_name("sync.toml")
    path.write_text(stage.text, encoding="utf-8")
    monkeypatch.setenv("SYNC_WORKERS_REDIS_URL", "redis://127.0.0.1:1/0")

    assert Command(capsys)("check", "--config", str(path)).code == 0


CHANGES = st.lists(
    st.sampled_from(
        [
            "delete Due",
            "delete Notes",
            "rename Due",
            "number Notes",
            "anew Due",
            "edit page",
            "edit row",
            "drop notes",
        ]
    ),
    min_size=1,
    max_size=5,
)


@pytest.fixture
def numbers(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    monkeypatch.setenv("NOTION_TOKEN_OF_THE_TEST", TOKEN)
    return []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=CHANGES)
def test_no_value_is_ever_erased_by_drift(
    changes: list[str],
    numbers: list[int],
    tmp_path_factory: pytest.TempPathFactory,
    redis_client: Client,
    task_name: str,
) -> None:
    """Whatever becomes of the schema: what a person wrote on the other side stays, or an edit replaced it."""
    numbers.append(1)
    with staged(tmp_path_factory.mktemp("drift"), redis_client, f"{task_name}-{len(numbers)}") as stage:
        page_id = linked(stage)
        columns = {"title", "due", "notes"}
        for number, change in enumerate(changes):
            _change(stage, page_id, change, number)
            columns -= {"notes"} if change == "drop notes" else set()
            stage.run()
            (row,) = stage.rows()
            assert all(row[column] for column in columns)
        assert stage.is_quiet()


def _change(stage: Stage, page_id: str, change: str, number: int) -> None:
    """Somebody does this, if it can be done."""
    verb, what = change.split()
    shown: dict[str, Any] = stage.call("GET", f"data_sources/{stage.source}")["properties"]
    there = what in shown
    if verb == "delete" and there:
        stage.change(**{what: None})
    elif verb == "rename" and there:
        stage.change(**{what: {"name": f"{what} {number}"}})
    elif verb == "number" and there:
        stage.change(**{what: {"number": {}}})
    elif verb == "anew" and not there:
        stage.change(**{what: {"date": {}}})
    elif change == "edit page":
        stage.edit(page_id, Name=f"Bread {number}")
    elif change == "edit row":
        stage.sql("UPDATE things SET due = ?", f"2026-04-{number + 1:02}")
    elif change == "drop notes" and "notes" in stage.row:
        stage.sql("ALTER TABLE things DROP COLUMN notes")


def test_a_text_that_crosses_as_markdown_from_now_on_keeps_its_formatting(stage: Stage) -> None:
    # given a formatted text that crossed as plain text
    page_id = linked(stage)
    bold = {"type": "text", "text": {"content": "fresh"}, "annotations": {"bold": True}}
    stage.call("PATCH", f"pages/{page_id}", {"properties": {"Notes": {"rich_text": [bold]}}})
    stage.run()
    # when
    stage.fields = stage.fields.replace('Notes = "notes"', 'Notes = { other = "notes", form = "markdown" }')
    report = stage.run()
    # then
    assert report.conflicts == []
    assert stage.row["notes"] == "**fresh**"
    shown = stage.call("GET", f"pages/{page_id}")["properties"]["Notes"]["rich_text"]
    assert [item["annotations"]["bold"] for item in shown] == [True]
    assert stage.is_quiet()
