"""Property values of Notion as canonical values, and back. Pure: no request is made here.

`Property` is one column of a data source, known by the id that a rename does not change; what its values
are is said by the `Codec` of its type, or of the form that the task chose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sync_workers.errors import RejectedError
from sync_workers.fields import NewOptions, ValueForm
from sync_workers.services.base import Field, Kind
from sync_workers.services.notion.codecs import CODECS, OPTIONS, Codec
from sync_workers.services.notion.inputs import RefusedValueError

FORMS: Mapping[str, tuple[ValueForm, ...]] = {
    **dict.fromkeys(("title", "rich_text"), (ValueForm.MARKDOWN,)),
    **dict.fromkeys(
        ("people", "created_by", "last_edited_by"), (ValueForm.EMAIL, ValueForm.NAME, ValueForm.ID)
    ),
}
"""The forms of each type; the one without a name of its own is the usual one."""

GROWING: Mapping[str, NewOptions] = {
    "select": NewOptions.CREATE,
    "multi_select": NewOptions.CREATE,
    "status": NewOptions.HOLD,
}
"""The types that options can be added to, with what happens to a value that is none by default.

Notion adds those of a select by itself when a page is written. One of a status has to be added to the data
source first, and stands in the group *To-do* from then on, whatever it means; nobody can move it by the API.
"""

LONGEST_OPTION = 100
"""The most characters of an option's name."""

MOST_SHOWN = 25
"""A page shows this many people, related pages and mentions; the rest has its own endpoint."""


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a data source.

    Attributes:
        id: as Notion shows it, URL-encoded.
        name: as in the task file.
        called: what Notion calls it, where that is another name.
        groups: of a status, the options by group.
        options: the names of a select's, status's or multi-select's options.
        chosen: the codec of the form that the task chose; None for the usual one of the type.
        rolls_up: for a rollup, the id of the relation that it follows.
        points_to: for a relation, the id of the data source that it leads to.
        twin: for a relation that shows on both ends, the property at the other one.
    """

    name: str
    id: str
    type: str
    options: tuple[str, ...] = ()
    called: str = ""
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    chosen: Codec | None = None
    rolls_up: str | None = None
    points_to: str = ""
    twin: str = ""

    @property
    def codec(self) -> Codec | None:
        """None for a type that cannot be mapped."""
        return self.chosen or CODECS.get(self.type)

    @property
    def forms(self) -> tuple[ValueForm, ...]:
        """The ways in which its values can be read and written; empty where there is but one."""
        return FORMS.get(self.type, ())

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
            options=self.options or OPTIONS.get(self.type, ()),
            longest=LONGEST_OPTION if self.type in GROWING else longest,
            forms=self.forms,
            grows=self.type in GROWING,
            new_options=GROWING.get(self.type, NewOptions.CREATE),
            barred=",",
            groups=self.groups,
            type=self.type,
            called=self.called,
            refused="" if self.codec else f"the type {self.type} cannot be mapped",
            points_to=self.points_to,
            twin=self.twin,
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
        if self.type == "relation":
            return bool(value.get("has_more"))
        if self.type == "people":  # shows no has_more
            return len(value[self.type]) >= MOST_SHOWN
        if self.type == "rollup":
            shown = value[self.type]
            return shown["type"] == "incomplete" or len(shown.get("array") or ()) >= MOST_SHOWN
        if self.type in {"title", "rich_text"}:
            mentions = [item for item in value[self.type] if item["type"] == "mention"]
            return len(mentions) >= MOST_SHOWN
        return False

    def join(
        self, items: Sequence[Mapping[str, Any]], whole: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The items of the property-item endpoint in the form that a page shows.

        `whole` is what the endpoint says of all of them together, such as the sum of a rollup.
        """
        if self.type == "rollup":
            result = dict((whole or {}).get(self.type) or {"type": "unsupported"})
            # The items of a rollup that computes a number are what it was computed from.
            return {
                "type": self.type,
                self.type: {**result, "array": list(items)} if result["type"] == "array" else result,
            }
        return {"type": self.type, self.type: [item[self.type] for item in items]}


def read_properties(data_source: Mapping[str, Any]) -> dict[str, Property]:
    """The properties of a data source by name, in its order, whatever types Notion has added."""
    found = {}
    for name, shown in data_source["properties"].items():
        config = shown.get(shown["type"]) or {}
        options = tuple(option["name"] for option in config.get("options", ()))
        rolled = config.get("relation_property_id")
        leads = str(config.get("data_source_id") or "") if shown["type"] == "relation" else ""
        twin = str((config.get("dual_property") or {}).get("synced_property_name") or "")
        found[name] = Property(
            name,
            shown["id"],
            shown["type"],
            options,
            groups=_groups(config),
            rolls_up=rolled,
            points_to=leads,
            twin=twin,
        )
    return found


def _groups(config: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    groups = config.get("groups") or ()
    if not groups:
        return ()
    names = {option["id"]: option["name"] for option in config.get("options", ())}
    return tuple(
        (group["name"], tuple(names[i] for i in group["option_ids"] if i in names)) for group in groups
    )
