"""`Problems`: all that is wrong with a task file, each with its line and the nearest valid name."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, get_args
from zoneinfo import available_timezones

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from sync_workers.config.lines import Path, line_of
from sync_workers.errors import SettingsError
from sync_workers.naming import hint

_SENTENCES = {
    "missing": "is missing",
    "string_type": "should be text",
    "int_type": "should be a whole number",
    "int_from_float": "should be a whole number",
    "float_type": "should be a number",
    "bool_type": "should be true or false",
    "list_type": "should be a list",
    "tuple_type": "should be a list",
    "dict_type": "should be a table",
    "model_type": "should be a table",
    "model_attributes_type": "should be a table",
}
_CHOICES = {"enum", "literal_error"}


class Problems:
    """Collects what is wrong, in whatever order it is found."""

    def __init__(self, file: str, lines: Mapping[Path, int]) -> None:
        self.file = file
        self.lines = lines
        self.found: list[tuple[int, str]] = []

    def add(self, path: Path, sentence: str) -> None:
        line = line_of(self.lines, path)
        self.found.append((line, f"{self.file}:{line}: {dotted(path)}: {sentence}"))

    def add_invalid(
        self, path: Path, model: type[BaseModel], data: Any, error: ValidationError, also: Collection[str]
    ) -> None:
        """Add what pydantic found in the table at `path`; `also` are keys of it beside the model's."""
        found: dict[Path, list[ErrorDetails]] = {}
        for detail in error.errors(include_url=False):
            found.setdefault(written_place(detail, data), []).append(detail)
        for place, details in found.items():
            keys = {*keys_of(model, place[:-1]), *(also if len(place) == 1 else ())}
            # Where a value may be one of several things, what it surely was not meant to be is no news.
            meant = [detail for detail in details if not _is_of_another_type(detail)] or details
            deeper = any(other[: len(place)] == place and other != place for other in found)
            if meant is details and deeper:
                continue
            sentences = dict.fromkeys(sentence(detail, keys) for detail in meant)
            self.add((*path, *place), " or ".join(sentences))

    def raise_all(self) -> None:
        """Raise everything that was found, in the order of the file.

        Raises:
            SettingsError: something was found.
        """
        if self.found:
            raise SettingsError(*(text for _, text in sorted(self.found, key=lambda found: found[0])))


def _is_of_another_type(detail: ErrorDetails) -> bool:
    # A choice is text: a table in its place is no choice that was misspelt.
    is_no_choice = detail["type"] in _CHOICES and not isinstance(detail["input"], str)
    return is_no_choice or detail["type"].endswith("_type")


def dotted(path: Path) -> str:
    """A path as it would stand in the file: `tasks.todo.fields."Due date"`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            shown = part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f'"{part}"'
            text += f".{shown}" if text else shown
    return text


def sentence(detail: ErrorDetails, keys: Collection[str]) -> str:
    """One of pydantic's findings in our words; the value itself is shown only where it names a choice."""
    kind, given = detail["type"], detail["input"]
    if kind == "extra_forbidden":
        return f"there is no such key{hint(str(detail['loc'][-1]), keys)}"
    if kind in _CHOICES and isinstance(given, str):
        choices = re.findall(r"'([^']*)'", str(detail["ctx"]["expected"]))
        return f"{given!r} is none of the choices{hint(given, choices)}"
    if kind == "zoneinfo_str":
        return f"{given!r} is no time zone{hint(str(given), available_timezones())}"
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    return _SENTENCES.get(kind, detail["msg"].replace("Input should", "should"))


def written_place(detail: ErrorDetails, data: Any) -> Path:
    """Where a finding is in the file: without the parts that only pydantic knows, such as a union's."""
    place: Path = ()
    for part in detail["loc"]:
        inside = (
            part in data if isinstance(data, dict) else isinstance(data, list) and part in range(len(data))
        )
        if inside:
            place, data = (*place, part), data[part]
    return (*place, detail["loc"][-1]) if detail["type"] == "missing" else place


def keys_of(model: type[BaseModel], place: Path) -> Collection[str]:
    """The keys that a table has which stands at `place` in the model's table."""
    for part in place:
        found = model.model_fields.get(str(part))
        under = _model_in(found.annotation) if found else None
        if under is None:
            return ()
        model = under
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model in an annotation such as `Secret | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)
