"""The tasks of a task file: each table is checked by itself, then what they say about each other."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass

from sync_workers.config.forms import DeleteForm, FieldForm, GuardForm, SideForm, Table, TaskForm
from sync_workers.config.lines import Path
from sync_workers.config.tables import Tables, table, tables, without
from sync_workers.config.task_file import ConnectionConfig, SideConfig, TaskConfig
from sync_workers.engine.rules import DeletePolicy, FieldRule, Limits, Rules
from sync_workers.fields import NewOptions
from sync_workers.model import Pair, Side
from sync_workers.naming import hint, task_name
from sync_workers.schedule import Schedule
from sync_workers.services.base import Mapped

Connections = Mapping[str, ConnectionConfig | None]


def read_tasks(checked: Tables, data: Table, connections: Connections) -> dict[str, TaskConfig]:
    """All tasks without problems, by name."""
    names: dict[str, str] = {}
    tasks: dict[str, TaskConfig] = {}
    written_names = _names(data)
    for written, found in tables(data, "tasks"):
        path = ("tasks", written)
        try:
            name = task_name(written)
        except ValueError as error:
            checked.problems.add(path, str(error))
            name = ""
        if name in names:
            checked.problems.add(path, f"is the same name as {names[name]!r}: choose another")
        elif name:
            names[name] = written
        task = _TaskReader(checked, path, found, connections, written_names).task(name)
        if task is not None:
            tasks[name] = task
    return tasks


def _names(data: Table) -> frozenset[str]:
    """The names of all tasks, with or without problems."""
    names = set()
    for written, _ in tables(data, "tasks"):
        with suppress(ValueError):
            names.add(task_name(written))
    return frozenset(names)


def _deletes(written: DeletePolicy | DeleteForm) -> Pair[DeletePolicy]:
    """The delete policies by the side that they write."""
    if isinstance(written, DeleteForm):
        return Pair(written.to_notion, written.to_other)
    return DeletePolicy.each_way(written)


@dataclass(frozen=True, slots=True)
class _TaskReader:
    checked: Tables
    path: Path
    data: Table
    connections: Connections
    names: Collection[str]

    def task(self, name: str) -> TaskConfig | None:
        form = self.checked.form(TaskForm, self.data, self.path)
        schedule = self.schedule(form)
        limits = self.checked.form(GuardForm, table(self.data, "guard") or {}, (*self.path, "guard"))
        fields = self.fields()
        connected = Pair(*(self.connection(side) for side in Side))
        key = self.key(form, fields, connected)
        sides = Pair(*(self.side(side, connected[side], fields, key) for side in Side))
        self.compare(sides)
        if not (form and schedule and limits and fields and key and sides.notion and sides.other):
            return None
        rules = Rules(
            fields=tuple(fields.values()),
            mode=form.conflict,
            tie=form.tie,
            delete=_deletes(form.delete),
            out_of_scope=form.out_of_scope,
            ambiguous=form.ambiguous,
            key=key,
            limits=Limits(**limits.model_dump()),
            loop_limit=form.loop_limit,
            full_every=form.full_every,
        )
        return TaskConfig(name, schedule, rules, Pair(sides.notion, sides.other), form.tenant)

    def problem(self, place: Path, sentence: str) -> None:
        self.checked.problems.add((*self.path, *place), sentence)

    def schedule(self, form: TaskForm | None) -> Schedule | None:
        """When the task runs. Which keys go together is told even if one of them is wrong."""
        if "every" in self.data and "crontab" in self.data:
            self.problem(("crontab",), "stands beside every: a task has an interval or a crontab, not both")
            return None
        if "timezone" in self.data and "crontab" not in self.data:
            self.problem(("timezone",), "says how to read a crontab, and there is none")
        if form is None:
            return None
        return Schedule(form.every, form.crontab, form.timezone, form.in_total)

    def fields(self) -> dict[str, FieldRule]:
        """The fields without problems by their Notion names."""
        found: dict[str, FieldRule] = {}
        takers: dict[str, str] = {}
        written = table(self.data, "fields")
        if written == {}:
            self.problem(("fields",), 'maps nothing: name at least one field, such as Name = "title"')
        for name, value in (written or {}).items():
            form = self.field(name, value)
            if form is None:
                continue
            taker = takers.setdefault(form.other, name)
            if taker != name:
                sentence = f"goes to {form.other!r}, as {taker!r} does: an attribute takes one field"
                self.problem(("fields", name), sentence)
            attrs = Pair(name, form.other)
            related = self.relation(name, form)
            found[name] = FieldRule(
                attrs,
                form.direction,
                form.conflict,
                form.values,
                form.form,
                related,
                form.type,
                form.new_options,
            )
        return found

    def relation(self, name: str, form: FieldForm) -> str | None:
        """The task whose records the field names."""
        if form.relation is None:
            return None
        place = ("fields", name, "relation")
        if form.values:
            self.problem(
                place, "stands beside values: what a relation names crosses by the links of its task"
            )
        try:
            found = task_name(form.relation)
        except ValueError:
            found = form.relation
        if found not in self.names:
            self.problem(place, f"there is no [tasks.{form.relation}]{hint(found, self.names)}")
        return found

    def field(self, name: str, value: object) -> FieldForm | None:
        if isinstance(value, str):
            value = {"other": value}
        if not isinstance(value, dict):
            self.problem(("fields", name), 'should be a name, such as "title", or a table with `other`')
            return None
        return self.checked.form(FieldForm, value, (*self.path, "fields", name))

    def connection(self, side: Side) -> ConnectionConfig | None:
        """What the side's `connection` names; None when that, or the connection itself, is wrong."""
        data = table(self.data, side.value)
        if data is None:
            return None
        form = self.checked.form(SideForm, data, (*self.path, side.value))
        if form is None:
            return None
        if form.connection not in self.connections:
            sentence = f"there is no [connections.{form.connection}]{hint(form.connection, self.connections)}"
            self.problem((side.value, "connection"), sentence)
        return self.connections.get(form.connection)

    def key(
        self,
        form: TaskForm | None,
        fields: Mapping[str, FieldRule],
        connected: Pair[ConnectionConfig | None],
    ) -> tuple[str, ...]:
        """The Notion names of the fields that records are matched by; empty after a problem."""
        if form is None:
            return ()
        written = table(self.data, "fields") or {}
        if form.match is not None:
            for number, name in enumerate(form.match):
                if written and name not in written:
                    self.problem(("match", number), f"{name!r} is no field of the task{hint(name, written)}")
                if name in fields and fields[name].relation is not None:
                    self.problem(
                        ("match", number), f"{name!r} is a relation, which may have to wait for links"
                    )
            return tuple(dict.fromkeys(form.match))
        if not fields or not (connected.notion and connected.other):
            return ()
        for side in (Side.OTHER, Side.NOTION):
            title = Pair(connected.notion, connected.other)[side].service.title
            for rule in fields.values():
                if title is not None and rule.attrs[side] == title:
                    return (rule.attrs.notion,)
        example = next(iter(fields))
        self.problem((), f'say which fields records are matched by, such as match = ["{example}"]')
        return ()

    def side(
        self,
        side: Side,
        connection: ConnectionConfig | None,
        fields: Mapping[str, FieldRule],
        key: tuple[str, ...],
    ) -> SideConfig | None:
        data = table(self.data, side.value)
        if data is None or connection is None:
            return None
        container = self.checked.form(
            connection.service.container,
            without(data, "connection"),
            (*self.path, side.value),
            also={"connection"},
        )
        if container is None:
            return None
        names = tuple(rule.attrs[side] for rule in fields.values())
        matched = [fields[name].attrs[side] for name in key if name in fields]
        forms = {rule.attrs[side]: rule.form for rule in fields.values() if rule.form is not None}
        rules = fields.values()
        grows = frozenset(rule.attrs[side] for rule in rules if rule.new_options is NewOptions.CREATE)
        return SideConfig(
            connection, container, Mapped(names, matched[0] if matched else None, forms, grows=grows)
        )

    def compare(self, sides: Pair[SideConfig | None]) -> None:
        """A container that is synced with itself would answer each run with new changes."""
        if (
            sides.notion
            and sides.other
            and sides.notion.connection.kind == sides.other.connection.kind
            and sides.notion.connection.settings == sides.other.connection.settings
            and sides.notion.container == sides.other.container
        ):
            self.problem(("other",), "is the same place as notion: a task needs two different ones")
