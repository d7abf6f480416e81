r"""Rich text as Notion's Markdown, and back.

As documented (developers.notion.com/guides/data-apis/enhanced-markdown): a line break inside a block is
`<br>`, and outside of code `\ * ~ ` $ [ ] < > { } | ^` are escaped with a backslash.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sync_workers.sandbox.nouns import Json
from sync_workers.sandbox.texts import TEXT_LIMIT

_ESCAPED = re.compile(r"([\\*~`$\[\]<>{}|^])")
_TOKEN = re.compile(
    r"(?P<escape>\\(?P<escaped>[!-/:-@\[-`{-~]))"
    r"|(?P<br><br\s*/?>)"
    r"|`(?P<code>[^`\n]+)`"
    r"|\$\$(?P<display>[^$\n]+)\$\$"
    r"|(?<![\w$])\$(?P<math>[^\s$](?:[^$\n]*[^\s$])?)\$(?![\w$])"
    r"|\*\*\*(?P<both>\S.*?)\*\*\*|\*\*(?P<bold>\S.*?)\*\*(?!\*)|__(?P<bold2>\S.*?)__"
    r"|~~(?P<strike>\S.*?)~~|\*(?P<italic>[^\s*].*?)\*(?!\*)|(?<!\w)_(?P<italic2>[^\s_].*?)_(?!\w)"
    r'|<span underline="true">(?P<underline>.*?)</span>'
    r'|<span color="(?P<color>\w+)">(?P<colored>.*?)</span>'
    r"|\[(?P<label>(?:\\.|[^\]\\])*)\]\((?P<url>[^)\s]+)\)"
    r'|<mention-(?P<who>user|page|date) (?:url|start)="(?P<target>[^"]+)"'
    r"(?:/>|>(?P<name>[^<]*)</mention-\w+>)"
    r"|(?P<bare>https?://[^\s<>)\]]+)"
)
_STYLES: Mapping[str, tuple[str, ...]] = {
    "both": ("bold", "italic"),
    "bold": ("bold",),
    "bold2": ("bold",),
    "strike": ("strikethrough",),
    "italic": ("italic",),
    "italic2": ("italic",),
    "underline": ("underline",),
}
_MARKS = (("italic", "*"), ("bold", "**"), ("strikethrough", "~~"))


def render(rich: list[Json]) -> str:
    return "".join(map(_render_item, _joined(rich)))


def _joined(rich: list[Json]) -> Iterator[Json]:
    """Neighbours of the same form are one, as in Notion."""
    last: Json | None = None
    for item in rich:
        if last is not None and item["type"] == last["type"] == "text" and _form(item) == _form(last):
            last = {**last, "plain_text": last["plain_text"] + item["plain_text"]}
            continue
        if last is not None:
            yield last
        last = item
    if last is not None:
        yield last


def _form(item: Json) -> tuple[Any, Any]:
    return item["annotations"], item["href"]


def _render_item(item: Json) -> str:
    style = item["annotations"]
    if item["type"] == "equation":
        return f"${item['equation']['expression']}$"
    if item["type"] == "mention":
        return _mention(item)
    plain = item["plain_text"]
    text = f"`{plain}`" if style["code"] else escape(plain).replace("\n", "<br>")
    # Marks stand close to the words, or they would be none.
    bare = text.strip()
    marked = bare
    for name, mark in _MARKS:
        marked = f"{mark}{marked}{mark}" if style[name] and bare else marked
    if style["underline"]:
        marked = f'<span underline="true">{marked}</span>'
    if style["color"] != "default":
        marked = f'<span color="{color_word(style["color"])}">{marked}</span>'
    if item["href"]:
        marked = f"[{marked}]({item['href']})"
    return text.replace(bare, marked, 1) if bare else text


def _mention(item: Json) -> str:
    mention = item["mention"]
    kind = mention.get("type") or next(iter(mention), "user")
    if kind == "date":
        return f'<mention-date start="{(mention.get("date") or {}).get("start")}"/>'
    target = (mention.get(kind) or {}).get("id", "")
    url = f"user://{target}" if kind == "user" else f"https://www.notion.so/{str(target).replace('-', '')}"
    return f'<mention-{kind} url="{url}">{item["plain_text"]}</mention-{kind}>'


def escape(text: str) -> str:
    return _ESCAPED.sub(r"\\\1", text)


def color_word(color: str) -> str:
    return color.replace("_background", "_bg")


def color_of(word: str) -> str:
    return word.replace("_bg", "_background")


def parse(text: str) -> list[Json]:
    """Rich text as a client would write it."""
    return [_item(*part) for part in _split(_merged(_parse(text, {})))]


def _split(parts: Iterable[tuple[str, Any, Json]]) -> Iterator[tuple[str, Any, Json]]:
    """Only items of rich text have a longest length in Notion; a line of Markdown has none."""
    for kind, value, style in parts:
        if kind != "text":
            yield kind, value, style
            continue
        for at in range(0, len(value), TEXT_LIMIT):
            yield kind, value[at : at + TEXT_LIMIT], style


def _merged(parts: Iterator[tuple[str, Any, Json]]) -> list[tuple[str, Any, Json]]:
    merged: list[tuple[str, Any, Json]] = []
    for kind, value, style in parts:
        if merged and kind == "text" == merged[-1][0] and merged[-1][2] == style:
            merged[-1] = (kind, merged[-1][1] + value, style)
        elif value:
            merged.append((kind, value, style))
    return merged


def _parse(text: str, style: Json) -> Iterator[tuple[str, Any, Json]]:
    at = 0
    for found in _TOKEN.finditer(text):
        if found.start() > at:
            yield "text", text[at : found.start()], style
        yield from _token(found, style)
        at = found.end()
    if at < len(text):
        yield "text", text[at:], style


def _token(found: re.Match[str], style: Json) -> Iterator[tuple[str, Any, Json]]:
    part = found.groupdict()
    if part["escape"]:
        yield "text", part["escaped"], style
    elif part["br"]:
        yield "text", "\n", style
    elif part["code"]:
        yield "text", part["code"], {**style, "code": True}
    elif part["math"] or part["display"]:
        yield "equation", part["math"] or part["display"], style
    elif part["color"]:
        yield from _parse(part["colored"], {**style, "color": color_of(part["color"])})
    elif part["url"]:
        yield from _parse(part["label"], {**style, "href": part["url"]})
    elif part["who"]:
        yield "mention", (part["who"], part["target"], part["name"] or ""), style
    elif part["bare"]:
        yield "text", part["bare"], {**style, "href": part["bare"]}
    else:
        name = next(name for name in _STYLES if part[name])
        yield from _parse(part[name], {**style, **dict.fromkeys(_STYLES[name], True)})


def _item(kind: str, value: Any, style: Json) -> Json:
    annotations = {key: on for key, on in style.items() if key != "href"}
    if kind == "equation":
        return {"type": kind, kind: {"expression": value}, "annotations": annotations}
    if kind == "mention":
        who, target, name = value
        inside = {"start": target} if who == "date" else {"id": target.rpartition("/")[2]}
        return {"type": kind, kind: {"type": who, who: inside}, "plain_text": name or target}
    link = {"url": style["href"]} if style.get("href") else None
    return {"type": kind, kind: {"content": value, "link": link}, "annotations": annotations}
