"""The body of a page as Markdown: what of it can be a value, whether it can be written, and how. Pure.

Documented (developers.notion.com/guides/data-apis/working-with-markdown-content): blocks that Markdown has
no form for, and those beyond some 20,000 or not shared, show as `<unknown url="..."/>`; links to uploaded
files are signed anew for each answer. Measured there by others, in 2026: a write keeps the blocks that it
leaves as they are, ids and comments and all; a link to an uploaded file that is written back is emptied.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from sync_workers.errors import RejectedError
from sync_workers.markdown import lines_of, normal, normal_lines

_SIGNED = re.compile(
    r"(https://[^\s?<>\"')]+)\?[^\s<>\"')]*(?:X-Amz-Signature|X-Amz-Expires|expirationTimestamp|signature)=[^\s<>\"')]*"
)
_HOSTED = re.compile(r"https://(?:prod-files-secure\.s3|file\.notion\.so|s3[\w.-]*\.amazonaws\.com/secure)")
_KEPT = re.compile(r'(?<!\\)<(page|database)\b[^>]*?url="([^"]+)"')
_OWN = re.compile(r"(?<!\\)</?(unknown|synced_block|synced_block_reference|meeting-notes|transcript)\b")


@dataclass(frozen=True, slots=True)
class Body:
    """What stands on one page.

    Attributes:
        shown: exactly as Notion showed it.
        fixed: why it must not be written, as the end of a sentence; empty when it may be.
    """

    shown: str
    fixed: str = ""

    @property
    def value(self) -> str | None:
        """What other services get: links to uploaded files without the part that ends after an hour."""
        return _SIGNED.sub(r"\1", self.shown).strip("\n") or None


def read(answer: Mapping[str, Any]) -> Body:
    """The body in an answer of the Markdown endpoint."""
    shown = str(answer["markdown"])
    return Body(shown, _fixed(shown, whole=not (answer.get("truncated") or answer.get("unknown_block_ids"))))


def _fixed(shown: str, *, whole: bool) -> str:
    if not whole:
        return "Notion does not show all of it: it is too long, or parts of it are not shared"
    if found := _OWN.search(shown):
        what = "blocks that have no form in Markdown" if found[1] == "unknown" else f"{found[1]} blocks"
        return f"it holds {what} (a bookmark, an embed, a synced block and the like)"
    if _SIGNED.search(shown) or _HOSTED.search(shown):
        return "it holds uploaded files, which Notion does not take back"
    return ""


def text_of(value: Any) -> str:
    """The text of a value.

    Raises:
        RejectedError: it is none that a body can be.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        msg = f"the body of a page takes text, not a value of type {type(value).__name__}"
        raise RejectedError(msg)
    try:
        value.encode()
    except UnicodeEncodeError:
        msg = "the body of a page takes no text with half a character in it (a lone surrogate)"
        raise RejectedError(msg) from None  # the cause would show the text
    if _OWN.search(value):
        msg = (
            "the body of the page would hold tags of Notion's own (unknown, synced_block, meeting-notes), "
            "which cannot be written: take them out of the text"
        )
        raise RejectedError(msg)
    return value


def for_create(value: Any) -> str:
    """What a new page begins with.

    Raises:
        RejectedError: the text would move pages that stand elsewhere onto the new one.
    """
    text = text_of(value)
    if _KEPT.search(text):
        msg = "the body of a new page cannot hold other pages and databases: take their tags out of the text"
        raise RejectedError(msg)
    return text


def says(body: Body, value: Any) -> bool:
    """Whether a body says just that already, perhaps in Notion's own form."""
    return normal(body.value or "") == normal(str(value or ""))


def change(page_id: str, body: Body, value: Any) -> dict[str, Any]:
    """The smallest request that makes a body say something else.

    Raises:
        RejectedError: it would destroy what Markdown cannot say.
    """
    text = text_of(value)
    if body.fixed:
        msg = (
            f"the body of page {page_id} is not written, because {body.fixed}. Edit it in Notion, or map it "
            "with direction 'to_other'"
        )
        raise RejectedError(msg)
    if sorted(_KEPT.findall(body.shown)) != sorted(_KEPT.findall(text)):
        msg = (
            f"the body of page {page_id} is not written, because the pages and databases that stand on it "
            "would be moved or deleted: leave their <page> and <database> tags in the text as they are"
        )
        raise RejectedError(msg)
    if not body.shown.strip():
        # What a person begins to write there meanwhile stays.
        return {"type": "insert_content", "insert_content": {"content": text, "position": {"type": "end"}}}
    before = body.shown.split("\n")
    after = _kept_lines(before, lines_of(text))
    # Notion shows no empty lines; where it does, lines cannot be told apart as they are here.
    is_plain = lines_of(body.shown) == before
    old, new = _part(body.shown, before, after) if is_plain else (body.shown, "\n".join(after))
    updates = [{"old_str": old, "new_str": new}]
    return {"type": "update_content", "update_content": {"content_updates": updates}}


def whole(body: Body, text: str) -> dict[str, Any]:
    """The request that replaces all of it; what stays as it is keeps its blocks all the same."""
    after = _kept_lines(body.shown.split("\n"), lines_of(text))
    return {"type": "replace_content", "replace_content": {"new_str": "\n".join(after)}}


def _kept_lines(before: list[str], after: list[str]) -> list[str]:
    """The wanted lines; those that mean what stands there already are as they stand there."""
    old, new = normal_lines(before), normal_lines(after)
    kept: list[str] = []
    for what, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        kept += before[i1:i2] if what == "equal" else after[j1:j2]
    return kept


def _part(shown: str, before: list[str], after: list[str]) -> tuple[str, str]:
    """What to look for and what to put in its place.

    Notion looks for the text that is to be replaced and refuses to go on where it does not find it, so that
    what a person changes there meanwhile is not overwritten, and what they change elsewhere stays.
    """
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    last, new_last = len(before) - end, len(after) - end
    # One line more on each side, and more of them until the text stands there only once.
    while start > 0 or last < len(before):
        start, last, new_last = _wider(start, last, new_last, before)
        old = "\n".join(before[start:last])
        if old.strip() and _stands_once(shown, old):
            return old, "\n".join(after[start:new_last])
    return shown, "\n".join(after)


def _stands_once(shown: str, old: str) -> bool:
    """Also where two places overlap: in `a, a, a` there are two of `a, a`."""
    first = shown.find(old)
    return first >= 0 and shown.find(old, first + 1) < 0


def _wider(start: int, last: int, new_last: int, before: list[str]) -> tuple[int, int, int]:
    grows = last < len(before)
    return max(start - 1, 0), last + grows, new_last + grows
