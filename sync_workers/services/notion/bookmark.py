"""What the cursors of a data source say: where its feed goes on, or how far a listing has come. JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bookmark:
    """Where the feed goes on, with what would have to be asked for first.

    Attributes:
        place: what the task file names.
        source: the id of the data source there.
        shown: what Notion showed of it.
        since: the greatest last_edited_time that was listed; None when there was none.
        rows: how many rows there were.
    """

    place: str
    source: str
    shown: Mapping[str, Any]
    since: str | None = None
    rows: int = 0


@dataclass(slots=True)
class Progress:
    """How far a listing has come.

    Attributes:
        since: rows that were last edited from then on are listed; None for all of them.
        mark: the greatest last_edited_time as it was when the listing began.
        begun: whether the first page was shown.
        created: where the query begins that is being paged through; None for the first one.
        start: the cursor of its next page.
        edge: the created_time of the last row, and `at_edge` the ids of rows that have it.
        skip: ids that the query shows once more.
        fresh: whether the query showed a row that was not known.
        size: rows to a page.
        easy: pages in a row that Notion had time for.
        rows: rows so far.
    """

    since: str | None = None
    mark: str | None = None
    begun: bool = False
    created: str | None = None
    start: str | None = None
    edge: str = ""
    at_edge: list[str] = field(default_factory=list)
    skip: list[str] = field(default_factory=list)
    fresh: bool = False
    size: int = 100
    easy: int = 0
    rows: int = 0

    def begin_anew(self) -> None:
        """Go on with another query, from the creation of the last row on."""
        self.created, self.start, self.skip, self.fresh = self.edge or None, None, list(self.at_edge), False


def write(thing: Bookmark | Progress) -> str:
    """It as a cursor."""
    return json.dumps({type(thing).__name__: asdict(thing)}, separators=(",", ":"))


def read(cursor: str | None, kind: type[T]) -> T | None:
    """What `write` made of a thing of this kind; None of anything else, such as one of another version."""
    try:
        return kind(**json.loads(cursor or "")[kind.__name__])
    except (ValueError, TypeError, KeyError):
        return None
