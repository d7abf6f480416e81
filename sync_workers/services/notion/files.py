"""Files of a property: links to elsewhere by their address, uploaded ones by their name. Pure.

The address of an uploaded file is signed and ends after an hour, so it says nothing about which file it is.
Notion keeps an uploaded file that a write hands back to it, and forgets one that it does not: see
developers.notion.com/reference/page-property-values, "Files".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from sync_workers.services.notion import inputs
from sync_workers.services.notion.inputs import RefusedValueError

LONGEST_NAME = 100
LONGEST_LINK = 2000

Shown = Mapping[str, Any]


def read(shown: Sequence[Shown]) -> list[str]:
    return [_value(item) for item in shown]


def write(value: Any) -> list[dict[str, Any]]:
    return rewrite(value, ())


def rewrite(value: Any, shown: Sequence[Shown]) -> list[dict[str, Any]]:
    """The files of a value, and every uploaded one that the page has.

    One that the value does not name stays, too: once Notion forgets it, nobody can bring it back.

    Raises:
        RefusedValueError: the value names a file that is neither there nor a link.
    """
    present = [_given_back(item) for item in shown]
    left = list(present)
    written = []
    for told in map(inputs.text, inputs.items(value)):
        found = next((item for item in left if _value(item) == told), None)
        if found is not None:
            left.remove(found)
        written.append(found or _linked(told))
    # In front, as the oldest: what is linked elsewhere now stands behind it.
    written = [item for item in left if "file" in item] + written
    if len(written) > inputs.MOST_ITEMS:
        msg = f"takes at most {inputs.MOST_ITEMS} files"
        raise RefusedValueError(msg)
    return written


def _value(item: Shown) -> str:
    return str(item["external"]["url"] if "external" in item else item["name"])


def _given_back(item: Shown) -> dict[str, Any]:
    kind = "external" if "external" in item else "file"
    return {"name": item["name"], "type": kind, kind: {"url": item[kind]["url"]}}


def _linked(told: str) -> dict[str, Any]:
    parts = urlsplit(told)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        msg = "takes links (https://...) and names of files that are on the page: upload the file in Notion"
        raise RefusedValueError(msg)
    if len(told) > LONGEST_LINK:
        msg = f"takes links of at most {LONGEST_LINK} characters"
        raise RefusedValueError(msg)
    name = unquote(parts.path.rstrip("/").rpartition("/")[2]) or parts.netloc
    return {"name": name[:LONGEST_NAME], "type": "external", "external": {"url": told}}
