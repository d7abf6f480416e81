"""Compare a recorded answer with ours: keys, types and values are the same, ids belong together.

Ids are mapped one to one: the first time that a recorded id stands where one of ours stands, they belong
together, and from then on nothing else may stand in their place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, unquote

IDS = {"id", "page_id", "database_id", "data_source_id", "synced_property_id", "workspace_id"}
COLUMN_IDS = {"relation_property_id", "rollup_property_id"}  # shown without percent-encoding
UUID_LENGTH = 36


class Comparison:
    """The map from recorded ids to ours, and what it finds to be different."""

    def __init__(self) -> None:
        self.ours: dict[str, str] = {}
        self._recorded: dict[str, str] = {}

    def differences(self, recorded: Any, ours: Any) -> list[str]:
        # Twice: texts such as formulas name ids that stand further down.
        list(self._compare("", recorded, ours))
        return list(self._compare("", recorded, ours))

    def translate(self, text: str) -> str:
        """A recorded text with our ids in it, also where they stand without dashes."""
        for recorded, ours in self.ours.items():
            if len(recorded) == UUID_LENGTH:
                text = text.replace(recorded, ours).replace(recorded.replace("-", ""), ours.replace("-", ""))
            elif recorded in text:
                text = ours.join(re.split(_word(recorded), text))
        return text

    def _compare(self, path: str, recorded: Any, ours: Any) -> Iterator[str]:
        if isinstance(recorded, dict) and isinstance(ours, dict):
            yield from self._compare_objects(path, recorded, ours)
        elif isinstance(recorded, list) and isinstance(ours, list):
            if len(recorded) != len(ours):
                yield f"{path}: {len(ours)} items instead of {len(recorded)}"
            for place, (one, other) in enumerate(zip(recorded, ours, strict=False)):
                yield from self._compare(f"{path}/{place}", one, other)
        elif isinstance(recorded, str) and isinstance(ours, str):
            yield from self._compare_texts(path, recorded, ours)
        elif type(recorded) is not type(ours) or recorded != ours:
            yield f"{path}: {ours!r} instead of {recorded!r}"

    def _compare_objects(self, path: str, recorded: dict[str, Any], ours: dict[str, Any]) -> Iterator[str]:
        if missing := recorded.keys() - ours.keys():
            yield f"{path}: without {sorted(missing)}"
        if added := ours.keys() - recorded.keys():
            yield f"{path}: with {sorted(added)}"
        for name in sorted(recorded.keys() & ours.keys()):
            yield from self._compare(f"{path}/{name}", recorded[name], ours[name])

    def _compare_texts(self, path: str, recorded: str, ours: str) -> Iterator[str]:
        key = path.rpartition("/")[2]
        if key == "request_id":
            return
        if key in IDS:
            yield from self._compare_ids(path, recorded, ours)
        elif key in COLUMN_IDS:
            yield from self._compare_ids(path, quote(unquote(recorded)), quote(unquote(ours)))
        elif key == "next_cursor":
            self.ours[recorded] = ours
            yield from self._compare_ids(path, recorded.split(":")[2], ours.split(":")[2])
        elif recorded != ours and self.translate(recorded) != ours:
            yield f"{path}: {ours!r} instead of {recorded!r}"

    def _compare_ids(self, path: str, recorded: str, ours: str) -> Iterator[str]:
        expected = self.ours.setdefault(recorded, ours)
        owner = self._recorded.setdefault(ours, recorded)
        if expected != ours or owner != recorded:
            yield f"{path}: {ours} where {recorded} stood, which is {expected}"


def _word(text: str) -> str:
    """A short id such as `abcd` must not be found inside another word."""
    return rf"(?<![\w%]){re.escape(text)}(?![\w%])"
