"""The blocks of a page as Notion's Markdown: one line feed between blocks, a tab for each level."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from sync_workers.sandbox.body import tree
from sync_workers.sandbox.body.inline import color_word, escape, render
from sync_workers.sandbox.body.kinds import MEDIA, NOT_RENDERED
from sync_workers.sandbox.nouns import Block, Json, Page
from sync_workers.sandbox.store import Store
from sync_workers.sandbox.texts import plain_text

_MARKS = {
    "paragraph": "",
    "heading_1": "# ",
    "heading_2": "## ",
    "heading_3": "### ",
    "heading_4": "#### ",
    "bulleted_list_item": "- ",
    "quote": "> ",
}


class Rendered:
    """One rendering.

    Attributes:
        unloaded: the ids of the blocks that could not be shown, because they are too many or not shared.
    """

    def __init__(self, store: Store, page_id: str) -> None:
        self._store = store
        self._page_id = page_id
        self.unloaded: list[str] = []
        self.markdown = "\n".join(self.lines(page_id))

    def lines(self, parent_id: str) -> Iterator[str]:
        for kind, items in groupby(tree.inside(self._store, parent_id), _kind):
            for number, item in enumerate(items, start=1):
                mark = f"{number}. " if kind == "numbered_list_item" else _MARKS.get(kind, "")
                yield from self._item(item, mark)

    def _item(self, item: tree.Item, mark: str) -> Iterator[str]:
        if item.id in self._store.unloaded:
            self.unloaded.append(item.id)
            yield f'<unknown url="{self._url(item.id)}"/>'
        elif not isinstance(item, Block):
            tag = "page" if isinstance(item, Page) else "database"
            title = item.values.get("title", []) if isinstance(item, Page) else item.title
            yield f'<{tag} url="{_link(item.id)}">{escape(plain_text(title))}</{tag}>'
        elif item.type in NOT_RENDERED:
            yield f'<unknown url="{self._url(item.id)}" alt="{item.type}"/>'
        else:
            yield from self._block(item, mark)

    def _block(self, block: Block, mark: str) -> Iterator[str]:
        under = [f"\t{line}" for line in self.lines(block.id)]
        content = block.content
        match block.type:
            case "to_do":
                mark = "- [x] " if content["checked"] else "- [ ] "
            case "code":
                language = "" if content["language"] == "plain text" else content["language"]
                yield from (f"```{language}", *plain_text(content["rich_text"]).split("\n"), "```")
                return
            case "equation":
                yield from ("$$", content["expression"], "$$")
                return
            case "divider" | "table_of_contents":
                yield "---" if block.type == "divider" else f"<table_of_contents{_attribute(content)}/>"
                return
            case "toggle":
                yield from (f"<details{_attribute(content)}>", _summary(content), *under, "</details>")
                return
            case "callout" | "column_list" | "column" | "synced_block" | "table" | "table_row":
                yield from self._tagged(block, under)
                return
            case kind if kind in MEDIA:
                yield from _medium(kind, content)
                return
        text = render(content["rich_text"])
        if not text and block.type == "paragraph" and not under:
            yield "<empty-block/>"
            return
        yield f"{mark}{text}{_braces(content)}"
        yield from under

    def _tagged(self, block: Block, under: Sequence[str]) -> Iterator[str]:
        content = block.content
        match block.type:
            case "callout":
                icon = (content["icon"] or {}).get("emoji")
                first = [f"\t{text}"] if (text := render(content["rich_text"])) else []
                said = f' icon="{icon}"' if icon else ""
                yield from (f"<callout{said}{_attribute(content)}>", *first, *under, "</callout>")
            case "table_row":
                yield from ("<tr>", *(f"\t<td>{render(cell)}</td>" for cell in content["cells"]), "</tr>")
            case "table":
                flags = (("header-row", "has_column_header"), ("header-column", "has_row_header"))
                said = "".join(f' {word}="true"' for word, key in flags if content[key])
                yield from (f"<table{said}>", *under, "</table>")
            case "synced_block":
                source = content["synced_from"]
                tag = "synced_block_reference" if source else "synced_block"
                url = self._url(source["block_id"] if source else block.id)
                yield from (f'<{tag} url="{url}">', *under, f"</{tag}>")
            case kind:
                tag = "columns" if kind == "column_list" else kind
                yield from (f"<{tag}>", *under, f"</{tag}>")

    def _url(self, block_id: str) -> str:
        return f"{_link(self._page_id)}#{block_id.replace('-', '')}"


def _kind(item: tree.Item) -> str:
    return item.type if isinstance(item, Block) else ""


def _link(object_id: str) -> str:
    return f"https://www.notion.so/{object_id.replace('-', '')}"


def _summary(content: Json) -> str:
    return f"<summary>{render(content['rich_text'])}</summary>"


def _attribute(content: Json) -> str:
    color = content.get("color", "default")
    return "" if color == "default" else f' color="{color_word(color)}"'


def _braces(content: Json) -> str:
    said = ' toggle="true"' if content.get("is_toggleable") else ""
    said += _attribute(content)
    return f" {{{said.strip()}}}" if said else ""


def _medium(kind: str, content: Json) -> Iterator[str]:
    """Uploaded files have links that are signed anew each time; those that Notion emptied are not shown."""
    inside: Any = content[content["type"]]
    url = inside["url"]
    if content["type"] == "file":
        url = f"{url}?X-Amz-Expires=3600&X-Amz-Signature={Signature.new()}"
    caption = render(content["caption"])
    if not url:
        return
    yield f"![{caption}]({url})" if kind == "image" else f'<{kind} src="{url}">{caption}</{kind}>'


class Signature:
    """Never the same twice."""

    _last = 0

    @classmethod
    def new(cls) -> str:
        cls._last += 1
        return f"{cls._last:064x}"
