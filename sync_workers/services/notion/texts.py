"""Titles and texts by their plain text: what a request says for one, and what of a page it leaves alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sync_workers.services.notion import inputs
from sync_workers.services.notion.rewriting import plain, rewritten
from sync_workers.services.notion.rich_text import Item, Piece, items_of, joined, pieces_of


def write(value: Any) -> list[dict[str, Any]]:
    return items_of([Piece(inputs.text(value))])


def rewrite(value: Any, shown: Sequence[Item]) -> list[dict[str, Any]]:
    """With the formatting, links, mentions and equations of all that the value does not change."""
    present = pieces_of(shown)
    return items_of(rewritten(present, joined([Piece(inputs.text(value))]), plain(present)))
