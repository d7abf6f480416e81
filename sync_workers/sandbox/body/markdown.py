"""The endpoint of a page's Markdown: retrieve, and the four ways to change it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sync_workers.sandbox.body import parse, tree
from sync_workers.sandbox.body.render import Rendered
from sync_workers.sandbox.body.replace import replace_body
from sync_workers.sandbox.checks import check_list, check_object, check_text
from sync_workers.sandbox.errors import failed, invalid, not_found
from sync_workers.sandbox.nouns import Block, Json, Page
from sync_workers.sandbox.request import Request, only_keys
from sync_workers.sandbox.store import as_id


def retrieve(request: Request, page_id: str) -> Json:
    """A page, or a block that was unknown in an answer before."""
    store = request.store
    item = tree.find(store, as_id(page_id) or "")
    if item is None or (item.id in store.unloaded and not isinstance(item, Block)):
        raise not_found("page", page_id)
    if not isinstance(item, Block | Page):
        raise invalid("The provided ID is a database: use the databases API.")
    rendered = Rendered(store, item.id)
    return {
        "object": "page_markdown",
        "id": item.id,
        "markdown": rendered.markdown,
        "truncated": bool(rendered.unloaded),
        "unknown_block_ids": rendered.unloaded,
    }


def update(request: Request, page_id: str) -> Json:
    body = request.body
    kind = str(body.get("type"))
    if kind not in _WAYS:
        raise failed("type", " or ".join(f'"{way}"' for way in _WAYS), kind)
    only_keys(body, {"type", kind, "allow_async"})
    if body.get("allow_async"):
        raise invalid("allow_async is not part of this sandbox.")
    asked = check_object(body.get(kind), kind)
    if as_id(page_id) not in request.store.pages:
        raise (
            not_found("page", page_id)
            if as_id(page_id) not in request.store.blocks
            else invalid("The provided ID is a non-page block: use the blocks API.")
        )
    page = tree.editable(request.store, page_id)
    before = Rendered(request.store, page.id).markdown
    after = _WAYS[kind](before, asked)
    if after != before:
        may_delete = asked.get("allow_deleting_content") is True
        replace_body(request.store, page, parse.parse(after), request.user_id, may_delete=may_delete)
    return retrieve(request, page.id)


def _replace(_before: str, asked: Json) -> str:
    return check_text(asked.get("new_str"), "replace_content.new_str")


def _update(before: str, asked: Json) -> str:
    path = "update_content.content_updates"
    for place, given in enumerate(check_list(asked.get("content_updates"), path)):
        change = check_object(given, f"{path}[{place}]")
        old = check_text(change.get("old_str"), f"{path}[{place}].old_str")
        new = check_text(change.get("new_str"), f"{path}[{place}].new_str")
        times = before.count(old) if old else 0
        if times == 0:
            raise invalid("The old_str was not found in the page content.")
        if times > 1 and change.get("replace_all_matches") is not True:
            raise invalid(f"The old_str matches {times} locations. Set replace_all_matches to true.")
        before = before.replace(old, new)
    return before


def _insert(before: str, asked: Json) -> str:
    content = check_text(asked.get("content"), "insert_content.content")
    position = check_object(asked.get("position") or {}, "insert_content.position").get("type")
    after = asked.get("after")
    if after is not None and position is not None:
        raise invalid("Both `after` and `position` are provided. Use only one insertion target.")
    if after is not None:
        _, end = _range(before, check_text(after, "insert_content.after"))
        return f"{before[:end]}\n{content}{before[end:]}"
    return f"{content}\n{before}" if position == "start" else f"{before}\n{content}"


def _replace_range(before: str, asked: Json) -> str:
    start, end = _range(before, check_text(asked.get("content_range"), "replace_content_range.content_range"))
    return before[:start] + check_text(asked.get("content"), "replace_content_range.content") + before[end:]


def _range(markdown: str, selection: str) -> tuple[int, int]:
    """Where `start text...end text` stands."""
    first, _, last = selection.partition("...")
    start = markdown.find(first)
    end = markdown.find(last, start + len(first)) if start >= 0 else -1
    if end < 0:
        raise invalid("The selection does not match any content in the page.")
    return start, end + len(last)


_WAYS: Mapping[str, Callable[[str, Json], str]] = {
    "insert_content": _insert,
    "replace_content_range": _replace_range,
    "update_content": _update,
    "replace_content": _replace,
}
