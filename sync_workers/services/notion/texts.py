"""Titles and texts, plain or as Markdown: what a request says for one, and what of a page it leaves alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sync_workers.services.notion import inputs
from sync_workers.services.notion.markdown_in import parsed
from sync_workers.services.notion.markdown_out import rendered
from sync_workers.services.notion.rewriting import from_markdown, plain, rewritten
from sync_workers.services.notion.rich_text import Item, Piece, items_of, joined, pieces_of


def write(value: Any) -> list[dict[str, Any]]:
    return items_of([Piece(inputs.text(value))])


def rewrite(value: Any, shown: Sequence[Item]) -> list[dict[str, Any]]:
    """With the formatting, links, mentions and equations of all that the value does not change."""
    present = pieces_of(shown)
    return items_of(rewritten(present, joined([Piece(inputs.text(value))]), plain(present)))


def read_markdown(shown: Sequence[Item]) -> str | None:
    return rendered(pieces_of(shown)) or None


def write_markdown(value: Any) -> list[dict[str, Any]]:
    return items_of(parsed(inputs.text(value)))


def rewrite_markdown(value: Any, shown: Sequence[Item]) -> list[dict[str, Any]]:
    """With underline, colours and whatever else Markdown does not say, where the value changes nothing."""
    present = pieces_of(shown)
    return items_of(rewritten(present, parsed(inputs.text(value)), parsed(rendered(present)), from_markdown))
