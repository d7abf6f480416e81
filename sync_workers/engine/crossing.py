"""`Crossing`: how the values of one field cross from one side to the other.

Pure. The poorer side never erases what the richer one has: values are compared in the poorer form,
and a value that goes to the richer side is joined with what only that side can keep (a time of day,
the length of a span, the tail of a long text).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sync_workers.engine.lists import LISTS, alike, holds, is_list, items_of, joined
from sync_workers.engine.options import NoOptionError, as_options, is_option
from sync_workers.engine.rules import FieldRule
from sync_workers.fields import Field, Kind
from sync_workers.markdown import normal
from sync_workers.model import ConflictMode, Pair, Recalled, Side
from sync_workers.references import Reference
from sync_workers.sides import NOTHING_RECALLED
from sync_workers.values import DateRange, canonical, is_unset, same


class UncrossableError(Exception):
    """The value has no counterpart on the other side, and guessing one would be wrong.

    Attributes:
        side: whose value it is.
        reason: why it cannot cross and what to do, as the end of a sentence that begins with the field.
        asks: whether a person has to do something before it can.
    """

    def __init__(self, side: Side, reason: str, *, asks: bool = True) -> None:
        self.side = side
        self.reason = reason
        self.asks = asks
        super().__init__(reason)


UNKNOWN_VALUE = (
    "has no counterpart in the value map: it waits until you add a pair for it to `values`, or change it"
)
NO_ROOM = "does not fit into what the other side keeps: it waits until you change it, or map another field"


@dataclass(frozen=True, slots=True)
class Crossing:
    """One field rule together with what both sides keep.

    Attributes:
        fields: what each side's field holds; None where that is not known (hooks).
        recalled: which of several values that say the same the record had last.
    """

    rule: FieldRule
    fields: Pair[Field | None] = Pair(None, None)
    recalled: Recalled = NOTHING_RECALLED

    @property
    def attrs(self) -> Pair[str]:
        return self.rule.attrs

    @property
    def mode(self) -> ConflictMode | None:
        return self.rule.mode

    def reaches(self, side: Side) -> bool:
        return self.rule.direction.reaches(side)

    def knowing(self, _bases: Pair[Any]) -> Crossing:
        """The same for one record whose bases are given; None stands for one that is not known."""
        return self

    def reference(self, _values: Pair[Any]) -> Reference | None:
        """What an operation that writes the field has to know of the records that it names."""
        return None

    def recalling(self, recalled: Recalled) -> Crossing:
        """The same for a record of which something is remembered."""
        return replace(self, recalled=recalled)

    def expect_known(self, side: Side, value: Any) -> None:
        """Make sure that the value map knows a value.

        Raises:
            UncrossableError: it does not.
        """
        if self.rule.values and self._is_by_item(side.opposite, value):
            self._mapped_items(side.opposite, items_of(value), [])
            return
        kept = self.reduced(side, value)
        if self.rule.values and not is_unset(kept) and not any(same(p[side], kept) for p in self.rule.values):
            raise UncrossableError(side, UNKNOWN_VALUE)

    def to(self, target: Side, value: Any, current: Any = None) -> Any:
        """What to write on `target` for a value of the opposite side.

        `current` is what the target holds now. When that already says the same, it comes back as it
        is, so that a richer form is never replaced by a poorer one.

        Raises:
            UncrossableError: the value map does not know the value, it is no option there, or a list does not
                fit into a text.
        """
        made = self._made(target, value, current)
        if same(made, current):
            return made
        try:
            return as_options(self.fields[target], made, self.rule.new_options)
        except NoOptionError as error:
            raise UncrossableError(target.opposite, str(error)) from error

    def _made(self, target: Side, value: Any, current: Any) -> Any:
        if self._is_by_item(target, value):
            return self._by_item(target, value, current)
        if self.rule.values:
            return self._mapped(target, value, current)
        poorer = self.reduced(target, value)
        if same(self.reduced(target.opposite, current), poorer):
            return current if not is_unset(current) else poorer
        try:
            return _enriched(poorer, current, self.fields[target.opposite])
        except OverflowError as error:
            raise UncrossableError(target.opposite, "would end after the last day that there is") from error

    def agree(self, values: Pair[Any]) -> bool:
        """Whether the two values say the same, in the form of the side that keeps less."""
        return any(self._says_same(side, values) for side in Side)

    def is_one_day(self, values: Pair[Any]) -> bool:
        """Whether one value is a day and the other a moment of it, on sides whose kinds are not known."""
        if any(self.fields[side] is not None for side in Side):
            return False
        days = {type(value) for value in (values.notion, values.other)} == {date, datetime}
        return days and bool(_without_time(values.notion) == _without_time(values.other))

    def reduced(self, side: Side, value: Any) -> Any:
        """The value in the form that a side can keep."""
        return _reduced(value, self.fields[side])

    def _says_same(self, target: Side, values: Pair[Any]) -> bool:
        try:
            value = self.to(target, values[target.opposite], values[target])
        except UncrossableError:
            return False
        if same(value, values[target]) or self._reads_same(value, values[target]):
            return True
        return self.is_unordered and bool(self.comparable(value) == self.comparable(values[target]))

    @property
    def is_unordered(self) -> bool:
        """Whether the order of a list says nothing."""
        return any(field is not None and field.kind in LISTS for field in (self.fields[s] for s in Side))

    @property
    def is_markdown(self) -> bool:
        """Whether one side keeps it as Markdown in a form of its own."""
        return any(field is not None and field.markdown for field in (self.fields[s] for s in Side))

    def _reads_same(self, one: Any, another: Any) -> bool:
        if not self.is_markdown or not all(isinstance(text, str | None) for text in (one, another)):
            return False
        return normal(one or "") == normal(another or "")

    def comparable(self, value: Any) -> Any:
        """The canonical form of a value, sorted where its order says nothing."""
        if self.is_markdown and isinstance(value, str):
            return normal(value)
        plain = canonical(value)
        return sorted(plain, key=repr) if self.is_unordered and isinstance(plain, list) else plain

    def _is_by_item(self, target: Side, value: Any) -> bool:
        """Whether the value crosses as a list: a list with a value map, or one side's list as text."""
        field, source = self.fields[target], self.fields[target.opposite]
        if is_list(source, value):
            return _is_text(field) or (bool(self.rule.values) and _takes_lists(field))
        return _is_text(source) and field is not None and field.kind in LISTS

    def _by_item(self, target: Side, value: Any, current: Any) -> Any:
        there, items = items_of(current), items_of(value)
        if self.rule.values:
            items = self._mapped_items(target, items, there)
        # With other blanks between them, and mostly in another order, they say the same.
        if alike(items, there) if self.is_unordered else same(items, there):
            return current if not is_unset(current) else None
        if not items:
            return None
        field = self.fields[target]
        if field is None or field.kind is not Kind.TEXT:
            return items
        text = joined(items, field.longest, comes_back=self.reaches(target.opposite))
        if text is None:
            raise UncrossableError(target.opposite, NO_ROOM)
        return text

    def _mapped_items(self, target: Side, items: list[Any], there: list[Any]) -> list[Any]:
        found: list[Any] = []
        for item in items:
            meant = [pair[target] for pair in self.rule.values if same(pair[target.opposite], item)]
            if not meant:
                raise UncrossableError(target.opposite, UNKNOWN_VALUE)
            # Several values of the target mean this one: those that it has stay, all of them.
            found += [one for one in meant if holds(there, one)] or meant[:1]
        return [one for place, one in enumerate(found) if not holds(found[:place], one)]

    def _is_option(self, target: Side, value: Any) -> bool:
        """Whether a value that a record had once still can be had there."""
        kept = self.fields[target]
        return kept is None or not kept.options or not isinstance(value, str) or is_option(kept, value)

    def _mapped(self, target: Side, value: Any, current: Any) -> Any:
        kept = self.reduced(target.opposite, value)  # an untouched checkbox is one that is not ticked
        meant = [pair[target] for pair in self.rule.values if same(pair[target.opposite], kept)]
        # Several values of the target mean this one (five states, done or not): leave the one it has.
        for counterpart in meant:
            if same(counterpart, current):
                return current
        # The other side left what it said before: back to the one that this record had then.
        for said, last in self.recalled[target]:
            if same(said, kept) and any(same(last, one) for one in meant) and self._is_option(target, last):
                return last
        if meant:
            return meant[0]
        if is_unset(value):
            return None
        raise UncrossableError(target.opposite, UNKNOWN_VALUE)


