"""`ToDo`: one to-do, what its properties say, and its text with other properties. No calls, no clock."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import icalendar

from sync_workers.services.caldav.lines import patch

Changes: TypeAlias = dict[str, Any]
"""Property names to Python values; None removes the property."""

ARCHIVED = "X-SYNC-WORKERS-ARCHIVED"
FORMER_STATUS = "X-SYNC-WORKERS-STATUS"
"""What the status was before archiving, so that it can be brought back as it was."""

RELATION = "RELATED-TO"
CANCELLED = "CANCELLED"
DONE = "COMPLETED"
_WHOLE = 100


class UnreadableError(Exception):
    """A text that is no iCalendar."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What reading and writing depend on besides the text.

    Attributes:
        zone: of times without a zone, and for moments that bring none.
        percent_mapped: the task writes the percentage itself, so completing leaves it alone.
    """

    zone: ZoneInfo = ZoneInfo("UTC")
    percent_mapped: bool = False


@dataclass(frozen=True, slots=True)
class ToDo:
    """One to-do; of a recurring one the rule itself, not its occurrences."""

    text: str
    _todo: icalendar.Todo
    _setting: Setting

    @staticmethod
    def parse(text: str, setting: Setting) -> ToDo | None:
        """The to-do in the text; None where it holds something else.

        Raises:
            UnreadableError: it is no iCalendar.
        """
        try:
            calendar = icalendar.Calendar.from_ical(text)
            todos = [part for part in calendar.subcomponents if isinstance(part, icalendar.Todo)]
        except (ValueError, KeyError, IndexError, AttributeError) as error:
            msg = "the iCalendar text of an object cannot be read"
            raise UnreadableError(msg) from error
        masters = [todo for todo in todos if "RECURRENCE-ID" not in todo]
        return ToDo(text, masters[0], setting) if masters else None

    @staticmethod
    def new(uid: str, now: datetime, setting: Setting) -> ToDo:
        """An empty to-do."""
        stamp = f"{now:%Y%m%dT%H%M%SZ}"
        inner = f"BEGIN:VTODO\r\nUID:{uid}\r\nDTSTAMP:{stamp}\r\nCREATED:{stamp}\r\nEND:VTODO\r\n"
        text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//sync-workers//EN\r\n{inner}END:VCALENDAR\r\n"
        return ToDo(text, icalendar.Todo(), setting)

    @property
    def archived(self) -> bool:
        return str(self.first(ARCHIVED) or "").upper() == "TRUE"

    @property
    def uid(self) -> str | None:
        return self.text_of("UID")

    @property
    def parent_uid(self) -> str | None:
        """The UID of the to-do that this one belongs under."""
        return next((str(one) for one in self._relations() if _is_parent(one)), None)

    @property
    def modified(self) -> datetime | None:
        """When it was last written, as the program says that did; some keep only one of the two up."""
        stamps = [self._date(name, UTC) for name in ("LAST-MODIFIED", "DTSTAMP")]
        return max((stamp for stamp in stamps if isinstance(stamp, datetime)), default=None)

    def with_properties(self, changes: Changes, now: datetime) -> ToDo:
        """The to-do with other properties, written now, and nothing else changed."""
        stamps = {"LAST-MODIFIED": now, "DTSTAMP": now}
        content: dict[str, list[str]] = {}
        zones: dict[str, str] = {}
        for name, value in (changes | stamps).items():
            content[name] = _content(name, value)
            if isinstance(value, datetime) and isinstance(value.tzinfo, ZoneInfo):
                key = value.tzinfo.key
                if not re.search(rf"^TZID:{re.escape(key)}\s*$", self.text, re.MULTILINE):
                    zones[key] = icalendar.Timezone.from_tzid(key).to_ical().decode()
        text = patch(self.text, content, list(zones.values()))
        patched = ToDo.parse(text, self._setting)
        if patched is None:
            msg = "a patched to-do is none any more"
            raise AssertionError(msg)
        return patched

    def first(self, name: str) -> Any:
        """The property, or the first of several; None where there is none."""
        found = self._todo.get(name)
        return found[0] if isinstance(found, list) else found

    def text_of(self, name: str) -> str | None:
        found = self.first(name)
        return str(found) or None if found is not None else None

    def number(self, name: str) -> int | None:
        found = self.first(name)
        return int(found) if isinstance(found, int) else None

    def when(self, name: str) -> date | None:
        return self._date(name, self._setting.zone)

    def due(self) -> date | None:
        """When it is due: said so, or by its start and duration."""
        start, length = self.when("DTSTART"), getattr(self.first("DURATION"), "dt", None)
        if "DUE" in self._todo or start is None or not isinstance(length, timedelta):
            return self.when("DUE")
        return start + length

    def status(self) -> str | None:
        """In capitals; where none is said, a time of completion says it."""
        said = self.text_of("STATUS")
        return said.upper() if said else (DONE if DONE in self._todo else None)

    def categories(self) -> list[str]:
        found = self._todo.get("CATEGORIES", [])
        groups = found if isinstance(found, list) else [found]
        return list(
            dict.fromkeys(str(one) for group in groups for one in getattr(group, "cats", ()) if str(one))
        )

    def zone_of(self, name: str) -> ZoneInfo:
        """The zone in which the property is written now, else the one to write it in."""
        moment = self.when(name)
        zone = moment.tzinfo if isinstance(moment, datetime) else None
        return zone if isinstance(zone, ZoneInfo) else self._setting.zone

    def completion(self, status: str | None, now: datetime) -> Changes:
        """What goes with a status: a time of completion, and all of it done."""
        done = status == DONE
        changes: Changes = {"STATUS": status, DONE: now if done else None}
        if done and DONE in self._todo:
            del changes[DONE]
        if not self._setting.percent_mapped and (done or self.number("PERCENT-COMPLETE") == _WHOLE):
            changes["PERCENT-COMPLETE"] = _WHOLE if done else None
        return changes

    def under(self, uid: str | None) -> Changes:
        """What puts it under another to-do, or under none; all other relations stay."""
        if uid == self.parent_uid:
            return {}
        relations = self._relations()
        place = next((i for i, one in enumerate(relations) if _is_parent(one)), len(relations))
        put = [] if uid is None else [icalendar.vText(uid, params={"RELTYPE": "PARENT"})]
        return {RELATION: [*relations[:place], *put, *relations[place + 1 :]] or None}

    def put_away(self) -> Changes:
        """What archiving changes: cancelled for every program, and archived for this one."""
        return {"STATUS": CANCELLED, FORMER_STATUS: self.text_of("STATUS"), ARCHIVED: "TRUE"}

    def brought_back(self) -> Changes:
        """What takes that away again; a status that someone gave it meanwhile stays."""
        former = {"STATUS": self.text_of(FORMER_STATUS)} if self.status() == CANCELLED else {}
        return {**former, FORMER_STATUS: None, ARCHIVED: None}

    def _relations(self) -> list[Any]:
        found = self._todo.get(RELATION, [])
        return found if isinstance(found, list) else [found]

    def _date(self, name: str, zone: tzinfo) -> date | None:
        found = getattr(self.first(name), "dt", None)
        if not isinstance(found, datetime):
            return found if isinstance(found, date) else None
        if found.tzinfo is None:
            return found.replace(tzinfo=zone)
        if isinstance(found.tzinfo, ZoneInfo):
            return found
        return found.astimezone(timezone(found.utcoffset() or timedelta(0)))


def _is_parent(relation: Any) -> bool:
    """Whether a relation names a parent: one without a type means that, too."""
    kind = getattr(relation, "params", {}).get("RELTYPE", "PARENT")
    return bool(str(relation)) and str(kind).upper() == "PARENT"


def _content(name: str, value: Any) -> list[str]:
    """The folded content lines of a property."""
    if value is None:
        return []
    scratch = icalendar.Todo()
    scratch.add(name, value)
    lines = [line.to_ical().decode() for line in scratch.content_lines(sorted=False) if line]
    return lines[1:-1]
