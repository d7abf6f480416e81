"""What can be mapped of a page beside its properties: body, icon, parent, link, comments.

They are mapped by these names like properties; a property of the same name wins, and with `page:` before
the name it always is the page's own.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sync_workers.errors import RejectedError
from sync_workers.services.base import Field, Kind

PREFIX = "page:"
LONGEST_EMOJI = 32
"""Characters: families and flags are made of many."""


class PagePart(StrEnum):
    """The parts of a page that can be mapped."""

    CONTENT = "content"
    ICON = "icon"
    PARENT = "parent"
    URL = "url"
    COMMENTS = "comments"


_WRITABLE = frozenset({PagePart.CONTENT, PagePart.ICON})
_ASKED_FOR = frozenset({PagePart.CONTENT, PagePart.COMMENTS})
"""What costs a call for each page."""


@dataclass(frozen=True, slots=True)
class PageField:
    """A part of a page under the name that the task file gives it."""

    name: str
    part: PagePart

    @property
    def id(self) -> str:
        return f"{PREFIX}{self.part}"

    @property
    def writable(self) -> bool:
        return self.part in _WRITABLE

    @property
    def field(self) -> Field:
        is_markdown = self.part is PagePart.CONTENT
        return Field(self.name, Kind.TEXT, id=self.id, writable=self.writable, markdown=is_markdown)


def page_field(name: str, properties: Container[str], ids: Mapping[str, str]) -> PageField | None:
    """The page field of that name; None where it is a property's, or nothing's.

    What it was when the task ran last it stays, whatever properties came and went since: a property's text
    must never be taken for a body, nor a body for it.
    """
    bare = name.removeprefix(PREFIX)
    if bare not in set(PagePart):
        return None
    is_short = bare == name
    known = ids.get(name)
    if is_short and (name in properties if known is None else not known.startswith(PREFIX)):
        return None
    return PageField(name, PagePart(bare))


def page_fields(
    properties: Container[str], mapped: Iterable[str], ids: Mapping[str, str]
) -> dict[str, Field]:
    """Those that can be mapped; by the long name where a property has the short one, or that is mapped."""
    names = [f"{PREFIX}{part}" if part in properties else str(part) for part in PagePart]
    names += [name for name in mapped if name not in names]
    found = (page_field(name, properties, ids) for name in names)
    return {one.name: one.field for one in found if one is not None}


def shown_on(page: Mapping[str, Any], part: PagePart) -> str | None:
    """What a page itself shows; of what has to be asked for, nothing."""
    if part is PagePart.ICON:
        return icon_text(page.get("icon"))
    if part is PagePart.PARENT:
        parent = page.get("parent") or {}
        above = parent.get(parent.get("type"))
        return above if isinstance(above, str) else None
    return page.get("url") if part is PagePart.URL else None


def icon_text(icon: Mapping[str, Any] | None) -> str | None:
    """The emoji, the link, the name of a custom emoji or of one of Notion's icons, or a file's link.

    Links to uploaded files are signed anew for each answer; here they are without that part.
    """
    if icon is None:
        return None
    inside = icon[icon["type"]]
    if icon["type"] == "emoji":
        return str(inside)
    if icon["type"] in {"custom_emoji", "icon"}:
        return f":{inside['name']}:"
    return str(inside["url"]).partition("?")[0] if icon["type"] == "file" else str(inside["url"])


ICON_FIXED = "it is one of Notion's own or an uploaded picture: change it in Notion"


def is_fixed(icon: Mapping[str, Any] | None) -> bool:
    """Whether it is one that only Notion could give back."""
    return icon is not None and icon["type"] not in {"emoji", "external"}


def icon_of(value: Any, shown: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """What a request says for an icon.

    Args:
        value: an emoji or a link; unset takes the icon away.
        shown: the icon that is there.

    Raises:
        RejectedError: it is neither, or it would take away what only Notion can give back.
    """
    if is_fixed(shown):
        msg = f"the icon of the page is never overwritten, because {ICON_FIXED}"
        raise RejectedError(msg)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        msg = f"an icon takes text, not a value of type {type(value).__name__}"
        raise RejectedError(msg)
    if value.startswith(("https://", "http://")):
        return {"type": "external", "external": {"url": value}}
    if value.isascii() or len(value) > LONGEST_EMOJI:
        msg = "an icon takes an emoji or a link that begins with https://"
        raise RejectedError(msg)
    return {"type": "emoji", "emoji": value}


def joined(comments: Sequence[Mapping[str, Any]]) -> str | None:
    """Comments as Markdown: a line for each with its author and time, oldest first."""
    lines = []
    for comment in comments:
        author = (comment.get("display_name") or {}).get("resolved_name") or comment["created_by"]["id"]
        said = "".join(item["plain_text"] for item in comment["rich_text"]).replace("\n", "\n  ")
        when = comment["created_time"][:16].replace("T", " ")
        lines.append(f"- **{author}**, {when} UTC: {said}")
    return "\n".join(lines) or None


def asks(fields: Iterable[PageField], part: PagePart) -> bool:
    """Whether a part that costs a call is among them."""
    return part in _ASKED_FOR and any(one.part is part for one in fields)
