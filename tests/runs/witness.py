"""`Witness`: does what people do to a rough world, remembers it, and says what must be true all the same."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sync_workers.engine.rules import FieldRule
from sync_workers.model import ID, Fields, Pair, Record, Side
from sync_workers.state import State
from tests.runs.rough import IDENTITY, RoughWorld


@dataclass
class Witness:
    """What people did.

    Attributes:
        written: values that a person wrote and nobody has replaced or deleted since, seeing them (R2).
        removed: identities of records that a person deleted somewhere (R4).
        excused: identities that nobody could keep apart or together: their links were lost while the two
            sides did not show by a key of their own what belongs together (R3).
        alike: identities that share their key: without a link, one may be taken for another, which is a
            conflict like any other, and one of the two identities loses.
        unsure: identities on both sides without a link, which the next run will match if nobody meddles.
        put_away: per side ids of records that a person archived.
        made: per side ids of records that a person made there.
        seen: per side the identities that were ever there.
    """

    world: RoughWorld
    written: set[Any] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    excused: set[str] = field(default_factory=set)
    alike: set[str] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)
    put_away: Pair[set[ID]] = field(default_factory=lambda: Pair(set(), set()))
    made: Pair[set[ID]] = field(default_factory=lambda: Pair(set(), set()))
    seen: Pair[set[str]] = field(default_factory=lambda: Pair(set(), set()))
    numbers: int = 0

    # --- what people do ---

    def value(self) -> str:
        self.numbers += 1
        return f"value {self.numbers}"

    def add(self, sides: tuple[Side, ...], key: str | None) -> None:
        """One new record, on one side or on both of them."""
        identity, text = f"record {self.numbers}", self.value()
        if key is not None and key.startswith("shared"):
            self.alike.add(identity)
            self.excused |= self.unsure
        if len(sides) > 1:
            self.unsure.add(identity)
        name, body, *_ = self.world.rules.fields
        for side in sides:
            record = self.world.containers[side].add(
                **{Pair(*IDENTITY)[side]: identity, name.attrs[side]: key, body.attrs[side]: text}
            )
            self.made[side].add(record.id)
        self.written.add(text)

    def edit(self, side: Side, record_id: ID, rule: FieldRule, value: Any) -> None:
        """Change one field; what stood there was seen, so it may go."""
        container, attr = self.world.containers[side], rule.attrs[side]
        self._blur(side, record_id, rule)
        self.written.discard(container.records[record_id].fields.get(attr))
        container.edit(record_id, **{attr: value})
        # What is changed at the receiving end of a one-way field stays there only as long as nothing crosses.
        if value is not None and rule.direction.reaches(side.opposite):
            self.written.add(value)

    def remove(self, side: Side, record_id: ID) -> None:
        """Delete a record, and with it all that it shows."""
        fields = self.world.containers[side].records[record_id].fields
        self.written.difference_update(fields.values())
        self.removed.add(self.identity(side, fields))
        self.world.containers[side].remove(record_id)

    def put_out_of_sight(self, side: Side, record_id: ID) -> None:
        container = self.world.containers[side]
        self._blur(side, record_id)
        self._orphan(side, record_id)
        container.archived[record_id] = container.records[record_id]
        container.remove(record_id)
        self.put_away[side].add(record_id)

    def bring_back(self, side: Side, record_id: ID) -> None:
        container = self.world.containers[side]
        container.put(container.archived.pop(record_id))
        self.put_away[side].discard(record_id)

    def unmap(self, rule: FieldRule) -> None:
        """A field is not synced any more: what happens to its values is nobody's promise."""
        for side, record in self.records():
            self.written.discard(record.fields.get(rule.attrs[side]))

    def forget_links(self) -> None:
        """Links are about to be lost: excuse what a first run cannot match for sure."""
        shown = Pair.each(self._by_key)
        keys = shown.notion.keys() & shown.other.keys()
        self.unsure = {
            shown.notion[key][0]
            for key in keys
            if shown.notion[key] == shown.other[key] and len(shown.notion[key]) == 1
        }
        shared = {identity for side in Side for key in keys for identity in shown[side][key]}
        places = Counter(self.identity(side, record.fields) for side, record in self.records())
        alone = {identity for identity, number in places.items() if number == 1}
        self.excused |= set(places) - self.unsure - (alone - shared)

    def _by_key(self, side: Side) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        attr = self.world.rules.fields[0].attrs[side]
        for record in self.world.containers[side].records.values():
            if key := record.fields.get(attr):
                found[key].append(self.identity(side, record.fields))
        return found

    def _blur(self, side: Side, record_id: ID, rule: FieldRule | None = None) -> None:
        """Excuse a record without a link of which this takes away the only thing it could be known by.

        `rule` is the field that is edited; None when the record goes out of sight.
        """
        fields = self.world.containers[side].records[record_id].fields
        key, identity = self.world.rules.fields[0], self.identity(side, fields)
        is_keyed = rule is not None and rule is not key and fields.get(key.attrs[side]) is not None
        if is_keyed or not self._is_only_known_by_key(side, record_id, identity):
            return
        # A service that makes nothing twice gives back what is asked for once more, unless its source hides.
        if rule is not None and self.world.capabilities[side].safe_create and identity not in self.unsure:
            self.unsure.add(identity)
        else:
            self.excused.add(identity)

    def _orphan(self, side: Side, record_id: ID) -> None:
        """Excuse what goes while its copy has no link: the copy is a record like any other then.

        A new record of its key is linked with it, and gets its identity.
        """
        state = self.world.state or State()
        if record_id in state.pending.get(side.opposite, {}):
            self.excused.add(self.identity_of(side, record_id))

    def _is_only_known_by_key(self, side: Side, record_id: ID, identity: str) -> bool:
        state = self.world.state or State()
        is_orphan = record_id not in self.made[side] and record_id not in state.linked(side)
        return identity in self.unsure or is_orphan

    # --- what must be true ---

    def records(self) -> Iterator[tuple[Side, Record]]:
        """All records, also those out of sight."""
        for side in Side:
            for kept in (self.world.containers[side].records, self.world.containers[side].archived):
                yield from ((side, record) for record in kept.values())

    @staticmethod
    def identity(side: Side, fields: Fields) -> str:
        return str(fields.get(Pair(*IDENTITY)[side]))

    def identity_of(self, side: Side, record_id: ID) -> str:
        return self.identity(side, self.world.containers[side].records[record_id].fields)

    def duplicates(self) -> list[str]:
        """R3: identities that stand twice on one side."""
        there = Counter((side, self.identity(side, record.fields)) for side, record in self.records())
        return [
            f"{identity} stands {times} times on {side}"
            for (side, identity), times in there.items()
            if times > 1 and identity not in self.excused
        ]

    def missing(self) -> list[str]:
        """R4: what was there and nobody deleted."""
        there: Pair[set[str]] = Pair(set(), set())
        for side, record in self.records():
            there[side].add(self.identity(side, record.fields))
        for side in Side:
            self.seen[side].update(there[side])
        return [
            f"{identity} is gone from {side}"
            for side in Side
            for identity in sorted(self.seen[side] - there[side] - self.removed - self.excused - self.alike)
        ]

    def lost(self) -> set[Any]:
        """R2: values that stand nowhere and that no conflict in the history names as the one that lost."""
        shown = {value for _, record in self.records() for value in record.fields.values()}
        kept: set[Any] = set()
        for entry in self.world.history:
            kept.update(conflict.values[side] for conflict in entry.conflicts for side in Side)
        return self.written - shown - kept

    def out_of_step(self, lines: list[str]) -> list[str]:
        """R8: of the disagreements those that concern no record which a side refuses or cannot read."""
        bad = {
            record.id
            for side, record in self.records()
            for each in Side
            if self.identity(side, record.fields) in self.world.tempers[each].refuses
            or record.id in self.world.tempers[each].missing
        }
        bad |= {record_id for ids in self._quarantine().values() for record_id in ids}
        bad |= {linked for ids in self._links() if bad & {*ids} for linked in ids}
        return [line for line in lines if not bad & set(re.findall(r"\w+-\d+", line))]

    def _quarantine(self) -> Mapping[Side, Iterable[ID]]:
        return self.world.state.quarantine if self.world.state is not None else {}

    def _links(self) -> list[tuple[ID, ID]]:
        return list(self.world.state.links()) if self.world.state is not None else []
