"""`Field` and `Kind`: what a field of a container holds, whichever service it is from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a field holds; decides how its values cross to a field of another kind."""

    TEXT = "text"
    NUMBER = "number"
    CHECKBOX = "checkbox"
    DATE = "date"  # a day, a moment, or where `ranges` says so a span of them
    CHOICE = "choice"  # one of some options, or None
    CHOICES = "choices"  # a list of options, without order
    REFERENCES = "references"  # a list of ids (people, related records)
    ANY = "any"  # the service passes values through as they are


class ValueForm(StrEnum):
    """How the values of a field are read and written, where a service offers several ways."""

    MARKDOWN = "markdown"  # text with its formatting, as inline Markdown
    EMAIL = "email"  # people by their e-mail addresses
    NAME = "name"  # people by their names
    ID = "id"  # people by the ids that the service gives them


class NewOptions(StrEnum):
    """What happens to a value that is no option of a field yet."""

    CREATE = "create"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Field:
    """What a service knows about one field.

    Attributes:
        id: the service's stable name of the field, which a rename does not change.
        writable: False for what the service computes itself.
        times: for DATE, whether a time of day is kept; False keeps only the day.
        ranges: for DATE, whether a span is kept.
        options: for CHOICE and CHOICES, what is there now; empty when anything goes.
        longest: for TEXT, the most characters it keeps; for options that can be added, the most of a name;
            None without limit.
        grows: for CHOICE and CHOICES, whether options can be added.
        new_options: what happens to a value that is no option yet, where they can, if the task says nothing.
        barred: signs that no added option may have in its name.
        groups: where options stand in groups, each group with its options; the last one means done.
        type: the service's own name of its type, where it has more of them than there are kinds.
        called: what the container calls it by now, where that is not the name that the task file has.
        refused: why its values can neither be read nor written; empty for nearly all.
        markdown: for TEXT, the service keeps Markdown in a form of its own: texts that mean the same there
            are the same (`sync_workers.markdown`).
        forms: the ways in which its values can be read and written; empty where there is but one.
        points_to: for REFERENCES to records, the container that they are in, as its service's `setup` names
            it; empty for people.
        twin: the field over there that the service keeps in step with this one by itself.
    """

    name: str
    kind: Kind
    id: str = ""
    writable: bool = True
    times: bool = True
    ranges: bool = False
    options: tuple[str, ...] = ()
    longest: int | None = None
    forms: tuple[ValueForm, ...] = ()
    type: str = ""
    called: str = ""
    refused: str = ""
    points_to: str = ""
    twin: str = ""
    grows: bool = False
    new_options: NewOptions = NewOptions.CREATE
    barred: str = ""
    markdown: bool = False
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
