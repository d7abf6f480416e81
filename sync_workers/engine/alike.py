"""Records that could be taken for one that is about to be created, although they were there before. Pure.

Should the reply to the create be lost, what it made is looked for by what was sent and by its key; these are
surely not it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from sync_workers.engine.content import key_of, text_of
from sync_workers.engine.crossing import Crossing
from sync_workers.engine.rules import Rules
from sync_workers.model import ID, Fields, Record, Side

MarkOf: TypeAlias = Callable[[Side, ID], str]
"""What a create on a side from a source stamps on its record."""


def unmarked(_side: Side, _source_id: ID) -> str:
    """For sides that stamp nothing."""
    return ""


MOST = 50
"""Of more than so many that look the same, the rest counts as undecided: it is held, never made twice."""


@dataclass(slots=True)
class Alike:
    """The records of one side that had no link when the plan was made."""

    crossings: Sequence[Crossing]
    rules: Rules
    side: Side
    free: Mapping[ID, Record]
    mark: MarkOf
    _by_key: Mapping[str, list[ID]] | None = None
    _by_mark: Mapping[str, list[ID]] = field(default_factory=dict)
    _by_content: dict[tuple[str, ...], Mapping[str, list[ID]]] = field(default_factory=dict)

    def to(self, source: Record, sent: Fields) -> tuple[ID, ...]:
        """The ids of those that have the key of the source, show just what is to be sent, or bear its mark.

        The mark of a create that is new is borne by what a run that is forgotten made of the same source.
        """
        if not self.free:
            return ()
        if self._by_key is None:
            self._by_key = _grouped((i, self._key(self.side, self.free[i])) for i in self.free)
            self._by_mark = _grouped((i, record.about.mark) for i, record in self.free.items())
        key = self._key(self.side.opposite, source)
        found = {
            *self._by_key.get(key or "", ()),
            *self._shown(tuple(sorted(sent))).get(self._text(sent), ()),
        }
        own = self._by_mark.get(self.mark(self.side, source.id), []) if self._by_mark else []
        return tuple(dict.fromkeys([*sorted(own), *sorted(found)]))[:MOST]

    def _key(self, side: Side, record: Record) -> str | None:
        return key_of(self.crossings, self.rules, side, record)

    def _shown(self, attrs: tuple[str, ...]) -> Mapping[str, list[ID]]:
        if attrs not in self._by_content:
            named = ((i, {attr: self.free[i].fields.get(attr) for attr in attrs}) for i in self.free)
            self._by_content[attrs] = _grouped((i, self._text(fields)) for i, fields in named)
        return self._by_content[attrs]

    def _text(self, fields: Fields) -> str:
        crossings = {c.attrs[self.side]: c for c in self.crossings}
        return text_of(crossings[attr].comparable(fields[attr]) for attr in sorted(fields))


def _grouped(named: Iterable[tuple[ID, str | None]]) -> Mapping[str, list[ID]]:
    groups: dict[str, list[ID]] = defaultdict(list)
    for record_id, text in named:
        if text:
            groups[text].append(record_id)
    return groups
