"""A task file to start from, written from what a Notion data source has. Pure."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sync_workers.fields import Field, Kind, ValueForm
from sync_workers.values import one_line


@dataclass(frozen=True, slots=True)
class Other:
    """How the other side of a suggested task is written.

    Attributes:
        connection: the lines of its connection besides `kind`.
        container: what stands on the task's side beside `connection`.
        fields: for a kind whose fields are given, which of them suit a kind of value, the best first; empty
            where they may be called anything.
        same: of such fields the ones that show the same thing, so that only one of them can be mapped.
    """

    connection: tuple[str, ...] = ()
    container: str = ""
    fields: Mapping[Kind, tuple[str, ...]] = field(default_factory=dict)
    same: frozenset[str] = frozenset()


OTHERS: Mapping[str, Other] = {
    "sql": Other(('url = "sqlite:///sync.db"',), 'table = "things"'),
    "caldav": Other(
        ('url = "http://localhost:5232/"', '# username = "me"', '# password = { env = "CALENDAR_PASSWORD" }'),
        'calendar = "todo"',
        {
            Kind.TEXT: ("summary", "description", "location", "url"),
            Kind.CHOICE: ("status",),
            Kind.CHECKBOX: ("done",),
            Kind.DATE: ("due", "start"),
            Kind.NUMBER: ("priority", "percent"),
            Kind.CHOICES: ("categories",),
        },
        same=frozenset({"status", "done"}),
    ),
    "memory": Other((), 'container = "things"'),
}
"""What is suggested for a kind of service; whoever adds one may add a line here."""

LIKELY = ("title", "status", "rich_text", "multi_select")
"""The types that the fields of such a kind are meant for, before others that would fit as well."""

STATES = ("NEEDS-ACTION", "IN-PROCESS", "COMPLETED")
"""What a to-do says for the groups of a status, in Notion's order of them."""


def task_file(schema: Mapping[str, Field], notion: tuple[str, ...], source: str, kind: str) -> str:
    """The text of a task file with a line for each property.

    `notion` are the lines of its connection besides `kind`. Of a kind that is not in `OTHERS` more has to be
    filled in before it can be read.
    """
    other = OTHERS.get(kind, Other())
    title = next((name for name, found in schema.items() if found.type == "title"), next(iter(schema), ""))
    lines = [
        "# Written by `sync-workers init --from`. Check it by: sync-workers check",
        "# Every key is explained in docs/configuration.md.",
        "",
        "[connections.notion]",
        'kind = "notion"',
        *notion,
        "",
        "[connections.other]",
        f"kind = {quoted(kind)}",
        *other.connection,
        "",
        "[tasks.sync]",
        '# every = "5m"                             # without a schedule it runs when asked',
        f"match = [{quoted(title)}]",
        f'notion = {{ connection = "notion", data_source = {quoted(source)} }}',
        f'other = {{ connection = "other"{f", {other.container}" if other.container else ""} }}',
        "",
        "[tasks.sync.fields]                         # Notion property = the other side's field",
        *_FieldMap(other, title).lines(schema),
    ]
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """A text as TOML writes it."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


@dataclass(slots=True)
class _FieldMap:
    other: Other
    title: str
    taken: set[str] = field(default_factory=set)

    def lines(self, schema: Mapping[str, Field]) -> Iterator[str]:
        # The title first, so that it gets the name that a title has on the other side.
        names = sorted(schema, key=lambda name: name != self.title)
        chosen = names if not self.other.fields else sorted(names, key=lambda n: self.rank(n, schema[n]))
        targets = {name: self.target(name, schema[name]) for name in chosen if not schema[name].refused}
        for name in names:
            yield from self.line(name, schema[name], targets.get(name))

    def rank(self, name: str, found: Field) -> tuple[bool, ...]:
        """Who chooses first: the title, what is called like a field, what the fields are for."""
        alike = name.casefold() in self.fitting(found)
        return name != self.title, not alike, found.type not in LIKELY, not found.type

    def line(self, name: str, found: Field, target: str | None) -> Iterator[str]:
        key, about = quoted(name), f"# {one_line(found.type or str(found.kind))}"
        if found.refused:
            yield f"# {one_line(key)}: {one_line(found.refused)}"
            return
        if target is None:
            yield f'# {one_line(key)} = "..."  {about}: no field of the other side is like it'
        elif found.type == "relation":
            line = f'{one_line(key)} = {{ other = {quoted(target)}, relation = "TASK" }}'
            yield f"# {line}  {about}: name the task of its records"
        elif not found.type:
            yield f"# {one_line(key)} = {quoted(target)}  # no property, but it can be mapped"
        else:
            extras = [*self.extras(found, target)]
            value = f"{{ {', '.join([f'other = {quoted(target)}', *extras])} }}" if extras else quoted(target)
            yield f"{key} = {value}  {about}{'' if found.writable else ', which Notion computes'}"

    def target(self, name: str, found: Field) -> str | None:
        """A name for it on the other side that is not taken yet."""
        if self.other.fields:
            free = [one for one in self.fitting(found) if one not in self.taken]
            alike = name.casefold()
            chosen = alike if alike in free else next(iter(free), None)
            self.taken |= self.other.same if chosen in self.other.same else set()
        else:
            plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
            base = re.sub(r"[^a-z0-9]+", "_", plain).strip("_") or "field"
            numbered = (
                base if number == 1 else f"{base}_{number}" for number in range(1, len(self.taken) + 2)
            )
            chosen = next(one for one in numbered if one not in self.taken)
        if chosen is not None:
            self.taken.add(chosen)
        return chosen

    def fitting(self, found: Field) -> tuple[str, ...]:
        """The given fields for it; none for what can only overwrite them, or would need a value map."""
        if not found.writable or (found.kind is Kind.CHOICE and not found.groups):
            return ()
        return self.other.fields.get(found.kind, ())

    def extras(self, found: Field, target: str) -> Iterator[str]:
        """What stands in the table of a field besides the other side's name."""
        if not found.writable:
            yield 'direction = "to_other"'
        if ValueForm.EMAIL in found.forms:
            yield f'form = "{ValueForm.EMAIL}"'
        if found.groups and found.writable:
            yield f"values = [{', '.join(self.pairs(found, target))}]"

    def pairs(self, found: Field, target: str) -> Iterator[str]:
        """The options of a status: those of its last group, *Complete*, mean that it is done."""
        is_state = self.other.fields and target == "status"
        for place, (_, options) in enumerate(found.groups):
            done = place == len(found.groups) - 1
            said = quoted(STATES[min(place, 2)]) if is_state else str(done).lower()
            yield from (f"[{quoted(option)}, {said}]" for option in options)
