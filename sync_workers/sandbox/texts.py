"""Rich texts and dates: from what a client writes to what Notion shows."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sync_workers.sandbox.checks import check_list, check_object, check_text, part_of
from sync_workers.sandbox.errors import failed, invalid
from sync_workers.sandbox.nouns import Json

TEXT_LIMIT = 2000

MENTIONS = ("user", "date", "page", "database", "template_mention", "custom_emoji")
"""What a client may mention; links with a preview are made by people only."""

_PLAIN = {
    "bold": False,
    "italic": False,
    "strikethrough": False,
    "underline": False,
    "code": False,
    "color": "default",
}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def plain_text(rich: list[Json]) -> str:
    return "".join(item["plain_text"] for item in rich)


def rich_text(text: str) -> list[Json]:
    """Plain text as a client writes it: at most 2000 characters an item."""
    return [{"text": {"content": text[i : i + TEXT_LIMIT]}} for i in range(0, len(text), TEXT_LIMIT)]


def show_rich_text(
    written: Any, path: str, mentioned: Callable[[Json], str | None] = lambda _: None
) -> list[Json]:
    """The list of rich text objects that Notion answers with; empty items vanish.

    `mentioned` says how a mention reads.
    """
    items = check_list(written, path)
    shown = [_show_item(item, f"{path}[{place}]", mentioned) for place, item in enumerate(items)]
    return [item for item in shown if item["plain_text"]]


def _show_item(item: Any, path: str, mentioned: Callable[[Json], str | None]) -> Json:
    item = check_object(item, path)
    kind = item.get("type") or next((k for k in ("text", "mention", "equation") if k in item), None)
    if kind not in {"text", "mention", "equation"} or not isinstance(item.get(kind), dict):
        raise failed(f"{path}.text", "defined", "undefined")
    href = None
    content: Json = dict(item[kind])
    if kind == "text":
        plain = check_text(content.get("content"), f"{path}.text.content", TEXT_LIMIT)
        link = part_of(content, "link", f"{path}.text.") or None
        href = check_text(link.get("url"), f"{path}.text.link.url") if link else None
        content = {"content": plain, "link": link}
    elif kind == "equation":
        plain = check_text(content.get("expression"), f"{path}.equation.expression", 1000)
    else:
        kind_of = next((k for k in MENTIONS if k in content), None)
        if kind_of is None:
            raise failed(f"{path}.mention.user", "defined", "undefined")
        content = {"type": kind_of, **content}
        plain = str(mentioned(content) or item.get("plain_text") or "@mention")
    annotations = {**_PLAIN, **part_of(item, "annotations", f"{path}.")}
    return {"type": kind, kind: content, "annotations": annotations, "plain_text": plain, "href": href}


def show_time(moment: datetime) -> str:
    """Times of change are floored to the minute and given in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:00.000Z")


def minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def read_moment(text: Any, path: str, zone: ZoneInfo | None = None) -> date | datetime:
    """A day, or a moment that knows its offset; without one it is in the zone, else in UTC."""
    if not isinstance(text, str):
        raise failed(path, "a valid ISO 8601 date string", text)
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise failed(path, "a valid ISO 8601 date string", f'"{text}"') from None
    if zone is not None and moment.tzinfo is not None:
        raise invalid(f"{path} should have no UTC offset when time_zone is given.")
    return moment if moment.tzinfo else moment.replace(tzinfo=zone or UTC)


def show_date(written: Any, path: str) -> Json | None:
    """A date value as Notion keeps it: cut to the minute, the zone folded into the offset."""
    if written is None:
        return None
    if not isinstance(written, dict) or "start" not in written:
        raise failed(f"{path}.start", "defined", "undefined")
    zone = _zone(written.get("time_zone"), f"{path}.time_zone")
    start = read_moment(written["start"], f"{path}.start", zone)
    end = None if written.get("end") is None else read_moment(written["end"], f"{path}.end", zone)
    if end is not None:
        if isinstance(start, datetime) is not isinstance(end, datetime):
            raise invalid(f"{path}: start and end must both have a time, or neither.")
        if end < start:
            raise invalid(f"{path}: the end must not be before the start.")
    return {"start": _show_moment(start), "end": end and _show_moment(end), "time_zone": None}


def _zone(name: Any, path: str) -> ZoneInfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError):
        raise failed(path, "a valid IANA time zone", name) from None


def _show_moment(moment: date | datetime) -> str:
    if not isinstance(moment, datetime):
        return moment.isoformat()
    # The clean minute of isoformat, with the three digits that Notion always writes.
    return minute(moment).isoformat(timespec="milliseconds")
