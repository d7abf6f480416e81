"""Property values of Notion as canonical values, and back. Pure: no request is made here.

A `Codec` says for one property type what its values are; `Property` is one column of a data source,
known by the id that a rename does not change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sync_workers.errors import RejectedError
from sync_workers.services.base import Field, Kind
from sync_workers.services.notion import inputs, outputs, texts
from sync_workers.services.notion.inputs import RefusedValueError

MOST_SHOWN = 25
"""A page shows this many people, related pages and mentions; the rest has its own endpoint."""


@dataclass(frozen=True, slots=True)
class Codec:
    """What the values of one property type are.

    Attributes:
        read: from what a page shows under the type's name to the canonical value.
        write: the opposite way; None where Notion computes the value itself.
        rewrite: the same for a page that shows something already, of which it keeps what the value
            cannot say; None where a value says all.
        longest: for text, the most characters; not where a part of it would mean something else (a url).
    """

    kind: Kind
    read: Callable[[Any], Any]
    write: Callable[[Any], Any] | None = None
    longest: int | None = None
    rewrite: Callable[[Any, Any], Any] | None = None


def _computed(shown: Mapping[str, Any]) -> Any:
    """The result of a formula or rollup; None where Notion shows none (unsupported, incomplete)."""
    kind = shown["type"]
    value = shown.get(kind)
    if kind == "date":
        return outputs.date(value)
    if kind == "array":
        return [codec.read(item[item["type"]]) for item in value or () if (codec := CODECS.get(item["type"]))]
    return outputs.plain(value) if kind in {"string", "number", "boolean"} else None


_TEXT = Codec(Kind.TEXT, outputs.text, texts.write, inputs.LONGEST_TEXT, texts.rewrite)

CODECS: Mapping[str, Codec] = {
    "title": _TEXT,
    "rich_text": _TEXT,
    "url": Codec(Kind.TEXT, outputs.plain, inputs.line(2000)),
    "email": Codec(Kind.TEXT, outputs.plain, inputs.line(200)),
    "phone_number": Codec(Kind.TEXT, outputs.plain, inputs.line(200)),
    "number": Codec(Kind.NUMBER, outputs.plain, inputs.number),
    "checkbox": Codec(Kind.CHECKBOX, bool, inputs.checkbox),
    "date": Codec(Kind.DATE, outputs.date, inputs.date),
    "select": Codec(Kind.CHOICE, outputs.option, inputs.option),
    "status": Codec(Kind.CHOICE, outputs.option, inputs.option),
    "multi_select": Codec(Kind.CHOICES, outputs.options, inputs.options),
    "people": Codec(Kind.REFERENCES, outputs.ids, inputs.people),
    "relation": Codec(Kind.REFERENCES, outputs.ids, inputs.pages),
    "created_time": Codec(Kind.DATE, outputs.moment),
    "last_edited_time": Codec(Kind.DATE, outputs.moment),
    "created_by": Codec(Kind.REFERENCES, outputs.one_id),
    "last_edited_by": Codec(Kind.REFERENCES, outputs.one_id),
    "unique_id": Codec(Kind.TEXT, outputs.unique_id),
    "formula": Codec(Kind.ANY, _computed),
    "rollup": Codec(Kind.ANY, _computed),
}
"""By property type. Not here, so not to be mapped: files (its URLs end after an hour), button, place,
verification, and what Notion adds later."""


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a data source.

    Attributes:
        id: as Notion shows it, URL-encoded.
        options: the names of a select's, status's or multi-select's options.
    """

    name: str
    id: str
    type: str
    options: tuple[str, ...] = ()

    @property
    def codec(self) -> Codec | None:
        """None for a type that cannot be mapped."""
        return CODECS.get(self.type)

    @property
    def writable(self) -> bool:
        return self.codec is not None and self.codec.write is not None

    @property
    def field(self) -> Field:
        kind, longest = (self.codec.kind, self.codec.longest) if self.codec else (Kind.ANY, None)
        return Field(
            self.name,
            kind,
            id=self.id,
            writable=self.writable,
            ranges=self.type == "date",
            options=self.options,
            longest=longest,
        )

    def read(self, value: Mapping[str, Any]) -> Any:
        """The canonical value of what a page shows for this property."""
        if self.codec is None:  # refused when the mapped names are looked up
            msg = f"property type {self.type} cannot be read"
            raise TypeError(msg)
        return self.codec.read(value[self.type])

    def write(self, value: Any, present: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """What a request says for this property.

        Args:
            present: what the page shows of it now, whole; None for a new page.

        Raises:
            RejectedError: Notion would not take the value, or computes it itself.
        """
        if self.codec is None or self.codec.write is None:
            msg = f"property {self.name!r} ({self.type}) cannot be written: map it with direction 'to_other'"
            raise RejectedError(msg)
        try:
            if present is not None and self.codec.rewrite is not None:
                return {self.type: self.codec.rewrite(value, present[self.type])}
            return {self.type: self.codec.write(value)}
        except RefusedValueError as refusal:
            msg = f"property {self.name!r} ({self.type}) {refusal}"
            raise RejectedError(msg) from refusal

    def is_cut(self, value: Mapping[str, Any]) -> bool:
        """Whether a page may show only the first of this property's items."""
        items: Sequence[Mapping[str, Any]] = value[self.type]
        if self.type == "relation":
            return bool(value.get("has_more"))
        if self.type == "people":  # shows no has_more
            return len(items) >= MOST_SHOWN
        if self.type in {"title", "rich_text"}:
            mentions = [item for item in items if item["type"] == "mention"]
            return len(mentions) >= MOST_SHOWN
        return False

    def join(self, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The items of the property-item endpoint in the form that a page shows."""
        return {"type": self.type, self.type: [item[self.type] for item in items]}


def read_properties(data_source: Mapping[str, Any]) -> dict[str, Property]:
    """The properties of a data source by name, in its order."""
    return {
        name: Property(
            name,
            shown["id"],
            shown["type"],
            tuple(option["name"] for option in shown[shown["type"]].get("options", ())),
        )
        for name, shown in data_source["properties"].items()
    }
