"""Uploads that become part of a page: what a client writes into a property, and what is shown of it.

Links to uploaded files are signed anew each time that they are shown, and end after an hour.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from sync_workers.sandbox.checks import check_list, check_object, check_text
from sync_workers.sandbox.errors import failed, invalid, not_found
from sync_workers.sandbox.furniture import Upload
from sync_workers.sandbox.icons import HOSTED
from sync_workers.sandbox.nouns import Json
from sync_workers.sandbox.store import Store, as_id
from sync_workers.sandbox.texts import show_time

_KINDS = ("external", "file_upload", "file")
_SIGNED_FOR = timedelta(hours=1)


def attach(store: Store, upload_id: str) -> Upload:
    """An uploaded file becomes part of the workspace, and expires no more.

    Raises:
        Refusal: when it is not there, has not arrived yet, or came too late.
    """
    upload = arrived(store, find_upload(store, upload_id))
    status = upload.status(store.clock())
    if status != "uploaded":
        raise invalid(f"The file upload {upload.id} is {status} and cannot be attached.")
    store.furniture.uploads[upload.id] = kept = replace(upload, attached=True)
    return kept


def arrived(store: Store, upload: Upload) -> Upload:
    """The same; what comes from an address has arrived by now."""
    if upload.source is None or upload.complete or upload.status(store.clock()) == "expired":
        return upload
    store.furniture.uploads[upload.id] = kept = replace(upload, complete=True, imported=store.clock())
    return kept


def find_upload(store: Store, upload_id: str) -> Upload:
    upload = store.furniture.uploads.get(as_id(upload_id) or "")
    if upload is None:
        raise not_found("file upload", upload_id)
    return upload


def read_files(store: Store, payload: Any, path: str) -> list[Json]:
    """What is kept: links as they came, uploads by their id."""
    return [_read(store, item, f"{path}[{place}]") for place, item in enumerate(check_list(payload, path))]


def _read(store: Store, item: Any, path: str) -> Json:
    item = check_object(item, path)
    kind = next((one for one in _KINDS if one in item), None)
    if kind is None or item.get("type", kind) != kind:
        raise failed(f"{path}.external", "defined", "undefined")
    inside = check_object(item[kind], f"{path}.{kind}")
    name = None if item.get("name") is None else check_text(item["name"], f"{path}.name", 100)
    if kind == "file_upload":
        upload = attach(store, check_text(inside.get("id"), f"{path}.file_upload.id"))
        return {"name": name or upload.filename or "file", "type": "file", "file": {"upload": upload.id}}
    url = check_text(inside.get("url"), f"{path}.{kind}.url", 2000)
    if kind == "file" and (again := _known(store, url)):
        return {"name": name or "file", "type": kind, kind: {"upload": again}}
    return {"name": name or url, "type": kind, kind: inside}


def _known(store: Store, url: str) -> str | None:
    """A file that was shown and is written back: Notion knows it by its link, also when that has ended."""
    found = url.removeprefix(HOSTED).partition("/")[0]
    return found if found in store.furniture.uploads else None


def show_files(store: Store, kept: list[Json]) -> list[Json]:
    return [_show(store, item) for item in kept]


def _show(store: Store, item: Json) -> Json:
    upload = item.get("file", {}).get("upload")
    if upload is None:
        return item
    url = f"{HOSTED}{upload}/{quote(item['name'])}?X-Amz-Signature={secrets.token_hex(16)}"
    return {**item, "file": {"url": url, "expiry_time": show_time(store.clock() + _SIGNED_FOR)}}
