"""The script of the demo: edits on both sides, as people make them, and how each of them crosses."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from rich.console import Console
from rich.table import Table

from sync_workers.errors import SyncError
from sync_workers.redis.runs_store import RunsStore
from sync_workers.sandbox.demo.calendar import Calendar
from sync_workers.sandbox.demo.stage import TASK, Stage
from sync_workers.sandbox.notion import Notion

CROSSING = timedelta(seconds=60)
"""How long an edit may take to cross: some intervals of the task's 10 s on a slow machine."""

STATUS = {"To do": "NEEDS-ACTION", "Doing": "IN-PROCESS", "Done": "COMPLETED"}

TASKS = (
    {"Name": "Buy bread", "Status": "To do", "Due": date(2030, 5, 2), "Notes": "Rye, sliced"},
    {"Name": "Call the dentist", "Status": "To do", "Due": date(2030, 5, 3), "Notes": None},
    {"Name": "Write the report", "Status": "Doing", "Due": date(2030, 5, 10), "Notes": "Two pages"},
    {"Name": "Book the train", "Status": "To do", "Due": date(2030, 6, 1), "Notes": "Window seat"},
    {"Name": "Water the plants", "Status": "Done", "Due": None, "Notes": None},
    {"Name": "Return the books", "Status": "To do", "Due": date(2030, 5, 20), "Notes": None},
)


@dataclass(frozen=True, slots=True)
class Crossed:
    """One line of the table at the end."""

    what: str
    came_from: str
    arrived: str
    seconds: float
    run: str
    trigger: str


@dataclass(slots=True)
class Script:
    """The scripted part over a stage with both sandboxes."""

    stage: Stage
    console: Console
    notion: Notion
    calendar: Calendar
    crossed: list[Crossed] = field(default_factory=list)
    told: set[str] = field(default_factory=set)

    def fill(self) -> None:
        """A task list in Notion, and a calendar that knows one of its tasks and one more."""
        for values in TASKS:
            self.notion.add_page(self.stage.data_source, values)
        self.calendar.add("Call the dentist", description="Ask for Thursday")
        self.calendar.add("Repair the bicycle", due=date(2030, 5, 7))

    def first_sync(self) -> None:
        """An ad-hoc run over two sides that have never seen each other."""
        from sync_workers.worker.enqueue import enqueue

        self.say("First sync", "6 tasks in Notion, 2 to-dos in the calendar, one of them on both sides")
        run = enqueue(TASK)
        begun = self.wait(self.agree, "both sides agree")
        self.note("everything", "both sides", "both sides", begun, str(run))
        self.show()

    def edits(self) -> None:
        """One edit on each side, a conflict and a deletion."""
        self.edit(
            "Edited in Notion",
            "'Buy bread' is Done, due 4 May",
            lambda: self.notion.edit_page(
                self.page("Buy bread"), {"Status": "Done", "Due": date(2030, 5, 4)}
            ),
            lambda: self.todo("Buy bread") == ("COMPLETED", date(2030, 5, 4), "Rye, sliced"),
            ("Notion", "calendar: COMPLETED, due 4 May"),
        )
        self.edit(
            "Edited in the calendar",
            "'Book the train' has a note",
            lambda: self.calendar.edit("Book the train", {"DESCRIPTION": "Aisle seat, car 7"}),
            lambda: self.row("Book the train")["Notes"] == "Aisle seat, car 7",
            ("calendar", "Notion: Aisle seat, car 7"),
        )
        self.edit(
            "Edited on both sides",
            "'Write the report' gets a new note in Notion and another status in the calendar",
            lambda: self.both("Write the report", {"Notes": "Three pages"}, {"STATUS": "COMPLETED"}),
            lambda: (
                self.todo("Write the report")[2] == "Three pages"
                and self.row("Write the report")["Status"] == "Done"
            ),
            ("both sides", "each side has the other's edit"),
        )
        self.conflict()
        self.edit(
            "Deleted in Notion",
            "'Return the books' goes to the trash",
            lambda: self.notion.trash_page(self.page("Return the books")),
            lambda: all(todo.summary != "Return the books" for todo in self.calendar.todos()),
            ("Notion", "calendar: gone"),
        )

    def conflict(self) -> None:
        """One field changed on both sides between two runs."""
        values = ("Gate 4", "Gate 9")
        self.edit(
            "A conflict",
            f"the note of 'Repair the bicycle' is '{values[0]}' in Notion and '{values[1]}' in the calendar",
            lambda: self.both("Repair the bicycle", {"Notes": values[0]}, {"DESCRIPTION": values[1]}),
            lambda: self.row("Repair the bicycle")["Notes"] == self.todo("Repair the bicycle")[2],
            ("both sides", "one value on both sides"),
        )
        won = self.row("Repair the bicycle")["Notes"]
        winner, loser = ("Notion", values[1]) if won == values[0] else ("the calendar", values[0])
        self.console.print(
            f"  [bold]{winner} won[/] with '{won}' over '{loser}': mode `newer` takes the later edit.\n"
            "  Where Notion's whole minutes cannot tell, the task's tie rule decides: the calendar.\n"
        )

    def both(self, name: str, values: dict[str, Any], properties: dict[str, Any]) -> None:
        self.notion.edit_page(self.page(name), values)
        self.calendar.edit(name, properties)

    def edit(
        self,
        title: str,
        what: str,
        act: Callable[[], None],
        arrived: Callable[[], bool],
        places: tuple[str, str],
    ) -> None:
        """Act as a person, then wait until a run by beat has carried it over."""
        self.say(title, what)
        known = {summary["run"] for summary in self.runs()}
        act()
        begun = self.wait(lambda: arrived() and self.agree(), what)
        run = next((s for s in reversed(self.runs()) if s["run"] not in known and s["counts"]), None)
        self.note(what, *places, begun, run["run"] if run else "")

    def wait(self, arrived: Callable[[], bool], what: str) -> float:
        """Wait until something has arrived and the run that brought it has ended; the seconds it took.

        Raises:
            SyncError: it did not arrive in time, or a process ended.
        """
        begun = time.monotonic()
        with self.console.status("waiting for the next run"):
            while True:
                self.stage.check()
                self.tell_runs()
                if arrived() and RunsStore(self.stage.client, TASK).lease() is None:
                    self.tell_runs()
                    return time.monotonic() - begun
                if time.monotonic() - begun > CROSSING.total_seconds():
                    msg = f"it did not cross within {CROSSING.total_seconds():.0f} s: {what}"
                    raise SyncError(msg)
                time.sleep(0.2)

    def tell_runs(self) -> None:
        """A line for each run that ended since the last look; quiet runs are told once in a while only."""
        for summary in reversed(self.runs()):
            if summary["run"] in self.told:
                continue
            self.told.add(summary["run"])
            self.console.print(f"  [dim]{described(summary)}[/]", highlight=False)

    def runs(self) -> list[dict[str, Any]]:
        return RunsStore(self.stage.client, TASK).recent(20)

    def say(self, title: str, what: str) -> None:
        self.console.print(f"[bold cyan]{title}[/]: {what}")

    def note(self, what: str, came_from: str, arrived: str, seconds: float, run: str) -> None:
        trigger = next((summary["trigger"] for summary in self.runs() if summary["run"] == run), "")
        self.crossed.append(Crossed(what, came_from, arrived, seconds, run, trigger))
        self.console.print(f"  [green]✓[/] {arrived}, {seconds:.1f} s after the edit\n", highlight=False)

    def page(self, name: str) -> str:
        return next(row.id for row in self.notion.pages(self.stage.data_source) if row.values["Name"] == name)

    def row(self, name: str) -> Any:
        rows = self.notion.pages(self.stage.data_source)
        return next(row.values for row in rows if row.values["Name"] == name)

    def todo(self, name: str) -> tuple[str, Any, str | None]:
        """Status, due date and description of a to-do in the calendar."""
        found = next(todo for todo in self.calendar.todos() if todo.summary == name)
        return found.status, found.due, found.description

    def agree(self) -> bool:
        """Whether both sides, each asked past the service, hold the same records with the same values."""
        return self.notion_side() == self.calendar_side()

    def notion_side(self) -> list[tuple[Any, ...]]:
        rows = [row.values for row in self.notion.pages(self.stage.data_source)]
        shown = [(r["Name"], STATUS.get(r["Status"], ""), day(r["Due"]), r["Notes"] or "") for r in rows]
        return sorted(shown)

    def calendar_side(self) -> list[tuple[Any, ...]]:
        return [(t.summary, t.status, day(t.due), t.description or "") for t in self.calendar.todos()]

    def show(self) -> None:
        """Both sides in one table."""
        table = Table("Task", "Notion", "Calendar", "Due", "Notes", title="Both sides", title_justify="left")
        calendar = {row[0]: row for row in self.calendar_side()}
        names = {
            row.values["Name"]: row.values["Status"] for row in self.notion.pages(self.stage.data_source)
        }
        for name, _, due, notes in self.notion_side():
            table.add_row(
                name, names[name] or "-", calendar.get(name, ("", "-"))[1], due or "-", notes or "-"
            )
        self.console.print(table)

    def table(self) -> Table:
        """What crossed, for the end."""
        table = Table(
            "Edit",
            "Made in",
            "Arrived",
            "After",
            "Run",
            "Trigger",
            title="What crossed",
            title_justify="left",
        )
        for line in self.crossed:
            seconds = f"{line.seconds:.1f} s"
            table.add_row(line.what, line.came_from, line.arrived, seconds, line.run[:8], line.trigger)
        return table


def day(value: Any) -> str:
    return str(value or "")[:10]


def described(summary: dict[str, Any]) -> str:
    """One run as one line."""
    counts = ", ".join(f"{name.replace('.', ' ')} {number}" for name, number in summary["counts"].items())
    conflicts = f", conflicts {summary['conflicts']}" if summary["conflicts"] else ""
    reason = f" ({summary['reason']})" if summary["reason"] else ""
    failed = f", failed {summary['failed']}" if summary["failed"] else ""
    did = (counts or "nothing to do") + conflicts + failed + reason
    return f"run {summary['run'][:8]} by {summary['trigger']}: {summary['outcome']}: {did}"
