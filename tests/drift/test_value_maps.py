"""A value map with memory from end to end: a status in Notion, done or not in a table."""

from __future__ import annotations

from sync_workers.redis.state_store import load
from tests.drift.stage import DONE, Stage

MAPPED = f'Name = "title"\nState = {{ other = "done", values = {DONE} }}\n'


def test_the_status_comes_back_over_runs_in_between(stage: Stage) -> None:
    stage.fields = MAPPED
    page_id = stage.add(Name="Bread", State="Doing")
    stage.run()
    assert stage.row["done"] == 0

    stage.sql("UPDATE things SET done = 1")
    stage.run()
    assert stage.page(page_id)["State"] == "Done"
    stage.edit(page_id, Name="Rye")
    stage.run()
    assert stage.is_quiet()
    stage.sql("UPDATE things SET done = 0")
    stage.run()

    assert stage.page(page_id)["State"] == "Doing"
    assert stage.is_quiet()


def test_a_status_that_is_no_option_any_more_gives_way_to_the_first(stage: Stage) -> None:
    stage.fields = MAPPED.replace('["Doing", false]', '["Doing", false], ["Blocked", false]')
    stage.change(
        State={"status": {"options": [{"name": n} for n in ("To do", "Blocked", "Done", "Cancelled")]}}
    )
    page_id = stage.add(Name="Bread", State="Blocked")
    stage.run()
    stage.sql("UPDATE things SET done = 1")
    stage.run()
    stage.change(State={"status": {"options": [{"name": n} for n in ("To do", "Done", "Cancelled")]}})

    stage.sql("UPDATE things SET done = 0")
    stage.run()

    assert stage.page(page_id)["State"] == "To do"


def test_an_unknown_status_waits_and_the_run_says_so(stage: Stage) -> None:
    stage.fields = MAPPED
    stage.change(State={"status": {"options": [{"name": n} for n in ("To do", "Doing", "Done", "Someday")]}})
    page_id = stage.add(Name="Bread", State="Someday")

    report = stage.run()

    assert stage.row["done"] is None
    (hold,) = report.held
    assert (hold.record_id, hold.asks) == (page_id, True)
    assert report.outcome.value == "needs a decision"
    assert stage.is_quiet()
    stage.fields = MAPPED.replace('["Done", true]', '["Done", true], ["Someday", true]')
    stage.run()
    assert stage.rows()[0]["done"] == 1
    assert stage.page(page_id)["State"] == "Someday"
    state = load(stage.client, stage.name)
    assert state is not None
    assert state.memory == {}
