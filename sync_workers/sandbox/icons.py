"""Icons, covers and files: from what a client writes to what Notion shows."""

from __future__ import annotations

from typing import Any

from sync_workers.sandbox.checks import check_object, check_text
from sync_workers.sandbox.errors import failed
from sync_workers.sandbox.nouns import Json

HOSTED = "https://prod-files-secure.s3.us-west-2.amazonaws.com/"
"""Where Notion's links to uploaded files begin; they are signed anew whenever they are shown."""

_COLORS = frozenset(
    {"gray", "lightgray", "brown", "yellow", "orange", "green", "blue", "purple", "pink", "red"}
)


def check_icon(written: Any, path: str) -> Json | None:
    """The icon of a page or block; None takes it away."""
    if written is None:
        return None
    given = check_object(written, path)
    kind = _kind(given, ("emoji", "icon", "custom_emoji", "external", "file_upload"), path)
    if kind == "emoji":
        return {"type": kind, kind: _emoji(given[kind], f"{path}.emoji")}
    if kind == "icon":
        return {"type": kind, kind: _native(check_object(given[kind], f"{path}.icon"), f"{path}.icon")}
    if kind == "custom_emoji":
        inside = check_object(given[kind], f"{path}.custom_emoji")
        custom = check_text(inside.get("id"), f"{path}.custom_emoji.id")
        name = str(inside.get("name") or "custom")
        return {"type": kind, kind: {"id": custom, "name": name, "url": f"{HOSTED}{custom}.png"}}
    return check_file(given, path)


def icon_text(icon: Json | None) -> str:
    """For a person: the emoji itself, else its name or where the picture is."""
    if icon is None:
        return ""
    inside = icon[icon["type"]]
    return str(inside if isinstance(inside, str) else inside.get("name") or inside["url"])


def check_cover(written: Any, path: str) -> Json | None:
    return None if written is None else check_file(check_object(written, path), path)


def looks(body: Json) -> Json:
    """The icon and the cover that a client sets, checked; without those that it leaves alone."""
    checks = {"icon": check_icon, "cover": check_cover}
    return {key: check(body[key], key) for key, check in checks.items() if key in body}


def check_file(given: Json, path: str) -> Json:
    """An external link, or a file that was uploaded."""
    kind = _kind(given, ("external", "file_upload"), path)
    inside = check_object(given[kind], f"{path}.{kind}")
    if kind == "external":
        return {"type": kind, kind: {"url": check_text(inside.get("url"), f"{path}.external.url", 2000)}}
    upload = check_text(inside.get("id"), f"{path}.file_upload.id")
    return {"type": "file", "file": {"url": f"{HOSTED}{upload}", "expiry_time": "2999-01-01T00:00:00.000Z"}}


def _kind(given: Json, known: tuple[str, ...], path: str) -> str:
    kind = given.get("type") or next((key for key in known if key in given), None)
    if kind not in known or kind not in given:
        raise failed(f"{path}.type", " or ".join(f'"{one}"' for one in known), given.get("type"))
    return str(kind)


def _emoji(value: Any, path: str) -> str:
    text = check_text(value, path)
    # Notion has a list of all emojis; one that begins with a letter or mark of ASCII is not on it, except
    # the keycaps, such as 1 with its frame.
    if not text or (text.isascii()):
        raise failed(path, "an emoji", f'"{text}"')
    return text


def _native(inside: Json, path: str) -> Json:
    color = inside.get("color", "gray")
    if color not in _COLORS:
        raise failed(f"{path}.color", "a color of icons", color)
    return {"name": check_text(inside.get("name"), f"{path}.name"), "color": color}
