"""Whether Notion shows a page to the connection at all, wherever it is.

A relation leaves out pages that are not shared, without a word. So that one names fewer pages than before
proves only something where the missing ones are shown when they are asked for by id.
"""

from __future__ import annotations

from sync_workers.errors import RejectedError
from sync_workers.model import ID
from sync_workers.services.notion.client import Api
from sync_workers.services.notion.errors import NotShownError

TITLE = "title"
"""The id of every title: the least that can be asked of a page."""


def is_revealed(api: Api, page_id: ID) -> bool:
    """Whether a relation that named the page would surely show it.

    One in the trash is left out as well, but a person put it there: that counts as taking it away. What
    Notion does with an archived page is not documented, so nothing is concluded from it.
    """
    try:
        page = api.get_page(page_id, [TITLE])
    except (NotShownError, RejectedError):
        return False
    return bool(page.get("in_trash")) or not page.get("is_archived")
