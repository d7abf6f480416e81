"""What a new record gets of the one that it is made from. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync_workers.engine.crossing import Crossing, UncrossableError
from sync_workers.engine.unread import unread_on
from sync_workers.model import ID, Action, Operation, Pair, Part, Recalled, Record, Side
from sync_workers.references import Reference
from sync_workers.state import Pending
from sync_workers.values import is_unset, same


@dataclass(frozen=True, slots=True)
class Creation:
    """The values of a new record.

    Attributes:
        sent: what is written, by the target's names.
        base: what the source showed of it.
        unset: bases of the fields that never cross to it.
        held: fields whose value waits.
        references: those that name other records.
    """

    sent: dict[str, Any]
    base: dict[str, Any]
    unset: dict[str, None]
    held: list[tuple[Crossing, UncrossableError]]
    references: list[Reference] = field(default_factory=list)

    def operation(
        self,
        part: Part,
        target: Side,
        ids: Pair[ID | None],
        record: Record,
        reason: str,
        memory: Mapping[str, Recalled],
    ) -> Operation:
        source = target.opposite
        unsent = tuple(crossing.attrs[target] for crossing, _ in self.held)
        return Operation(
            part, Action.CREATE, target, ids, reason, Pair.of(source, record, None), self.sent,
            Pair.of(source, self.base, self.unset), memory=memory, unsent=unsent,
            references=tuple(self.references),
        )  # fmt: skip


def creation(crossings: Sequence[Crossing], target: Side, record: Record) -> Creation:
    """The values that a new record on `target` gets of this one."""
    source = target.opposite
    made = Creation({}, {}, left_unset(crossings, target), [])
    for crossing in crossings:
        if (waits := unread_on(crossing, source, record)) is not None:
            if crossing.reaches(target):
                made.held.append((crossing, waits))
            continue
        value = record.fields.get(crossing.attrs[source])
        try:
            if crossing.reaches(target):
                made.sent[crossing.attrs[target]] = crossing.to(target, value)
                if (reference := crossing.reference(Pair(None, None))) is not None:
                    made.references.append(reference)
            made.base[crossing.attrs[source]] = value
        except UncrossableError as error:
            made.held.append((crossing, error))
    return made


def left_unset(crossings: Sequence[Crossing], target: Side, record: Record | None = None) -> dict[str, None]:
    """Bases of the fields that never cross to a new record and that it does not fill itself.

    Without them the emptiness of the copy would be taken for an edit and cross back.
    """
    attrs = [crossing.attrs[target] for crossing in crossings if not crossing.reaches(target)]
    return {attr: None for attr in attrs if record is None or is_unset(record.fields.get(attr))}


def made_of(crossings: Sequence[Crossing], target: Side, record: Record, begun: Pending) -> dict[str, Any]:
    """The base of what a lost create made: what is not as it was sent was edited since then."""
    by_attr = {crossing.attrs[target]: crossing for crossing in crossings}
    made: dict[str, Any] = {}
    for attr, sent in begun.sent.items():
        shown, crossing = record.fields.get(attr), by_attr.get(attr)
        is_as_sent = same(*((shown, sent) if crossing is None else map(crossing.comparable, (shown, sent))))
        made[attr] = shown if is_as_sent else sent
    return made | left_unset(crossings, target, record)
