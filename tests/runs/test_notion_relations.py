"""Projects and tasks between a sandbox Notion and a database, and sub-tasks in a real calendar."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sync_workers.engine.rules import FieldRule, Rules
from sync_workers.model import ID, Pair, Side
from sync_workers.report import Outcome, Report
from sync_workers.sandbox.faults import Kind
from sync_workers.sandbox.notion import Row
from sync_workers.services.base import Mapped, Service
from tests.runs.between import Between
from tests.services.caldav.servers import Servers
from tests.services.caldav.world import CaldavWorld
from tests.services.notion.world import NotionWorld, notion_world
from tests.services.sql.worlds import Place

HIDDEN = "which notion does not show to us at all: not taken for cleared"
PROJECT = FieldRule(Pair("Project", "project_id"), relation="projects")
TASKS = Rules(
    (
        FieldRule(Pair("Name", "title")),
        PROJECT,
        FieldRule(Pair("Parent item", "parent_id"), relation="tasks"),
    ),
    key=("Name",),
)
PROJECTS = Rules((FieldRule(Pair("Name", "title")),), key=("Name",))


def sub_items(world: NotionWorld, source: str) -> None:
    """As a person turns them on."""
    dual = {"data_source_id": source, "dual_property": {"synced_property_name": "Sub-item"}}
    world.call("PATCH", f"data_sources/{source}", {"properties": {"Parent item": {"relation": dual}}})


@dataclass
class Desk:
    """Two tasks, each run by itself.

    Attributes:
        projects, tasks: the data sources in Notion.
    """

    notion: NotionWorld
    db: Place
    projects: str
    tasks: str
    runs: dict[str, Between] = field(default_factory=dict)
    number: Iterator[int] = field(default_factory=lambda: itertools.count(100))

    def opened(self, source: str, names: tuple[str, ...], table: str, **roles: Any) -> dict[Side, Any]:
        own = {"parent": "Parent item"} if table == "tasks" else {}

        def open_notion() -> Service:
            self.notion.own = own
            return self.notion.open(Mapped(names, key="Name"), data_source=source, **own)

        columns = {"projects": ("title",), "tasks": ("title", "project_id", "parent_id")}[table]
        return {Side.NOTION: open_notion, Side.OTHER: lambda: self.db.open(table, columns, **roles)}

    def run(self, task: str) -> Report:
        between = self.runs[task]
        between.links = {name: dict(one.state.ids) for name, one in self.runs.items() if name != task}
        return between.run()

    def page(self, source: str, name: str, **related: list[ID]) -> ID:
        values = {key.replace("_", " "): ids for key, ids in related.items()}
        return self.notion.notion.add_page(source, {"Name": name, **values})

    def row(self, table: str, title: str, **columns: Any) -> int:
        number = next(self.number)
        values = {"id": number, "title": title, **columns}
        names, places = ", ".join(values), ", ".join(f":{name}" for name in values)
        self.db.run(f"INSERT INTO {table} ({names}) VALUES ({places})", **values)  # noqa: S608 - a test's
        return number

    def rows(self) -> dict[str, tuple[str | None, str | None]]:
        """By title, the titles of what each task belongs to and under."""
        found = self.db.run(
            "SELECT t.title, p.title, u.title FROM tasks t LEFT JOIN projects p ON p.id = t.project_id "
            "LEFT JOIN tasks u ON u.id = t.parent_id"
        )
        return {one: (project, above) for one, project, above in found}

    def pages(self) -> dict[str, tuple[str | None, str | None]]:
        pages = self.notion.notion.pages(self.tasks)
        names = {row.id: row.values["Name"] for source in (self.tasks, self.projects)
                 for row in self.notion.notion.pages(source)}  # fmt: skip

        def first(row: Row, column: str) -> str | None:
            return next((names.get(i, i) for i in row.values[column] or ()), None)

        return {row.values["Name"]: (first(row, "Project"), first(row, "Parent item")) for row in pages}

    def is_quiet(self) -> bool:
        for name in self.runs:
            report = self.run(name)
            if self.runs[name].plan.operations or report.failures or report.held:
                return False
        return True


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with notion_world(tmp_path) as notion, Place.file(tmp_path / "test.db") as db:
        db.run("CREATE TABLE projects (id integer PRIMARY KEY, title text)")
        db.run(
            "CREATE TABLE tasks (id integer PRIMARY KEY, title text, "
            "project_id integer REFERENCES projects, parent_id integer REFERENCES tasks)"
        )
        projects = notion.notion.add_database("Projects", {"Name": "title"})
        related = {"data_source_id": projects, "dual_property": {"synced_property_name": "Tasks"}}
        tasks = notion.notion.add_database("Tasks", {"Name": "title", "Project": {"relation": related}})
        sub_items(notion, tasks)
        desk = Desk(notion, db, projects, tasks)
        names = ("Name", "Project", "Parent item")
        desk.runs["projects"] = Between(
            PROJECTS, desk.opened(projects, ("Name",), "projects"), name="projects"
        )
        opened = desk.opened(tasks, names, "tasks", parent="parent_id")
        desk.runs["tasks"] = Between(TASKS, opened, name="tasks")
        yield desk


def test_projects_and_tasks_cross_from_notion(desk: Desk) -> None:
    garden = desk.page(desk.projects, "Garden")
    dig = desk.page(desk.tasks, "Dig", Project=[garden])
    desk.page(desk.tasks, "Find a spade", Project=[garden], Parent_item=[dig])
    desk.page(desk.tasks, "Rest")

    for name in ("projects", "tasks"):
        report = desk.run(name)
        assert (report.outcome, list(report.held)) == (Outcome.DONE, [])

    assert desk.rows() == {
        "Dig": ("Garden", None), "Find a spade": ("Garden", "Dig"), "Rest": (None, None)
    }  # fmt: skip
    assert desk.is_quiet()


def test_projects_and_tasks_cross_from_the_database(desk: Desk) -> None:
    garden = desk.row("projects", "Garden")
    # The child stands before its parent.
    spade = desk.row("tasks", "Find a spade", project_id=garden)
    dig = desk.row("tasks", "Dig", project_id=garden)
    desk.db.run("UPDATE tasks SET parent_id = :above WHERE id = :id", above=dig, id=spade)

    for name in ("projects", "tasks"):
        report = desk.run(name)
        assert (report.outcome, list(report.held)) == (Outcome.DONE, [])

    assert desk.pages() == {"Dig": ("Garden", None), "Find a spade": ("Garden", "Dig")}
    assert desk.is_quiet()


def test_a_task_whose_project_is_not_linked_yet_gets_it_later(desk: Desk) -> None:
    garden = desk.page(desk.projects, "Garden")
    desk.page(desk.tasks, "Dig", Project=[garden])

    report = desk.run("tasks")
    assert desk.rows() == {"Dig": (None, None)}
    assert [hold.reason for hold in report.held] == [
        f"the value of 'Project' waits for projects to link record {garden}"
    ]
    # It waits without a write.
    desk.run("tasks")
    assert desk.runs["tasks"].plan.operations == ()

    desk.run("projects")
    report = desk.run("tasks")
    assert (report.conflicts, report.counts) == ([], {"other.update": 1})
    assert desk.rows() == {"Dig": ("Garden", None)}
    assert desk.is_quiet()


@pytest.fixture
def linked(desk: Desk) -> tuple[Desk, Mapping[str, ID]]:
    """A task in a garden project, beside a kitchen project; in step."""
    ids = {name: desk.page(desk.projects, name) for name in ("Garden", "Kitchen")}
    ids["Dig"] = desk.page(desk.tasks, "Dig", Project=[ids["Garden"]])
    for name in desk.runs:
        desk.run(name)
    return desk, ids


def test_what_the_column_cannot_hold_stays_in_notion(linked: tuple[Desk, Mapping[str, ID]]) -> None:
    desk, ids = linked
    bath = desk.page(desk.projects, "Bath")
    desk.run("projects")
    desk.notion.notion.edit_page(ids["Dig"], {"Project": [ids["Garden"], bath]})
    desk.run("tasks")
    desk.db.run("UPDATE tasks SET project_id = (SELECT id FROM projects WHERE title = 'Kitchen')")
    desk.run("tasks")
    assert desk.notion.notion.page(ids["Dig"]).values["Project"] == [ids["Kitchen"], bath]
    assert desk.rows() == {"Dig": ("Kitchen", None)}
    assert desk.is_quiet()


def test_a_project_that_notion_does_not_show_any_more_is_not_taken_for_cleared(
    linked: tuple[Desk, Mapping[str, ID]],
) -> None:
    desk, ids = linked
    page = desk.notion.notion.store.pages[ids["Garden"]]
    desk.notion.destroy(ids["Garden"])  # as a page that is not shared reads
    desk.notion.notion.edit_page(ids["Dig"], {"Name": "Dig deep"})

    for _ in range(2):
        report = desk.run("tasks")
        assert [hold.reason for hold in report.held] == [
            f"Project does not show record {ids['Garden']} of projects now, {HIDDEN}"
        ]
        assert desk.rows() == {"Dig deep": ("Garden", None)}

    desk.notion.notion.store.pages[ids["Garden"]] = page
    assert desk.is_quiet()


def test_a_hidden_project_is_not_written_over_in_notion(linked: tuple[Desk, Mapping[str, ID]]) -> None:
    desk, ids = linked
    page = desk.notion.notion.store.pages[ids["Garden"]]
    desk.notion.destroy(ids["Garden"])
    desk.db.run("UPDATE tasks SET project_id = (SELECT id FROM projects WHERE title = 'Kitchen')")
    desk.run("tasks")
    desk.notion.notion.store.pages[ids["Garden"]] = page
    assert desk.pages() == {"Dig": ("Garden", None)}
    desk.run("tasks")
    assert desk.pages() == desk.rows() == {"Dig": ("Kitchen", None)}


def test_a_project_in_the_trash_is_taken_away_and_comes_back(linked: tuple[Desk, Mapping[str, ID]]) -> None:
    desk, ids = linked
    desk.notion.notion.trash_page(ids["Garden"])
    desk.run("tasks")
    assert desk.rows() == {"Dig": (None, None)}
    desk.notion.notion.restore_page(ids["Garden"])
    desk.run("tasks")
    assert desk.rows() == {"Dig": ("Garden", None)}
    assert desk.is_quiet()


def test_taking_a_project_away_in_notion_clears_the_column(linked: tuple[Desk, Mapping[str, ID]]) -> None:
    desk, ids = linked
    desk.notion.notion.edit_page(ids["Dig"], {"Project": []})
    report = desk.run("tasks")
    assert list(report.held) == []
    assert desk.rows() == {"Dig": (None, None)}
    assert desk.is_quiet()


@pytest.mark.parametrize("kind", [Kind.CUT, Kind.SAVED, Kind.NOT_SAVED, Kind.DROPPED])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_lost_replies_to_the_pages_of_a_tree_make_no_second_ones(desk: Desk, kind: Kind, times: int) -> None:
    top = desk.row("tasks", "top")
    middle = desk.row("tasks", "middle", parent_id=top)
    desk.row("tasks", "leaf", parent_id=middle)
    desk.notion.notion.faults.add(kind, "POST", "/v1/pages$", times=times)

    for _ in range(times + 2):
        desk.run("tasks")

    assert desk.pages() == {"top": (None, None), "middle": (None, "top"), "leaf": (None, "middle")}
    assert len(desk.notion.notion.pages(desk.tasks)) == 3
    assert desk.is_quiet()


# --- sub-tasks in a calendar ---

LEVELS = Rules(
    (FieldRule(Pair("Name", "summary")), FieldRule(Pair("Parent item", "parent"), relation="todo")),
    key=("Name",),
)


@dataclass
class Calendar:
    """A task between a data source with sub-items and a calendar."""

    notion: NotionWorld
    calendar: CaldavWorld
    task: Between

    def pages(self) -> dict[str, str | None]:
        rows = self.notion.notion.pages(self.notion.source)
        names = {row.id: row.values["Name"] for row in rows}
        return {
            row.values["Name"]: next((names[i] for i in row.values["Parent item"] or ()), None)
            for row in rows
        }

    def todos(self) -> dict[str, str | None]:
        records = self.calendar.open(mapped=Mapped(("summary", "parent"))).fetch().records
        names = {record.id: str(record.fields["summary"]) for record in records}
        return {
            str(r.fields["summary"]): names.get(r.fields["parent"], r.fields["parent"])
            if r.fields["parent"]
            else None
            for r in records
        }


@pytest.fixture(scope="module")
def calendars(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    started = Servers(tmp_path_factory.mktemp("caldav"))
    yield started
    started.close()


@pytest.fixture
def levels(tmp_path: Path, calendars: Servers) -> Iterator[Calendar]:
    calendar = CaldavWorld(calendars.get("radicale"))
    with notion_world(tmp_path) as notion:
        sub_items(notion, notion.source)
        notion.own = {"parent": "Parent item"}
        opens: dict[Side, Any] = {
            Side.NOTION: lambda: notion.open(Mapped(("Name", "Parent item"), key="Name")),
            Side.OTHER: lambda: calendar.open(mapped=Mapped(("summary", "parent"), key="summary")),
        }
        yield Calendar(notion, calendar, Between(LEVELS, opens, name="todo"))
        calendar.close()


THREE = {"top": None, "middle": "top", "leaf": "middle"}


def test_three_levels_cross_to_a_calendar(levels: Calendar) -> None:
    leaf = levels.notion.add({"Name": "leaf"})
    middle = levels.notion.add({"Name": "middle"})
    top = levels.notion.add({"Name": "top"})
    for below, above in ((leaf, middle), (middle, top)):
        levels.notion.notion.edit_page(below, {"Parent item": [above]})

    report = levels.task.run()

    assert list(report.held) == []
    assert levels.todos() == THREE
    assert levels.task.is_quiet()


def test_three_levels_cross_from_a_calendar_whatever_their_order(levels: Calendar) -> None:
    for name, above in (("leaf", "middle"), ("middle", "top"), ("top", "")):
        relation = f"RELATED-TO:{above}\r\n" if above else ""
        body = f"UID:{name}\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:{name}\r\n{relation}"
        text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VTODO\r\n{body}END:VTODO\r\n"
        levels.calendar.put(f"object of {name}.ics", f"{text}END:VCALENDAR\r\n")

    report = levels.task.run()

    assert list(report.held) == []
    assert levels.pages() == THREE
    assert levels.task.is_quiet()


def test_what_is_put_elsewhere_on_one_side_is_put_there_on_the_other(levels: Calendar) -> None:
    pages = {name: levels.notion.add({"Name": name}) for name in ("top", "middle", "leaf")}
    levels.task.run()
    # given a move in the calendar
    records = {r.fields["summary"]: r for r in levels.task.open[Side.OTHER]().fetch().records}
    levels.task.open[Side.OTHER]().update(records["leaf"], {"parent": records["middle"].id})
    levels.task.run()
    assert levels.pages()["leaf"] == "middle"
    # and one in Notion, below a page that is new
    new = levels.notion.add({"Name": "new"})
    levels.notion.notion.edit_page(pages["leaf"], {"Parent item": [new]})
    levels.task.run()
    assert levels.todos() == {"top": None, "middle": None, "leaf": "new", "new": None}
    assert levels.task.is_quiet()


def test_a_project_that_is_deleted_while_tasks_point_to_it_goes_once_they_do_not(
    linked: tuple[Desk, Mapping[str, ID]],
) -> None:
    desk, ids = linked
    desk.notion.notion.trash_page(ids["Garden"])
    assert desk.run("projects").outcome is Outcome.PARTIAL  # the database keeps what others point to
    assert desk.rows() == {"Dig": ("Garden", None)}
    desk.run("tasks")
    assert desk.run("projects").outcome is Outcome.DONE
    assert desk.db.run("SELECT title FROM projects") == [("Kitchen",)]
    assert desk.rows() == {"Dig": (None, None)}
    assert desk.is_quiet()
