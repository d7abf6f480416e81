"""From what a page shows under a property's type to the canonical value."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sync_workers.values import DateRange

Shown = Mapping[str, Any]


def plain(shown: Any) -> Any:
    """Numbers and lines of text stand as they are; an empty line is unset."""
    return None if shown == "" else shown


def text(shown: Sequence[Shown]) -> str | None:
    """The plain text of a title or rich text; formatting and mentions are not part of it."""
    return "".join(item["plain_text"] for item in shown) or None


def option(shown: Shown | None) -> str | None:
    return None if shown is None else str(shown["name"])


def options(shown: Sequence[Shown]) -> list[str]:
    return [str(item["name"]) for item in shown]


def ids(shown: Sequence[Shown]) -> list[str]:
    return [str(item["id"]) for item in shown]


def one_id(shown: Shown) -> list[str]:
    return ids([shown])


def unique_id(shown: Shown) -> str | None:
    """As Notion prints it: `TASK-12`, or `12` without a prefix."""
    if shown["number"] is None:
        return None
    return f"{shown['prefix']}-{shown['number']}" if shown["prefix"] else str(shown["number"])


VERIFICATION = ("verified", "unverified", "expired")


def verification(shown: Shown | None) -> str:
    """The state; a page that nobody ever verified is as one whose verification was taken away."""
    return "unverified" if shown is None else str(shown["state"])


def place(shown: Shown | None) -> str | None:
    """Its name and address, or where it is."""
    if shown is None:
        return None
    told = [str(part) for part in (shown.get("name"), shown.get("address")) if part]
    return ", ".join(told) or f"{shown['lat']}, {shown['lon']}"


def date(shown: Shown | None) -> dt.date | dt.datetime | DateRange | None:
    if shown is None:
        return None
    zone = shown.get("time_zone")
    start = moment(shown["start"], zone)
    return start if shown["end"] is None else DateRange(start, moment(shown["end"], zone))


def moment(shown: str, zone: str | None = None) -> dt.date | dt.datetime:
    """A day, or an aware moment: one that is shown without an offset is in `zone`, else in UTC."""
    if "T" not in shown:
        return dt.date.fromisoformat(shown)
    read = dt.datetime.fromisoformat(shown)
    return read if read.tzinfo is not None else read.replace(tzinfo=ZoneInfo(zone or "UTC"))
