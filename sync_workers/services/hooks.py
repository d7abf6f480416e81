"""The hooks of a `SyncTask` subclass as a service: one engine and one `apply` serve both kinds of task.

The objects that the listing hook gave are kept, since the writing hooks want them back. What a
writing hook raises says nothing about whether the write happened, so it counts as a lost reply:
the next run looks before it tries again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sync_workers.errors import MovedError, SyncError, UnknownOutcomeError
from sync_workers.fields import Field
from sync_workers.model import ID, Fields, Record, Side
from sync_workers.services.base import Capabilities, Fetched, Gone, ReadResult
from sync_workers.values import same, storable

_log = logging.getLogger(__name__)


class HooksService:
    """One side of a `SyncTask`; see `sync_workers.services.base.Service`.

    Attributes:
        listed: whether the listing hook was asked.
        objects: the live objects of the last listing by id.
        doubtful: records whose hook wrote something that the object does not show, with their
            fields before: either the object is a mere copy, or the service did not take the value.
    """

    capabilities = Capabilities()

    def __init__(self, hooks: object, side: Side, attrs: Sequence[str], *, timed: bool = True) -> None:
        self.side = side
        self.attrs = tuple(attrs)
        self.listed = False
        self.objects: dict[ID, Any] = {}
        self.doubtful: dict[ID, Fields] = {}
        self._hooks = hooks
        self._timed = timed

    def hook(self, name: str) -> Callable[..., Any]:
        """This side's hook, such as `notion_to_dict` for `to_dict`."""
        found: Callable[..., Any] = getattr(self._hooks, f"{self.side}_{name}")
        return found

    def schema(self) -> Mapping[str, Field]:
        return {}

    def setup(self) -> Mapping[str, str]:
        return {}

    def fetch(self, _cursor: str | None = None) -> Fetched:
        """List all objects; what the listing hook raises goes through as it is."""
        listed = list(getattr(self._hooks, f"get_{self.side}_objects")())
        return self.take(enumerate(listed))

    def take(self, listed: Any) -> Fetched:
        """Make records of (place, object) pairs; one that a hook fails on is unreadable, not gone."""
        records: list[Record] = []
        unreadable: dict[ID, str] = {}
        nameless = False
        self.objects, self.listed = {}, True
        read_id = self.hook("id")
        for place, obj in listed:
            record_id = f"#{place}"
            try:
                record_id = str(read_id(obj))
                records.append(self.record(obj, record_id))
                self.objects[record_id] = obj
            except Exception as error:  # noqa: BLE001 - one bad record stops itself only (R8)
                nameless = nameless or record_id == f"#{place}"
                unreadable[record_id] = self._reason(error)
        # Without its id nobody knows which linked record the object is, so no absence proves anything.
        return Fetched(tuple(records), complete=not nameless, unreadable=unreadable)

    def record(self, obj: Any, record_id: ID | None = None) -> Record:
        """The record that an object is now."""
        shown = self.hook("to_dict")(obj)
        return Record(
            id=str(self.hook("id")(obj)) if record_id is None else record_id,
            fields={attr: storable(shown[attr]) for attr in self.attrs},
            modified=_aware(self.hook("timestamp")(obj)) if self._timed else None,
            key=_key(self.hook("hash")(obj)),
        )

    def read(self, ids: Sequence[ID]) -> Mapping[ID, ReadResult]:
        """What the objects of the last listing are now."""
        found = {i: self.objects[i] for i in ids if i in self.objects}
        return {i: self.record(found[i], i) if i in found else Gone(i) for i in ids}

    def create(self, fields: Fields, _idempotency: str) -> Record:
        made = self.call("create_obj", self.hook("create_obj"), **fields)
        if made is None:
            msg = f"{self.side}_create_obj returned nothing, so its id is not known"
            raise UnknownOutcomeError(msg)
        record: Record = self.call("to_dict", self.record, made)
        self.objects[record.id] = made
        return record

    def update(self, record: Record, fields: Fields) -> Record:
        obj = self._expect(record)
        if obj is None:
            msg = f"record {record.id} is not there any more"
            raise MovedError(msg)
        self.call("update_attrs", self.hook("update_attrs"), obj, dict(fields))
        after: Record = self.call("to_dict", self.record, obj, record.id)
        unmoved = all(same(after.fields[attr], record.fields[attr]) for attr in fields)
        if unmoved and not all(same(after.fields[attr], value) for attr, value in fields.items()):
            self.doubtful.setdefault(record.id, record.fields)
            written = {attr: storable(value) for attr, value in fields.items()}
            return Record(record.id, {**after.fields, **written}, after.modified, key=after.key)
        return after

    def delete(self, record: Record) -> None:
        obj = self._expect(record)
        if obj is not None:
            self.call("delete_obj", self.hook("delete_obj"), obj)
            del self.objects[record.id]

    def archive(self, record: Record) -> None:
        msg = f"record {record.id}: the hooks of a task offer no archive"
        raise NotImplementedError(msg)

    def close(self) -> None:
        """The hooks own their connections."""

    def reread(self) -> Mapping[ID, Fields]:
        """What the doubtful records really show, by one more listing; nothing when there are none."""
        doubtful, self.doubtful = self.doubtful, {}
        if not doubtful:
            return {}
        shown = {record.id: record.fields for record in self.fetch().records}
        return {i: before for i, before in doubtful.items() if i in shown and _alike(shown[i], before)}

    def _expect(self, record: Record) -> Any:
        obj = self.objects.get(record.id)
        if obj is None:
            return None
        now: Record = self.call("to_dict", self.record, obj, record.id)
        if not _alike(now.fields, record.fields):
            msg = f"record {record.id} changed since it was read"
            raise MovedError(msg)
        return obj

    def call(self, name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except SyncError:
            raise
        except Exception as error:
            raise UnknownOutcomeError(self._reason(error, name)) from error

    def _reason(self, error: Exception, name: str = "to_dict") -> str:
        """What went wrong, without the exception's text: it may carry field values."""
        _log.debug("a hook of the %s side failed", self.side, exc_info=error)
        if isinstance(error, SyncError):
            return str(error)
        if isinstance(error, KeyError) and error.args and error.args[0] in self.attrs:
            return f"{self.side}_{name} gave no {error.args[0]!r}"
        return f"a hook ({self.side}_{name} or one it needs) raised {type(error).__name__}"


def _alike(one: Fields, another: Fields) -> bool:
    return all(same(one.get(attr), value) for attr, value in another.items())


def _key(value: object) -> str | None:
    return None if value is None else str(value)


def _aware(moment: datetime) -> datetime:
    """A naive time is the local one, as everywhere in Python."""
    return moment if moment.tzinfo is not None else moment.astimezone()
