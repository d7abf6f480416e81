"""What a service may offer besides the contract when its change feed shows changes only.

Such a feed names neither what was deleted nor, for a while, all that was changed. `Capabilities.watched`
tells it; the caller then keeps what is known of single records, asks for them by id where a listing cannot
tell, and compares all from time to time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Protocol, runtime_checkable

from sync_workers.errors import LaterError
from sync_workers.model import ID, Record


class OutdatedError(LaterError):
    """What was recalled from a cursor does not hold any more; all is to be read anew."""


@runtime_checkable
class Recalls(Protocol):
    """A service whose cursors remember what it would else have to ask for first, such as its schema."""

    def recall(self, cursor: str | None) -> None:
        """Take from a cursor what `schema`, `setup` and `fetch` need; None forgets it again.

        A cursor that says nothing, or of another container, is fine. From then on `fetch` may raise
        `OutdatedError`.
        """


@runtime_checkable
class Partitioned(Protocol):
    """A service that lists what is out of sight as well."""

    def put_away(self, wanted: Collection[ID]) -> Mapping[ID, str]:
        """Which of these are archived, and in what words, with fewer calls than one for each.

        One that is not in the answer may be archived all the same.
        """


def doubtful(
    records: Iterable[Record], known: Mapping[ID, Record], since: datetime | None = None
) -> Iterator[ID]:
    """The ids of records that a listing shows, but perhaps older than they are known.

    An index that is behind shows what was there before, within one step of the clock without any other sign.
    What was last changed before `since` is surely shown as it is, unless an older time gives it away.
    """
    for record in records:
        old = known.get(record.id)
        if old is None or old.modified is None or record.modified is None or record.modified > old.modified:
            continue
        is_recent = since is None or record.modified >= since
        is_same = record.fields == old.fields and record.about == old.about
        if record.modified < old.modified or (is_recent and not is_same):
            yield record.id
