"""`Tables`: what every part of the reading has at hand."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError

from sync_workers.config import lines
from sync_workers.config.forms import Table
from sync_workers.config.problems import Problems
from sync_workers.services import ServiceKind

Find: TypeAlias = Callable[[str], ServiceKind]
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Tables:
    """Checks tables and notes what is wrong with them.

    Attributes:
        folder: where relative files of the task file start.
        find: gives a service's kind by its name.
    """

    problems: Problems
    folder: Path
    find: Find

    def form(self, model: type[M], data: Table, path: lines.Path, also: Collection[str] = ()) -> M | None:
        """The table as its model, or None after its problems were noted.

        `also` are keys of the table that were taken out of `data`, named when a wrong key is near.
        """
        try:
            return model.model_validate(data, context={"folder": self.folder})
        except ValidationError as error:
            self.problems.add_invalid(path, model, data, error, also)
            return None


def table(data: Table, key: str) -> Table | None:
    """The table under a key; None where there is none, which is for a form to report."""
    found = data.get(key)
    return found if isinstance(found, dict) else None


def tables(data: Table, key: str) -> Iterator[tuple[str, Table]]:
    """The tables in the table under a key, by name."""
    for name, found in (table(data, key) or {}).items():
        if isinstance(found, dict):
            yield name, found


def without(data: Table, key: str) -> Table:
    return {name: value for name, value in data.items() if name != key}