def _is_text(field: Field | None) -> bool:
    return field is not None and field.kind is Kind.TEXT


def _takes_lists(field: Field | None) -> bool:
    return field is None or field.kind in LISTS or field.kind is Kind.ANY


def _reduced(value: Any, field: Field | None) -> Any:
    if field is None:
        return value
    if field.kind is Kind.DATE:
        if isinstance(value, DateRange) and not field.ranges:
            value = value.start
        if not field.times:
            value = _without_time(value)
    elif field.kind is Kind.CHECKBOX and is_unset(value):
        return False
    elif field.kind is Kind.TEXT:
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if field.longest is not None and isinstance(value, str):
            value = value[: field.longest]
    return value


def _without_time(value: Any) -> Any:
    if isinstance(value, DateRange):
        return DateRange(_without_time(value.start), _without_time(value.end))
    # The day that the clock on that side's wall shows, not the day in UTC.
    return value.date() if isinstance(value, datetime) else value


def _enriched(value: Any, current: Any, source: Field | None) -> Any:
    """The new value of a poorer source joined with what only the richer current value can say."""
    if source is None or is_unset(current) or is_unset(value):
        return value
    if source.kind is Kind.DATE:
        return _enriched_date(value, current, source)
    if source.longest is not None and isinstance(current, str) and isinstance(value, str):
        return value + current[source.longest :]
    return value


def _enriched_date(value: Any, current: Any, source: Field) -> Any:
    start = current.start if isinstance(current, DateRange) else current
    if not source.times and type(value) is date and isinstance(start, datetime):
        value = datetime.combine(value, start.timetz())
    if not source.ranges and isinstance(current, DateRange) and not isinstance(value, DateRange):
        return DateRange(value, value + _length(current, value))
    return value


def _length(span: DateRange, start: date | datetime) -> timedelta:
    """How long a span is; in whole days where it or its new start has no time of day."""
    first, last = span.start, span.end
    if (
        isinstance(first, datetime)
        and isinstance(last, datetime)
        and isinstance(start, datetime)
        and (first.tzinfo is None) == (last.tzinfo is None)
    ):
        return last - first
    return _day(last) - _day(first)


def _day(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment
