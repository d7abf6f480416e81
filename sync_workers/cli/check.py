"""`sync-workers check`: connects to both sides of each task and says what would not work."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from sync_workers.cli.options import ConfigOption, task_file
from sync_workers.cli.output import one_line, shown
from sync_workers.cli.schemas import drift_lines, known_setup, unmapped_lines
from sync_workers.errors import SettingsError, SyncError

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from rich.console import Console
    from rich.table import Table

    from sync_workers.config import SideConfig, TaskConfig
    from sync_workers.engine.rules import DeletePolicy
    from sync_workers.fields import Field
    from sync_workers.model import Pair, Record
    from sync_workers.runs.check import Finding
    from sync_workers.runs.check_relations import Target
    from sync_workers.services.base import Capabilities

Name = Annotated[str | None, typer.Argument(metavar="[NAME]", help="Only this task.", show_default=False)]


def check(name: Name = None, config: ConfigOption = None) -> None:
    """Connect to both sides of each task, show the field map, and say what would not work."""
    from rich.console import Console

    from sync_workers.registry import pick, tasks_of
    from sync_workers.service_task import ServiceTask

    file = task_file(config)
    tasks = tasks_of(file)
    console = Console(highlight=False)
    if not tasks:
        msg = f"{file.path} names no task: add a [tasks.NAME]"
        raise SettingsError(msg)
    problems = []
    for task in [pick(tasks, name)] if name is not None else tasks.values():
        if isinstance(task, ServiceTask):
            problems += _check_task(task.config, console, file.tasks)
        else:
            console.print(f"{task.name}: made of a class, {task.sync_timing}; its hooks say what it maps\n")
    if problems:
        raise SettingsError(*problems)
    console.print("Nothing stands in the way.")


@dataclass(frozen=True, slots=True)
class _Look:
    """What one side shows."""

    schema: Mapping[str, Field]
    capabilities: Capabilities
    sample: Record | None
    number: str
    setup: Mapping[str, str]


def _check_task(task: TaskConfig, console: Console, tasks: Mapping[str, TaskConfig]) -> list[str]:
    """Show one task; returns a sentence for each thing that would not work."""
    from sync_workers.model import Pair, Side
    from sync_workers.runs.check import judge
    from sync_workers.runs.drift import drifted, frozen_sides, known_ids, where_they_were

    known = known_setup(task.name)
    looks: dict[Side, _Look] = {}
    problems = []
    for side in Side:
        try:
            looks[side] = _look(task.sides[side], known_ids(known, side))
        except SyncError as error:
            connection = task.sides[side].connection
            problems.append(f"{task.name}: {side} ({connection.kind} {connection.name!r}): {error}")
    if len(looks) < len(Side):
        return problems
    both = Pair.each(looks.__getitem__)
    schemas = Pair.each(lambda side: both[side].schema)
    own = {f"{side}.{name}": text for side in Side for name, text in both[side].setup.items()}
    drift = drifted(task.rules, schemas, where_they_were(known, own))
    frozen = frozen_sides(drift)
    crossing = tuple(rule for rule in task.rules.fields if rule.attrs.notion not in frozen)
    found = judge(
        replace(task.rules, fields=crossing),
        schemas,
        Pair.each(lambda side: both[side].capabilities),
        _targets(task, tasks),
    )
    console.print(_field_map(task, both, frozen))
    notes = [f"note: {_about(finding)}{finding.sentence}" for finding in found if not finding.stops]
    unmapped = [line for s in Side for line in unmapped_lines(s.value, task.sides[s], schemas[s])]
    for line in (*drift_lines(drift), *notes, *unmapped):
        console.print(one_line(f"  {line}"), markup=False, soft_wrap=True)
    console.print()
    return [f"{task.name}: {_about(finding)}{finding.sentence}" for finding in found if finding.stops]


def _targets(task: TaskConfig, tasks: Mapping[str, TaskConfig]) -> dict[str, Target]:
    """The tasks whose records the task's fields name."""
    from sync_workers.runs.check_relations import Target, relations_of

    found: dict[str, Target] = {}
    for name in {rule.relation for rule in task.rules.fields if rule.relation is not None}:
        named = tasks[name]
        container = ""
        with suppress(SyncError), closing(named.sides.notion.open()) as service:
            container = service.setup().get("container", "")  # what is wrong there, its own check tells
        found[name] = Target(container, relations_of(named.rules))
    return found


def _about(finding: Finding) -> str:
    return f"{finding.about}: " if finding.about else ""


def _look(side: SideConfig, ids: Mapping[str, str]) -> _Look:
    from sync_workers.services.base import Mapped

    try:
        with closing(side.open(ids=ids)) as service:
            schema, capabilities = service.schema(), service.capabilities
            first = service.fetch()
            # The first part of a long listing says enough here.
            number = f"{len(first.records)}{'' if first.more is None else ' or more'}"
            return _Look(schema, capabilities, next(iter(first.records), None), number, service.setup())
    except SettingsError as error:
        # A service refuses mapped names that it does not have; without them it shows what it has.
        with closing(replace(side, mapped=Mapped(forms=side.mapped.forms)).open()) as service:
            schema, capabilities = service.schema(), service.capabilities
            if set(side.mapped.names) <= set(schema):
                raise
            try:
                return _Look(schema, capabilities, None, "0", service.setup())
            except SettingsError:  # of something else, which the first one tells, too
                raise error from None


_ARROWS = {"both": "<->", "to_notion": "<--", "to_other": "-->"}


def _field_map(task: TaskConfig, looks: Pair[_Look], frozen: Container[str]) -> Table:
    """The fields of both sides beside each other, with a record of each to look at."""
    from rich.table import Table
    from rich.text import Text

    from sync_workers.model import Side

    deletes = task.rules.delete
    told = str(deletes.other) if deletes.notion is deletes.other else _each_way(deletes)
    title = f"{task.name}: {task.schedule}, conflicts {task.rules.mode}, deletes {told}"
    table = Table(title=Text(title), title_justify="left")
    for side in Side:
        connection = task.sides[side].connection
        table.add_column(Text(f"{side}: {connection.kind} {connection.name} ({looks[side].number})"))
        table.add_column("such as")
        if side is Side.NOTION:
            table.add_column("")
    table.add_column("conflict")
    for rule in task.rules.fields:
        cells = []
        for side in Side:
            sample = looks[side].sample
            name = rule.attrs[side]
            value = shown(sample.fields.get(name)) if sample is not None else "(no record yet)"
            cells += [_named(name, looks[side].schema.get(name)), value]
        cells.insert(2, "frozen" if rule.attrs.notion in frozen else _ARROWS[rule.direction])
        cells.append(rule.mode or task.rules.mode)
        table.add_row(*map(Text, cells))
    return table


def _each_way(deletes: Pair[DeletePolicy]) -> str:
    return f"{deletes.notion} to notion, {deletes.other} to other"


def _named(name: str, field: Field | None) -> str:
    called = f" (now {one_line(field.called)})" if field is not None and field.called else ""
    return f"{one_line(name)}{called}: {_kind(field)}"


def _kind(field: Field | None) -> str:
    if field is None:
        return "missing"
    return str(field.kind) if field.writable else f"{field.kind}, read only"
