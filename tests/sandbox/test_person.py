"""The sandbox as a Python object."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime
from typing import Any

import pytest

from sync_workers.sandbox.errors import Refusal
from sync_workers.sandbox.notion import Notion
from tests.sandbox.conftest import Api, title

MOMENT = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)

PLAIN: list[tuple[str, Any, Any]] = [
    ("Note", "x" * 4001, "x" * 4001),
    ("Effort", 0, 0),
    ("Kind", "Home", "Home"),
    ("State", "Done", "Done"),
    ("Tags", ["a", "b"], ["a", "b"]),
    ("Due", date(2026, 1, 2), "2026-01-02"),
    ("Due", "2026-01-02", "2026-01-02"),
    ("Due", MOMENT, "2026-01-02T03:04:00.000+00:00"),
    ("Due", (date(2026, 1, 2), date(2026, 1, 3)), ("2026-01-02", "2026-01-03")),
    ("Done", True, True),
    ("Link", "https://example.com", "https://example.com"),
    ("Files", ["https://example.com/f"], ["https://example.com/f"]),
]


@pytest.mark.parametrize(("name", "value", "read"), PLAIN)
def test_plain_values_go_in_and_come_out(
    notion: Notion, tasks: str, name: str, value: Any, read: Any
) -> None:
    row = notion.add_page(tasks, {"Task": "Bread"})
    notion.edit_page(row, {name: value})
    assert notion.page(row).values[name] == read


@pytest.mark.parametrize("name", ["Note", "Effort", "Kind", "State", "Tags", "Due", "Link", "Files"])
def test_none_clears(notion: Notion, tasks: str, name: str) -> None:
    empty = notion.page(notion.add_page(tasks, {})).values[name]
    row = notion.add_page(tasks, {"Note": "x", "Effort": 1, "Kind": "Home", "State": "Done", "Tags": ["a"]})
    notion.edit_page(row, {name: None})
    assert notion.page(row).values[name] == empty


def test_computed_values_are_read(notion: Notion, tasks: str) -> None:
    values = notion.page(notion.add_page(tasks, {"Task": "Bread"})).values
    assert (values["Number"], values["Maker"]) == ("T-1", notion.person)


def test_a_formula_multiplies_and_a_rollup_counts(notion: Notion, tasks: str) -> None:
    columns = {
        "Name": "title",
        "Price": "number",
        "Double": {"formula": {"expression": 'prop("Price") * 2'}},
        "Tasks": {"relation": {"data_source_id": tasks, "single_property": {}}},
        "Count": {
            "rollup": {
                "relation_property_name": "Tasks",
                "rollup_property_name": "Task",
                "function": "count",
            }
        },
    }
    table = notion.add_database("Things", columns)
    row = notion.add_page(table, {"Price": 21, "Tasks": [notion.add_page(tasks, {})]})
    assert (notion.page(row).values["Double"], notion.page(row).values["Count"]) == (42, 1)


def test_what_a_client_writes_the_person_reads(api: Api, notion: Notion) -> None:
    page = api.create(Task=title("Bread"), Effort={"number": 2}).json()
    (row,) = notion.pages(api.table)
    assert (row.id, row.values["Task"], row.values["Effort"], row.edited_by) == (
        page["id"],
        "Bread",
        2,
        "Sync",
    )


def test_rows_are_listed_oldest_first_and_trashed_ones_on_request(notion: Notion, tasks: str) -> None:
    bread, milk = (notion.add_page(tasks, {"Task": name}) for name in ("Bread", "Milk"))
    notion.trash_page(bread)
    assert [row.id for row in notion.pages(tasks)] == [milk]
    assert [(row.id, row.in_trash) for row in notion.pages(tasks, trashed=True)] == [
        (bread, True),
        (milk, False),
    ]
    notion.restore_page(bread)
    assert [row.id for row in notion.pages(tasks)] == [bread, milk]


def test_a_person_is_refused_what_notion_refuses(notion: Notion, tasks: str) -> None:
    row = notion.add_page(tasks, {"Task": "Bread"})
    with pytest.raises(Refusal, match="not a property that exists"):
        notion.edit_page(row, {"Color": "red"})
    notion.trash_page(row)
    with pytest.raises(Refusal, match="Can't edit block that is archived"):
        notion.edit_page(row, {"Task": "Milk"})


def test_clients_and_people_write_at_the_same_time_without_loss(api: Api, notion: Notion) -> None:
    # given
    row = notion.add_page(api.table, {"Task": "Bread"})

    def by_client(number: int) -> None:
        api.create(Task=title(f"client {number}"), Tags={"multi_select": [{"name": f"c{number}"}]})

    def by_person(number: int) -> None:
        notion.add_page(api.table, {"Task": f"person {number}", "Tags": [f"p{number}"]})
        notion.edit_page(row, {"Effort": number})

    # when
    acts = [threading.Thread(target=act, args=[n]) for n in range(20) for act in (by_client, by_person)]
    for act in acts:
        act.start()
    for act in acts:
        act.join()
    # then
    rows = notion.pages(api.table)
    assert len(rows) == 41
    assert len({row.values["Number"] for row in rows}) == 41
    options = next(column.options for column in notion.tables()[0].columns if column.name == "Tags")
    assert len(options) == 40
