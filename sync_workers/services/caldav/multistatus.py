"""The XML of the few WebDAV requests that are needed, and of their answers.

The `caldav` library's own objects are not used for this: they answer a cut or partly failed listing
with what there is, and give hrefs in another spelling than the server's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from xml.sax.saxutils import escape

Element: TypeAlias = Any  # lxml ships no types

DAV = "{DAV:}"
CALDAV = "{urn:ietf:params:xml:ns:caldav}"
_SPACES = 'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"'
_ETAG_AND_TEXT = "<d:prop><d:getetag/><c:calendar-data/></d:prop>"
_UNAVAILABLE = frozenset({401, 403, 404, 410})


class IncompleteError(Exception):
    """An answer that does not say everything that was asked for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a multistatus says about one resource.

    Attributes:
        href: as the server spells it.
        status: of the resource; 200 where only its properties have one.
        properties: those that the server has, by tag.
    """

    href: str
    status: int
    properties: Mapping[str, Element]

    def text(self, tag: str) -> str | None:
        element = self.properties.get(tag)
        return None if element is None else element.text

    def hrefs(self, tag: str) -> list[str]:
        element = self.properties.get(tag)
        return [] if element is None else [href.text for href in element.iter(f"{DAV}href") if href.text]


def answers(tree: Element) -> list[Answer]:
    """All answers of a multistatus.

    Raises:
        IncompleteError: it is none, or the server failed to tell some property.
    """
    if tree is None or tree.tag != f"{DAV}multistatus":
        msg = "the answer is not a multistatus"
        raise IncompleteError(msg)
    return [_answer(response) for response in tree.iterfind(f"{DAV}response")]


def _answer(response: Element) -> Answer:
    properties: dict[str, Element] = {}
    for part in response.iterfind(f"{DAV}propstat"):
        status = _code(part.findtext(f"{DAV}status"))
        if status in _UNAVAILABLE:
            continue
        if not is_success(status):
            msg = f"the server answered {status} for a property"
            raise IncompleteError(msg)
        properties |= {element.tag: element for group in part.iterfind(f"{DAV}prop") for element in group}
    href = (response.findtext(f"{DAV}href") or "").strip()
    return Answer(href, _code(response.findtext(f"{DAV}status")), properties)


def _code(line: str | None) -> int:
    """The number in `HTTP/1.1 404 Not Found`; no line at all says that all is well."""
    if line is None:
        return 200
    words = line.split()
    if len(words) < 2 or not words[1].isdecimal():  # noqa: PLR2004 - the number is the second word
        msg = "a status in the answer cannot be read"
        raise IncompleteError(msg)
    return int(words[1])


def is_success(status: int) -> bool:
    return 200 <= status < 300  # noqa: PLR2004 - as HTTP has it


def properties(*tags: str) -> str:
    """Body of a PROPFIND for these properties."""
    names = "".join(f"<{_short(tag)}/>" for tag in tags)
    return f"<d:propfind {_SPACES}><d:prop>{names}</d:prop></d:propfind>"


def _short(tag: str) -> str:
    return tag.replace(DAV, "d:").replace(CALDAV, "c:")


def all_todos() -> str:
    """Body of a REPORT on all objects that are to-dos, with their text."""
    return _query(_ETAG_AND_TEXT, "")


def todos_with_uid(uid: str) -> str:
    """Body of a REPORT on the to-dos whose UID contains this text."""
    match = f'<c:text-match collation="i;octet">{escape(uid)}</c:text-match>'
    return _query(_ETAG_AND_TEXT, f'<c:prop-filter name="UID">{match}</c:prop-filter>')


def _query(wanted: str, condition: str) -> str:
    todo = f'<c:comp-filter name="VTODO">{condition}</c:comp-filter>'
    rule = f'<c:filter><c:comp-filter name="VCALENDAR">{todo}</c:comp-filter></c:filter>'
    return f"<c:calendar-query {_SPACES}>{wanted}{rule}</c:calendar-query>"


def objects_at(hrefs: Iterable[str]) -> str:
    """Body of a REPORT on these objects, with their text."""
    wanted = "".join(f"<d:href>{escape(href)}</d:href>" for href in hrefs)
    return f"<c:calendar-multiget {_SPACES}>{_ETAG_AND_TEXT}{wanted}</c:calendar-multiget>"


def changes_since(token: str) -> str:
    """Body of a REPORT on what changed since that token."""
    return (
        f"<d:sync-collection {_SPACES}><d:sync-token>{escape(token)}</d:sync-token>"
        "<d:sync-level>1</d:sync-level><d:prop><d:getetag/></d:prop></d:sync-collection>"
    )
