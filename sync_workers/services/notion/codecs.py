"""What the values of each property type are: from what a page shows to canonical values, and back. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sync_workers.services.base import Kind
from sync_workers.services.notion import files, inputs, outputs, texts
from sync_workers.values import is_unset


@dataclass(frozen=True, slots=True)
class Codec:
    """What the values of one property type are.

    Attributes:
        read: from what a page shows under the type's name to the canonical value.
        write: the opposite way; None where Notion computes the value itself.
        rewrite: the same for a page that shows something already, of which it keeps what the value
            cannot say; None where a value says all.
        needs_page: whether a value can be written is only known with what the page shows.
        longest: for text, the most characters; not where a part of it would mean something else (a url).
    """

    kind: Kind
    read: Callable[[Any], Any]
    write: Callable[[Any], Any] | None = None
    longest: int | None = None
    rewrite: Callable[[Any, Any], Any] | None = None
    needs_page: bool = False


def _computed(shown: Mapping[str, Any]) -> Any:
    """The result of a formula or rollup; None where Notion shows none (unsupported)."""
    kind = shown["type"]
    value = shown.get(kind)
    if kind == "date":
        return outputs.date(value)
    if kind == "array":
        return [part for item in value or () for part in _parts(item)]
    return outputs.plain(value) if kind in {"string", "number", "boolean"} else None


def _parts(item: Mapping[str, Any]) -> list[Any]:
    """What one related row adds to a rollup that shows them all: nothing, one value, or a list of them."""
    codec, shown = CODECS.get(item["type"]), item.get(item["type"])
    # The property-item endpoint shows the single items of these, a page shows lists of them.
    if item["type"] in {"title", "rich_text", "people", "relation"} and isinstance(shown, Mapping):
        shown = [shown]
    value = codec.read(shown) if codec is not None else None
    if isinstance(value, list):
        return value
    return [] if is_unset(value) else [value]


_TEXT = Codec(Kind.TEXT, outputs.text, texts.write, inputs.LONGEST_TEXT, texts.rewrite)

MARKDOWN = Codec(Kind.TEXT, texts.read_markdown, texts.write_markdown, rewrite=texts.rewrite_markdown)
"""A title or text with its formatting; a part of it would mean something else, so it has no longest one."""

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
    "people": Codec(Kind.REFERENCES, outputs.ids, inputs.people, rewrite=inputs.people_again),
    "relation": Codec(Kind.REFERENCES, outputs.ids, inputs.pages),
    "files": Codec(Kind.CHOICES, files.read, files.write, rewrite=files.rewrite, needs_page=True),
    "verification": Codec(Kind.CHOICE, outputs.verification, inputs.verification),
    # Notion shows none of most places, so a write could replace one that nobody here has seen.
    "place": Codec(Kind.TEXT, outputs.place),
    "created_time": Codec(Kind.DATE, outputs.moment),
    "last_edited_time": Codec(Kind.DATE, outputs.moment),
    "created_by": Codec(Kind.REFERENCES, outputs.one_id),
    "last_edited_by": Codec(Kind.REFERENCES, outputs.one_id),
    "unique_id": Codec(Kind.TEXT, outputs.unique_id),
    "formula": Codec(Kind.ANY, _computed),
    "rollup": Codec(Kind.ANY, _computed),
}
"""By property type. Not to be mapped are button, which holds nothing, and what Notion adds later."""

OPTIONS: Mapping[str, tuple[str, ...]] = {"verification": outputs.VERIFICATION}
"""The values of types whose schema does not name them."""
