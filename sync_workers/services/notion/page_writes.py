"""Writes what a page has beside its properties: its icon with them, its body in a request of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sync_workers.errors import RejectedError, SyncError
from sync_workers.model import Fields
from sync_workers.services.notion import bodies
from sync_workers.services.notion.bodies import Body
from sync_workers.services.notion.choice import Choice
from sync_workers.services.notion.client import Api
from sync_workers.services.notion.errors import NotShownError, SavedError
from sync_workers.services.notion.page_fields import PagePart, icon_of


def looks(chosen: Choice, fields: Fields, page: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The icon for a request about a page, if it is to be written; the page as it is, where there is one.

    Raises:
        RejectedError: Notion would not take a value, or a field is not to be written at all.
    """
    said: dict[str, Any] = {}
    for one in chosen.page:
        if one.name not in fields:
            continue
        if not one.writable:
            msg = f"{one.name!r} of a page cannot be written: map it with direction 'to_other'"
            raise RejectedError(msg)
        with _naming(one.name):
            if one.part is PagePart.ICON:
                said["icon"] = icon_of(fields[one.name], page.get("icon") if page is not None else None)
            else:
                bodies.text_of(fields[one.name])
    return said


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Where a value is refused before anything is sent: say of which field."""
    try:
        yield
    except RejectedError as error:
        raise RejectedError(str(error), fields=(name,)) from error


def new_page(chosen: Choice, fields: Fields) -> dict[str, Any]:
    """What a request for a new page says beside its properties; its body comes with it, in one call."""
    said = looks(chosen, fields)
    for one in chosen.page:
        if one.part is PagePart.CONTENT and (text := bodies.for_create(fields.get(one.name))):
            said["markdown"] = text
    return said


def write_body(api: Api, page_id: str, body: Body, value: Any, expect: Callable[[], object]) -> Body:
    """Write a body and return it as Notion shows it then.

    Args:
        body: as it was just before.
        expect: looks at the page once more and raises MovedError where it is not what the plan was made from.

    Raises:
        MovedError: a person changed it meanwhile.
        RejectedError: it is never written, or Notion refuses it.
        UnknownOutcomeError: the reply was lost.
    """
    request = bodies.change(page_id, body, value)
    try:
        return _send(api, page_id, request, value)
    except (NotShownError, RejectedError):
        expect()
        if request["type"] == "replace_content":
            raise
        # Nobody changed it, so Notion's search and ours differ: the whole text says the same.
        return _send(api, page_id, bodies.whole(body, bodies.text_of(value)), value)


def _send(api: Api, page_id: str, request: Mapping[str, Any], value: Any) -> Body:
    try:
        return bodies.read(api.change_markdown(page_id, request))
    except SavedError as saved:
        try:
            with api.patiently():
                now = bodies.read(api.get_markdown(page_id))
        except SyncError as error:
            raise saved from error
        if not bodies.says(now, value):
            raise
        return now
