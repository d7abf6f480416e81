"""Reads what a page shows only when it is asked for it: its body and its comments. A call each.

Bodies are taken from what is known of earlier runs where the page surely is what it was. Notion tells times
of change by the minute, so a body that was read within the minute of a change, or soon after it, may have
missed another one of that minute: it is read again. Notion's own clock decides, by the time of an answer
that came before the body was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sync_workers.model import Record
from sync_workers.services.notion import bodies
from sync_workers.services.notion.bodies import Body
from sync_workers.services.notion.client import Api
from sync_workers.services.notion.page_fields import (
    ICON_FIXED,
    PageField,
    PagePart,
    is_fixed,
    joined,
    shown_on,
)

SETTLED_AFTER = timedelta(seconds=90)
"""After the beginning of a page's last minute: that minute, and half of one for clocks that differ."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What a page shows beside its properties.

    Attributes:
        fields: the values of the page fields.
        fixed: those that must not be written on this page, with the reason.
        version: equal ones mean that nothing a person writes has changed; None that nobody can tell.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    fixed: Mapping[str, str] = field(default_factory=dict)
    version: str | None = None


class PageReader:
    """For the page fields that a task maps."""

    def __init__(self, api: Api, fields: Sequence[PageField]) -> None:
        self._api = api
        self._fields = fields
        self.content = next((one.name for one in fields if one.part is PagePart.CONTENT), None)

    def read(self, page: Mapping[str, Any], known: Record | None, body: Body | None) -> Beside:
        """The page fields.

        Args:
            page: as Notion shows it.
            known: the record as it was in an earlier run.
            body: what stands on it, where that was read just now.
        """
        found: dict[str, Any] = {}
        fixed: dict[str, str] = {}
        version: str | None = None
        for one in self._fields:
            if one.part is PagePart.CONTENT:
                found[one.name], fixed[one.name], version = self._content(page, one.name, known, body)
            elif one.part is PagePart.COMMENTS and body is not None and known is not None:
                found[one.name] = known.fields.get(one.name)  # around a write nobody looks at them
            elif one.part is PagePart.COMMENTS:
                found[one.name] = joined(self._api.comments(page["id"]))
            else:
                found[one.name] = shown_on(page, one.part)
                fixed[one.name] = (
                    ICON_FIXED if one.part is PagePart.ICON and is_fixed(page.get("icon")) else ""
                )
        return Beside(found, {name: why for name, why in fixed.items() if why}, version)

    def body(self, page_id: str) -> Body:
        return bodies.read(self._api.get_markdown(page_id))

    def _content(
        self, page: Mapping[str, Any], name: str, known: Record | None, body: Body | None
    ) -> tuple[str | None, str, str | None]:
        edited = page["last_edited_time"]
        if body is not None:
            return body.value, body.fixed, None
        if known is not None and known.version == edited and name in known.fields:
            return known.fields[name], known.about.fixed.get(name, ""), edited
        seen = self._api.answered
        is_over = seen is not None and seen >= datetime.fromisoformat(edited) + SETTLED_AFTER
        body = self.body(page["id"])
        return body.value, body.fixed, edited if is_over else None
