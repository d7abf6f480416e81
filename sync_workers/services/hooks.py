"""The hooks of a `SyncTask` subclass as a service: one engine and one `apply` serve both kinds of task.

The objects that the listing hook gave are kept, since the writing hooks want them back. What a
writing hook raises says nothing about whether the write happened, so it counts as a lost reply:
the next run looks before it tries again.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from sync_workers.errors import AccessError, LaterError, MovedError, RejectedError, UnknownOutcomeError
from sync_workers.fields import Field
from sync_workers.model import ID, NOTHING, ConflictMode, Fields, Record, Side
from sync_workers.services.base import (
    Capabilities,
    Fetched,
    Gone,
    OutOfScope,
    ReadResult,
    WithoutExtras,
)
from sync_workers.services.hook_values import PLAIN, HookValues, moment_of
from sync_workers.values import UnsupportedValueError, same

_log = logging.getLogger(__name__)

_SPOKEN = (LaterError, AccessError, RejectedError, MovedError, UnknownOutcomeError)
"""What a hook may raise on purpose: it then says what happened, as a service would."""


class HooksService(WithoutExtras):
    """One side of a `SyncTask`; see `sync_workers.services.base.Service`.

    Attributes:
        listed: whether the listing hook was asked.
        objects: the live objects of the last listing by id.
        doubtful: attributes whose hook was called without the object showing it, by record: either
            the object is a mere copy of what the service has, or the service did not take the value.
        values: between the kinds that the hooks speak and those that the state keeps.
        opposite: the other side.
    """

    capabilities = Capabilities()

    def __init__(self, hooks: object, side: Side, attrs: Sequence[str], mode: ConflictMode) -> None:
        self.side = side
        self.attrs = tuple(attrs)
        self.listed = False
        self.objects: dict[ID, Any] = {}
        self.doubtful: dict[ID, set[str]] = {}
        self.unreadable_keys: dict[ID, str | None] = {}
        self.values = HookValues()
        self.opposite: HooksService | None = None
        self._hooks = hooks
        # Where the time decides nothing, but a person wants to know it, no record fails for want of it.
        self._timed = mode in {ConflictMode.NEWER, ConflictMode.ERROR}
        self._untold = NotImplementedError if mode == ConflictMode.NEWER else Exception
        self._to_dict, self._hash, self._timestamp = map(self.hook, ("to_dict", "hash", "timestamp"))
        self._unreadable: Mapping[ID, str] = {}
        self._complete = True

    def hook(self, name: str) -> Callable[..., Any]:
        """This side's hook, such as `notion_to_dict` for `to_dict`."""
        found: Callable[..., Any] = getattr(self._hooks, f"{self.side}_{name}")
        return found

    def schema(self) -> Mapping[str, Field]:
        return {}

    def setup(self) -> Mapping[str, str]:
        return {}

    def fetch(self, _cursor: str | None = None, _known: Mapping[ID, Record] = NOTHING) -> Fetched:
        """List all objects; what the listing hook raises goes through as it is."""
        listed = list(getattr(self._hooks, f"get_{self.side}_objects")())
        nameless: dict[ID, str] = {}
        self.unreadable_keys = {}
        return self.take(self._named(listed, nameless), nameless)

    def _named(self, listed: Iterable[Any], nameless: dict[ID, str]) -> Iterator[tuple[ID, Any]]:
        read_id = self.hook("id")
        for place, obj in enumerate(listed):
            try:
                record_id = _id(read_id(obj))
            except Exception as error:  # noqa: BLE001 - one bad record stops itself only (R8)
                nameless[f"#{place}"] = self._reason(error, "id")
                self.unreadable_keys[f"#{place}"] = self._key(obj)
            else:
                yield record_id, obj

    def take(self, named: Iterable[tuple[ID, Any]], nameless: Mapping[ID, str] = NOTHING) -> Fetched:
        """Make records of objects; one that a hook fails on is unreadable, not gone."""
        records: list[Record] = []
        unreadable: dict[ID, str] = {}
        objects: dict[ID, Any] = {}
        with _collector_paused():
            for record_id, obj in named:
                try:
                    records.append(self.record(obj, record_id))
                    objects[record_id] = obj
                except RejectedError as error:
                    unreadable[record_id] = str(error)
                    self.unreadable_keys[record_id] = self._key(obj)
        # Without its id nobody knows which linked record an object is, so no absence proves anything.
        self._complete = not nameless
        unreadable = {**nameless, **unreadable}
        self.objects, self._unreadable, self.listed = objects, unreadable, True
        return Fetched(tuple(records), complete=self._complete, unreadable=unreadable)

    def record(self, obj: Any, record_id: ID | None = None) -> Record:
        """The record that an object is now.

        Raises:
            RejectedError: a hook fails on it.
        """
        asked = "id"
        try:
            if record_id is None:
                record_id = _id(self.hook("id")(obj))
            asked = "to_dict"
            shown = self._to_dict(obj)
            fields = {attr: shown[attr] for attr in self.attrs}
            # The values of nearly all records are plain: one look tells, where one by one is slow.
            if not PLAIN.issuperset(map(type, fields.values())):
                fields = {attr: self.values.stored(attr, value) for attr, value in fields.items()}
            asked = "timestamp"
            modified = self._modified(obj) if self._timed else None
            asked = "hash"
            key = self._hash(obj)
        except Exception as error:
            raise RejectedError(self._reason(error, asked)) from error
        return Record(record_id, fields, modified, None, key if key is None else str(key))

    def read(self, ids: Sequence[ID]) -> Mapping[ID, ReadResult]:
        """What the objects of the last listing are now."""
        return {record_id: self._read(record_id) for record_id in ids}

    def create(self, fields: Fields, _idempotency: str) -> Record:
        made = self.call(f"{self.side}_create_obj", self.hook("create_obj"), **self._as_given(fields))
        if made is None:
            msg = f"{self.side}_create_obj returned nothing, so its id is not known"
            raise UnknownOutcomeError(msg)
        record = self._after(made)
        if record.id in self.objects:
            msg = f"{self.side}_create_obj returned record {record.id}, which was there before"
            raise UnknownOutcomeError(msg)
        self.objects[record.id] = made
        return record

    def update(self, record: Record, fields: Fields) -> Record:
        obj = self._expect(record)
        if obj is None:
            msg = f"record {record.id} is not there any more"
            raise MovedError(msg)
        self.call(f"{self.side}_update_attrs", self.write, obj, fields)
        after = self._after(obj, record.id)
        ignored = {
            attr
            for attr, value in fields.items()
            if same(after.fields[attr], record.fields[attr]) and not same(after.fields[attr], value)
        }
        if ignored:
            self.doubtful.setdefault(record.id, set()).update(ignored)
        return after

    def write(self, obj: Any, fields: Fields) -> None:
        """Call the updating hook once, without a look at what is there; what it raises goes through."""
        self.hook("update_attrs")(obj, self._as_given(fields))

    def delete(self, record: Record) -> None:
        obj = self._expect(record)
        if obj is not None:
            self.call(f"{self.side}_delete_obj", self.hook("delete_obj"), obj)
            del self.objects[record.id]

    def archive(self, record: Record) -> None:
        msg = f"record {record.id}: the hooks of a task offer no archive"
        raise RejectedError(msg)

    def close(self) -> None:
        """The hooks own their connections."""

    def reread(self) -> Mapping[ID, Fields]:
        """What the doubtful attributes show in one more listing.

        Empty when it cannot be had: the bases then stay what they were before the write, so that the
        next run finds both sides equal, or the value not taken, and writes nothing back.
        """
        doubtful, self.doubtful = self.doubtful, {}
        try:
            shown = {record.id: record.fields for record in self.fetch().records}
        except Exception as error:  # noqa: BLE001 - all writes are done: this was only a look
            _log.warning("reading back from %s failed: %s", self.side, type(error).__name__)
            return {}
        return {i: {attr: shown[i][attr] for attr in attrs} for i, attrs in doubtful.items() if i in shown}

    def call(self, name: str, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Call a hook that may write.

        Raises:
            UnknownOutcomeError: it raised, so nobody knows how far it came.
        """
        try:
            return function(*args, **kwargs)
        except _SPOKEN:
            raise
        except Exception as error:
            raise UnknownOutcomeError(self._raised(name, error)) from error

    def _read(self, record_id: ID) -> ReadResult:
        if record_id in self.objects:
            return self.record(self.objects[record_id], record_id)
        if self._complete and record_id not in self._unreadable:
            return Gone(record_id)
        why = "unreadable" if record_id in self._unreadable else "perhaps one without an id"
        return OutOfScope(record_id, why, is_sure=False)

    def _expect(self, record: Record) -> Any:
        """The live object of a record that still is what the plan was made from."""
        obj = self.objects.get(record.id)
        if obj is None:
            return None
        now = self.record(obj, record.id)
        if any(not same(now.fields.get(attr), value) for attr, value in record.fields.items()):
            msg = f"record {record.id} changed since it was read"
            raise MovedError(msg)
        return obj

    def _after(self, obj: Any, record_id: ID | None = None) -> Record:
        try:
            return self.record(obj, record_id)
        except RejectedError as error:
            msg = f"it was written, but cannot be read back: {error}"
            raise UnknownOutcomeError(msg) from error

    def _modified(self, obj: Any) -> datetime | None:
        """When it changed; None where the side cannot tell."""
        try:
            return moment_of(self._timestamp(obj))
        except self._untold:
            return None

    def _as_given(self, fields: Fields) -> dict[str, Any]:
        """Values in the kinds that the opposite side's hooks gave, such as an enum's member."""
        if self.opposite is None:
            return dict(fields)
        sources = dict(zip(self.attrs, self.opposite.attrs, strict=True))
        return {attr: self.opposite.values.given(sources[attr], value) for attr, value in fields.items()}

    def _key(self, obj: Any) -> str | None:
        """The key of an object that cannot be read otherwise, or None when that fails, too."""
        with suppress(Exception):
            return str(self._hash(obj) or "") or None
        return None

    def _reason(self, error: Exception, name: str) -> str:
        """Why a record cannot be read, without the exception's text: it may carry field values."""
        if isinstance(error.__cause__, UnsupportedValueError):
            return f"{self.side}_to_dict gave {error}"
        if name == "to_dict" and isinstance(error, KeyError) and error.args and error.args[0] in self.attrs:
            return f"{self.side}_to_dict gave no {error.args[0]!r}"
        if isinstance(error, _NoIdError):
            return f"{self.side}_id gave no id"
        return self._raised(f"{self.side}_{name}", error)

    def _raised(self, name: str, error: Exception) -> str:
        _log.debug("%s failed", name, exc_info=error)
        return f"{name} raised {type(error).__name__}"


class _NoIdError(Exception):
    """The id hook gave nothing."""


@contextmanager
def _collector_paused() -> Iterator[None]:
    """While a hundred thousand records are made, all to be kept, the collector would walk over them again.

    It took a fifth of a sync in which nothing changed.
    """
    was_running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_running:
            gc.enable()


def _id(value: object) -> ID:
    if value is None or value == "":
        raise _NoIdError
    return str(value)
