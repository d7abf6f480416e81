"""The original's own subclass, read from its package, with nothing changed but the import."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sync_workers import SyncTask

ORIGINAL = "from ultimate_notion.adapters.sync import ID, ConflictMode, SyncTask"
OURS = "from sync_workers import ID, ConflictMode, SyncTask"

_clock: Iterator[datetime] = (
    datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=n) for n in itertools.count()
)
_numbers = itertools.count(1)


class Props(dict[str, Any]):
    """A page's properties: setting one is a call, and the reply is what they show."""

    def __init__(self, page: Page, values: dict[str, Any]) -> None:
        super().__init__(values)
        self.page = page

    def __setitem__(self, name: str, value: Any) -> None:
        self.page.source.calls.append(("set", name, value))
        super().__setitem__(name, value)
        self.page.last_edited_time = next(_clock)


class Page:
    def __init__(self, source: DataSource, values: dict[str, Any]) -> None:
        self.source, self.parent_ds = source, source
        self.id = f"page-{next(_numbers)}"
        self.last_edited_time = next(_clock)
        self.props = Props(self, {"Task": None, "Status": None, "Due Date": None, **values})

    @property
    def title(self) -> str:
        return str(self.props["Task"])

    def delete(self) -> None:
        self.source.calls.append(("delete", self.id, None))
        self.source.pages.remove(self)


class Property:
    def __init__(self, name: str, attr_name: str) -> None:
        self.name, self.attr_name = name, attr_name


class DataSource:
    """A data source, its own schema and its own query at once."""

    def __init__(self) -> None:
        self.pages: list[Page] = []
        self.calls: list[tuple[str, Any, Any]] = []
        self.schema = self
        names = {"Task": "task", "Status": "status", "Due Date": "due_date"}
        self.properties = {name: Property(name, attr) for name, attr in names.items()}

    def get_title_prop(self) -> Property:
        return self.properties["Task"]

    def get_prop(self, name: str) -> Property:
        return self.properties[name]

    def get_all_pages(self) -> DataSource:
        return self

    def to_pages(self) -> list[Page]:
        return list(self.pages)

    def create_page(self, **kwargs: Any) -> Page:
        self.calls.append(("create", kwargs, None))
        names = {prop.attr_name: name for name, prop in self.properties.items()}
        page = Page(self, {names[attr]: value for attr, value in kwargs.items()})
        self.pages.append(page)
        return page


class GTask:
    """A Google task: each attribute that is set is a call; times of day are dropped."""

    def __init__(self, tasklist: GTaskList, title: str, due: datetime | date | None) -> None:
        values = {"tasklist": tasklist, "id": f"task-{next(_numbers)}", "title": title}
        values |= {"due": _midnight(due), "is_completed": False, "updated": next(_clock)}
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: Any) -> None:
        self.tasklist.calls.append(("set", name, value))
        self.__dict__[name] = _midnight(value) if name == "due" else value
        self.__dict__["updated"] = next(_clock)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    def delete(self) -> None:
        self.tasklist.calls.append(("delete", self.id, None))
        self.tasklist.tasks.remove(self)


def _midnight(due: datetime | date | None) -> datetime | None:
    return None if due is None else datetime.combine(due, time(), UTC)


class GTaskList:
    def __init__(self) -> None:
        self.tasks: list[GTask] = []
        self.calls: list[tuple[str, Any, Any]] = []

    def all_tasks(self) -> list[GTask]:
        return list(self.tasks)

    def create_task(self, title: str, due: datetime | date | None = None) -> GTask:
        self.calls.append(("create", title, due))
        task = GTask(self, title, due)
        self.tasks.append(task)
        return task


class Session:
    cache: dict[str, Any] = {}  # noqa: RUF012 - as the client has it


@pytest.fixture
def subclass(monkeypatch: pytest.MonkeyPatch) -> type[SyncTask]:
    spec = importlib.util.find_spec("ultimate_notion")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / "adapters/google/tasks/sync.py"
    source = path.read_text(encoding="utf-8")
    assert source.count(ORIGINAL) == 1
    stubs: dict[str, dict[str, Any]] = {
        "ultimate_notion": {"DataSource": DataSource, "Page": Page, "Property": Property},
        "ultimate_notion.adapters": {},
        "ultimate_notion.adapters.google": {},
        "ultimate_notion.adapters.google.tasks": {},
        "ultimate_notion.adapters.google.tasks.client": {"GTask": GTask, "GTaskList": GTaskList},
        "ultimate_notion.core": {"get_active_session": Session},
        "ultimate_notion.utils": {"str_hash": lambda text: f"hash of {text}"},
    }
    for name, content in stubs.items():
        module = ModuleType(name)
        module.__dict__.update(content)
        monkeypatch.setitem(sys.modules, name, module)
    namespace: dict[str, Any] = {"__name__": "users_own_module"}
    exec(compile(source.replace(ORIGINAL, OURS), str(path), "exec"), namespace)  # noqa: S102 - it is the test
    found: type[SyncTask] = namespace["SyncGTasks"]
    return found


def test_the_original_s_subclass_works_with_the_import_changed(subclass: Any) -> None:
    pages, tasks = DataSource(), GTaskList()
    pages.create_page(task="Buy milk", status="Open", due_date=date(2026, 5, 1))
    pages.create_page(task="Notion only", status="Done", due_date=datetime(2026, 5, 2, 13, tzinfo=UTC))
    tasks.create_task("Buy milk", due=date(2026, 5, 1))
    tasks.create_task("Google only")
    task = subclass(
        notion_db=pages,
        tasklist=tasks,
        completed_col=pages.get_prop("Status"),
        completed_val="Done",
        not_completed_val="Open",
        due_col="Due Date",
    )

    state = task.sync(None)

    assert task.name == "syncgtasks"
    assert _shown(tasks) == [
        ("Buy milk", False, date(2026, 5, 1)),
        ("Google only", False, None),
        ("Notion only", True, date(2026, 5, 2)),
    ]
    assert sorted((p.title, p.props["Status"]) for p in pages.pages) == [
        ("Buy milk", "Open"),
        ("Google only", "Open"),
        ("Notion only", "Done"),
    ]
    _assert_quiet(task, state, pages, tasks)

    # What the richer side has stays: the time of day never reached Google, and comes to no harm.
    next(t for t in tasks.tasks if t.title == "Notion only").is_completed = False
    next(p for p in pages.pages if p.title == "Buy milk").props["Due Date"] = date(2026, 6, 1)
    tasks.tasks.remove(next(t for t in tasks.tasks if t.title == "Google only"))
    state = task.sync(state)

    assert _shown(tasks) == [("Buy milk", False, date(2026, 6, 1)), ("Notion only", False, date(2026, 5, 2))]
    kept = next(p for p in pages.pages if p.title == "Notion only")
    assert (kept.props["Status"], kept.props["Due Date"]) == ("Open", datetime(2026, 5, 2, 13, tzinfo=UTC))
    assert len(pages.pages) == 2
    _assert_quiet(task, state, pages, tasks)


def _shown(tasks: GTaskList) -> list[tuple[str, bool, date | None]]:
    rows = ((t.title, t.is_completed, t.due and t.due.date()) for t in tasks.tasks)
    return sorted(rows, key=lambda row: row[0])


def _assert_quiet(task: SyncTask, state: Any, pages: DataSource, tasks: GTaskList) -> None:
    pages.calls.clear()
    tasks.calls.clear()
    after = task.sync(state)
    state.trails.clear()  # what the run before wrote is remembered until a run leaves it alone
    assert after == state
    assert task.report.planned == 0
    assert pages.calls == tasks.calls == []
