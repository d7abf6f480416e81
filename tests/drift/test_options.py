"""Options that are made on demand, over HTTP and with a table on the other side."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import date, timedelta
from typing import Any

import pytest

from sync_workers.errors import MovedError, RejectedError
from sync_workers.report import Outcome
from sync_workers.sandbox.faults import Kind
from sync_workers.secret import Secret
from sync_workers.services.base import Mapped
from sync_workers.services.local_budget import Ledger, LocalBudget
from sync_workers.services.notion.service import NotionService
from sync_workers.services.notion.settings import NotionConnection, NotionContainer
from tests.drift.stage import Stage

CREATE = 'State = { other = "state", new_options = "create" }'
HOLD = 'State = "state"'


def begun(stage: Stage, state: str, *, fields: str) -> str:
    """A page and its row in step, whose row then says `state`."""
    stage.fields = f'Name = "title"\n{fields}\n'
    page_id = stage.add(Name="Bread", State="Doing")
    stage.run()
    stage.sql("UPDATE things SET state = ?", state)
    return page_id


def test_a_status_gets_a_new_option_where_the_task_wants_that(stage: Stage) -> None:
    page_id = begun(stage, "Blocked", fields=CREATE)

    report = stage.run()

    assert stage.page(page_id)["State"] == "Blocked"
    assert stage.options("State") == ["To do", "Doing", "Done", "Cancelled", "Blocked"]
    assert report.outcome is Outcome.DONE
    assert stage.is_quiet()


def test_a_status_keeps_its_options_by_default_and_the_value_waits(stage: Stage) -> None:
    page_id = begun(stage, "Blocked", fields=HOLD)
    stage.sql("UPDATE things SET title = 'Rye'")

    report = stage.run()

    assert (stage.page(page_id)["Name"], stage.page(page_id)["State"]) == ("Rye", "Doing")
    assert stage.row["state"] == "Blocked"
    assert [hold.asks for hold in report.held] == [True]
    assert report.outcome is Outcome.DECISION
    assert stage.is_quiet()

    # A person adds it, in another case.
    shown = [{"name": name} for name in (*stage.options("State"), "blocked")]
    stage.change(State={"status": {"options": shown}})
    stage.run()
    assert (stage.page(page_id)["State"], stage.row["state"]) == ("blocked", "Blocked")
    assert stage.is_quiet()


def test_an_option_in_another_case_is_used_and_nothing_goes_back_and_forth(stage: Stage) -> None:
    page_id = begun(stage, "done", fields=CREATE)

    stage.run()

    assert (stage.page(page_id)["State"], stage.row["state"]) == ("Done", "done")
    assert stage.is_quiet()
    assert len(stage.options("State")) == 4


def test_selects_grow_by_default_and_tell_what_cannot_be_an_option(stage: Stage) -> None:
    stage.fields = 'Name = "title"\nKind = "kind"\nTags = "tags"\n'
    stage.sql(
        "INSERT INTO things (title, kind, tags) VALUES ('Bread', 'food', 'a, b'), ('Milk', ?, NULL)",
        "a" * 101,
    )
    stage.sql("INSERT INTO things (title, kind) VALUES ('Salt', 'salt, fine')")

    report = stage.run()

    pages = {page["Name"]: page for page in stage.pages()}
    assert (pages["Bread"]["Kind"], pages["Bread"]["Tags"]) == ("Food", ["a", "b"])
    assert (pages["Milk"]["Kind"], pages["Salt"]["Kind"]) == (None, None)
    reasons = [hold.reason for hold in report.held]
    assert [("longer than the 100" in reason, "has a ','" in reason) for reason in reasons] == [
        (True, False),
        (False, True),
    ]
    assert stage.is_quiet()


def test_a_select_that_is_to_be_kept_as_it_is_waits(stage: Stage) -> None:
    stage.fields = 'Name = "title"\nKind = { other = "kind", new_options = "hold" }\n'
    stage.sql("INSERT INTO things (title, kind) VALUES ('Bread', 'Bakery')")

    report = stage.run()

    assert stage.options("Kind") == ["Food", "Other"]
    assert [hold.asks for hold in report.held] == [True]


# --- several workers, lost replies, rights ---


@pytest.fixture
def token(stage: Stage) -> Secret:
    assert stage.url
    return Secret(env="NOTION_TOKEN_OF_THE_TEST")


def opened(stage: Stage, token: Secret, budget: LocalBudget | None = None) -> NotionService:
    connection = NotionConnection.model_validate({"token": token, "url": stage.url})
    mapped = Mapped(("Name", "State"), grows=frozenset({"State"}))
    container = NotionContainer(data_source=stage.source)
    return NotionService(connection, container, mapped, budget or LocalBudget())


def test_workers_that_add_options_at_once_lose_none_and_double_none(stage: Stage, token: Secret) -> None:
    ledger, names = Ledger(), ("Blocked", "blocked", "Waiting", "Dropped")
    ready = threading.Barrier(len(names))
    made: list[Any] = []

    def work(name: str) -> None:
        service = opened(stage, token, LocalBudget(ledger, patience=timedelta(minutes=1)))
        service.schema()
        ready.wait()
        made.append(service.create({"Name": name, "State": name}, name).fields["State"])
        service.close()

    workers = [threading.Thread(target=work, args=(name,)) for name in names]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    options = stage.options("State")
    assert sorted(option.casefold() for option in options[4:]) == ["blocked", "dropped", "waiting"]
    assert sorted(state.casefold() for state in made) == ["blocked", "blocked", "dropped", "waiting"]


def test_a_lost_reply_to_the_new_option_makes_no_second_one(stage: Stage, token: Secret) -> None:
    service = opened(stage, token)
    service.schema()
    stage.notion.faults.add(Kind.CUT, "PATCH", f"data_sources/{stage.source}")

    made = service.create({"Name": "Bread", "State": "Blocked"}, "1")
    service.close()

    assert made.fields["State"] == "Blocked"
    assert stage.options("State").count("Blocked") == 1


def test_a_connection_that_may_not_change_the_data_source_says_so(stage: Stage, token: Secret) -> None:
    service = opened(stage, token)
    service.schema()
    stage.notion.faults.add(Kind.FORBIDDEN, "PATCH", f"data_sources/{stage.source}")

    with pytest.raises(RejectedError, match='new_options = "hold"'):
        service.create({"Name": "Bread", "State": "Blocked"}, "1")
    service.close()
    assert stage.pages() == []


# --- the schema changes between the plan and its writes ---


def ids_of(stage: Stage) -> dict[str, str]:
    shown = stage.call("GET", f"data_sources/{stage.source}")["properties"]
    return {name: shown[name]["id"] for name in ("Name", "Due")}


def reopened(stage: Stage, token: Secret, ids: dict[str, str]) -> NotionService:
    """The service as `apply` opens it: what `get` knew of the properties, it knows too."""
    connection = NotionConnection.model_validate({"token": token, "url": stage.url})
    container = NotionContainer(data_source=stage.source)
    return NotionService(connection, container, Mapped(("Name", "Due"), ids=ids), LocalBudget())


def test_a_rename_between_the_plan_and_its_writes_changes_nothing(stage: Stage, token: Secret) -> None:
    page_id, ids = stage.add(Name="Bread", Due="2026-03-01"), ids_of(stage)
    with closing(reopened(stage, token, ids)) as before:
        (record,) = before.fetch().records
    stage.change(Due={"name": "Deadline"})
    later = reopened(stage, token, ids)

    later.update(record, {"Due": date(2026, 3, 2)})
    made = later.create({"Name": "Milk", "Due": date(2026, 3, 3)}, "1")

    assert stage.page(page_id)["Deadline"] == "2026-03-02"
    assert made.fields == {"Name": "Milk", "Due": date(2026, 3, 3)}
    later.close()


def test_a_deletion_between_the_plan_and_its_writes_leaves_them_to_the_next_run(
    stage: Stage, token: Secret
) -> None:
    page_id, ids = stage.add(Name="Bread", Due="2026-03-01"), ids_of(stage)
    with closing(reopened(stage, token, ids)) as before:
        (record,) = before.fetch().records
    stage.change(Due=None)
    later = reopened(stage, token, ids)

    with pytest.raises(MovedError, match="lost property Due"):
        later.update(record, {"Name": "Rye", "Due": date(2026, 3, 2)})
    with pytest.raises(MovedError, match="lost property Due"):
        later.create({"Name": "Milk", "Due": date(2026, 3, 2)}, "1")
    later.update(record, {"Name": "Rye"})  # what does not name it goes on

    assert [page["Name"] for page in stage.pages()] == ["Rye"]
    assert stage.page(page_id)["Name"] == "Rye"
    later.close()


def test_a_type_that_changes_right_before_a_write_is_no_bad_record(stage: Stage, token: Secret) -> None:
    ids = ids_of(stage)
    service = reopened(stage, token, ids)
    service.schema()
    stage.change(Due={"number": {}})

    with pytest.raises(MovedError, match="was deleted or changed its type"):
        service.create({"Name": "Milk", "Due": date(2026, 3, 2)}, "1")
    service.close()
