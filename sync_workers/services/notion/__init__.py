"""The Notion service: one data source over Notion's API, version 2026-03-11.

settings.py     what stands in the task file, ids taken from links
service.py      the contract: fetch, read, and every write
source.py       the data source: where it is, which properties it has
schema.py       the properties of the data source as the task knows them
bound.py        which property each name of the task file means
choice.py       which of its properties the task maps, and which are the sync's own
hidden.py       whether Notion shows a page at all, wherever it is
listing.py      all rows of a data source, through pages and past the 10,000-row limit
new_options.py  adds an option to a status
pages.py        a page of Notion as a record
properties.py   one column of the data source, its values read and written
codecs.py       property values to canonical values and back, by property type
rewriting.py    a rich text with another text, and its formatting where nothing changed
markdown_in.py  inline Markdown as rich text; markdown_out.py the other way
people.py       people by e-mail address or name
rows.py         single pages, before and after a write
page_fields.py  what else can be mapped of a page: body, icon, parent, link, comments
page_reader.py  reads bodies and comments, and only those that may have changed
page_writes.py  writes icons and bodies
bodies.py       a body as Markdown, and the smallest change of it
client.py       one request by notion-client
events.py       what webhook events say
errors.py       what went wrong, in the words of the project
"""

from __future__ import annotations

from sync_workers.services import ServiceKind
from sync_workers.services.base import Mapped, Service
from sync_workers.services.budget import Budget
from sync_workers.services.notion.settings import NotionConnection, NotionContainer


def _connect(
    connection: NotionConnection, container: NotionContainer, mapped: Mapped, budget: Budget | None = None
) -> Service:
    from sync_workers.services.notion.service import NotionService

    return NotionService(connection, container, mapped, budget)


KIND = ServiceKind(NotionConnection, NotionContainer, _connect)
