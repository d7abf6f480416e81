"""The endpoints of comments: on a page or block, in threads.

A comment edits no page: nothing that Notion documents says that one moves a page's time of change.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sync_workers.sandbox import show, users
from sync_workers.sandbox.body import inline, tree
from sync_workers.sandbox.checks import check_object, check_text
from sync_workers.sandbox.errors import failed, invalid, not_found
from sync_workers.sandbox.nouns import Comment, Json, Page
from sync_workers.sandbox.paging import cut_page, page_size
from sync_workers.sandbox.request import Request, only_keys
from sync_workers.sandbox.store import Store, as_id
from sync_workers.sandbox.texts import show_rich_text, show_time

_CREATE = frozenset({"parent", "discussion_id", "rich_text", "markdown", "display_name", "attachments"})


def create(request: Request) -> Json:
    body = only_keys(request.body, _CREATE)
    if ("parent" in body) == ("discussion_id" in body):
        raise invalid("Exactly one of parent and discussion_id must be given.")
    store = request.store
    if "discussion_id" in body:
        thread = as_id(str(body["discussion_id"]))
        first = next((c for c in store.comments.values() if c.discussion_id == thread), None)
        if first is None:
            raise not_found("discussion", str(body["discussion_id"]))
        parent, discussion_id = first.parent, first.discussion_id
    else:
        parent, discussion_id = _parent(store, check_object(body["parent"], "parent")), store.new_id()
    name = _display_name(store, body.get("display_name") or {"type": "integration"}, request.user_id)
    return show_comment(add(store, parent, discussion_id, _text(body), request.user_id, name))


def add(
    store: Store, parent: Json, discussion_id: str, rich_text: list[Json], by: str, name: Json
) -> Comment:
    change = store.change(by)
    made = Comment(store.new_id(), parent, discussion_id, rich_text, change, change, name)
    store.comments[made.id] = made
    return made


def _parent(store: Store, given: Json) -> Json:
    for key in ("page_id", "block_id"):
        if key in given:
            item = tree.find(store, as_id(str(given[key])) or "")
            if item is None or isinstance(item, Page) is not (key == "page_id"):
                raise not_found(key.removesuffix("_id"), str(given[key]))
            return {"type": key, key: item.id}
    raise failed("parent.page_id", "defined", "undefined")


def _text(body: Json) -> list[Json]:
    if ("rich_text" in body) == ("markdown" in body):
        raise invalid("Exactly one of rich_text and markdown must be given.")
    if "markdown" in body:
        return show_rich_text(inline.parse(check_text(body["markdown"], "markdown")), "markdown")
    return show_rich_text(body["rich_text"], "rich_text")


def _display_name(store: Store, given: Any, by: str) -> Json:
    kind = check_object(given, "display_name").get("type")
    if kind == "custom":
        custom = check_object(given.get("custom"), "display_name.custom")
        return {"type": kind, "resolved_name": check_text(custom.get("name"), "display_name.custom.name")}
    if kind not in {"integration", "user"}:
        raise failed("display_name.type", '"integration", "user" or "custom"', kind)
    return {"type": kind, "resolved_name": store.users[by].name}


def list_comments(request: Request) -> Json:
    """Those that stand directly on the page or block, oldest first."""
    asked = request.asked("block_id")
    item = tree.find(request.store, as_id(asked or "") or "")
    if item is None:
        raise not_found("block", str(asked))
    here = [c for c in request.store.comments.values() if item.id in c.parent.values()]
    size = page_size(request.asked("page_size"))
    part, cursor = cut_page([show_comment(one) for one in here], size, request.asked("start_cursor"))
    return show.listing("comment", part, cursor)


def retrieve(request: Request, comment_id: str) -> Json:
    return show_comment(_comment(request.store, comment_id))


def update(request: Request, comment_id: str) -> Json:
    text = _text(only_keys(request.body, {"rich_text", "markdown"}))
    found = _own(request, comment_id)
    edited = replace(found, rich_text=text, edited=request.store.change(request.user_id))
    request.store.comments[found.id] = edited
    return show_comment(edited)


def delete(request: Request, comment_id: str) -> Json:
    """The first of a thread takes the others with it."""
    store, found = request.store, _own(request, comment_id)
    thread = [c.id for c in store.comments.values() if c.discussion_id == found.discussion_id]
    for gone in thread if thread[0] == found.id else [found.id]:
        del store.comments[gone]
    return show_comment(found)


def _own(request: Request, comment_id: str) -> Comment:
    """A connection can only change what it wrote itself; of others it sees a 404 [documented]."""
    found = _comment(request.store, comment_id)
    if found.created.by != request.user_id:
        raise not_found("comment", comment_id)
    return found


def _comment(store: Store, comment_id: str) -> Comment:
    found = store.comments.get(as_id(comment_id) or "")
    if found is None:
        raise not_found("comment", comment_id)
    return found


def show_comment(one: Comment) -> Json:
    return {
        "object": "comment",
        "id": one.id,
        "parent": one.parent,
        "discussion_id": one.discussion_id,
        "created_time": show_time(one.created.at),
        "last_edited_time": show_time(one.edited.at),
        "created_by": users.partial(one.created.by),
        "rich_text": one.rich_text,
        "display_name": one.display_name,
    }
