"""The endpoints of file uploads: create, send, complete, retrieve, list.

The shapes are those of the official client's types. What is imported from an address is never fetched:
it counts as imported when it is asked for the next time.
"""

from __future__ import annotations

import mimetypes
from dataclasses import replace
from datetime import timedelta

from sync_workers.sandbox import show
from sync_workers.sandbox.attached import arrived, find_upload
from sync_workers.sandbox.checks import check_text
from sync_workers.sandbox.errors import failed, invalid
from sync_workers.sandbox.furniture import Upload
from sync_workers.sandbox.nouns import Json
from sync_workers.sandbox.paging import page_from, page_size
from sync_workers.sandbox.request import Request, only_keys
from sync_workers.sandbox.texts import show_time

EXPIRES = timedelta(hours=1)
"""How long a file may take to arrive and to be attached to something."""

PART_LIMIT = 20 * 1024 * 1024
_STATUSES = ("pending", "uploaded", "expired", "failed")
_MODES = ("single_part", "multi_part", "external_url")


def create_upload(request: Request) -> Json:
    known = {"mode", "filename", "content_type", "number_of_parts", "external_url"}
    store, body = request.store, only_keys(request.body, known)
    mode = body.get("mode") or _MODES[0]
    if mode not in _MODES:
        raise failed("mode", " or ".join(f'"{one}"' for one in _MODES), mode)
    change = store.change(request.user_id)
    upload = Upload(store.new_id(), change, change, store.clock() + EXPIRES, **_described(body, mode))
    store.furniture.uploads[upload.id] = upload
    return _show(request, upload)


def _described(body: Json, mode: str) -> Json:
    name = body.get("filename")
    if name is not None or mode != "single_part":
        name = check_text(name, "filename", 900)
    kind = body.get("content_type")
    if kind is not None:
        kind = check_text(kind, "content_type")
    elif name:
        kind, _ = mimetypes.guess_type(name)
    described: Json = {"filename": name, "content_type": kind}
    if mode == "multi_part":
        total = body.get("number_of_parts")
        if isinstance(total, bool) or not isinstance(total, int) or total < 1:
            raise failed("number_of_parts", "≥ `1`", total)
        described["total"] = total
    if mode == "external_url":
        described["source"] = check_text(body.get("external_url"), "external_url", 2000)
        if not described["source"].startswith("https://"):
            raise invalid("The external_url must be an https address.")
    return described


def send_upload(request: Request, upload_id: str) -> Json:
    """One file, or one part of it."""
    store, upload = request.store, find_upload(request.store, upload_id)
    status = upload.status(store.clock())
    if status != "pending" or upload.source is not None:
        raise invalid(f"The file upload is {status}: nothing can be sent to it.")
    file = request.form.get("file")
    if file is None:
        raise failed("file", "defined", "undefined")
    if len(file.content) > PART_LIMIT:
        raise invalid("The file, or this part of it, is larger than 20 MB.")
    number = _part_number(request, upload)
    upload = replace(
        upload, parts={**upload.parts, number: file.content}, edited=store.change(request.user_id)
    )
    if upload.total is None:
        kind = upload.content_type or file.content_type
        upload = replace(upload, filename=upload.filename or file.filename, content_type=kind, complete=True)
    store.furniture.uploads[upload.id] = upload
    return _show(request, upload)


def _part_number(request: Request, upload: Upload) -> int:
    written = request.form.get("part_number")
    if upload.total is None:
        return 1
    if written is None or not written.text.isdecimal() or not 1 <= int(written.text) <= upload.total:
        raise failed("part_number", f"between 1 and {upload.total}", written and written.text)
    return int(written.text)


def complete_upload(request: Request, upload_id: str) -> Json:
    store, upload = request.store, find_upload(request.store, upload_id)
    if upload.total is None or upload.status(store.clock()) != "pending":
        raise invalid("Only a pending upload in several parts can be completed.")
    if len(upload.parts) != upload.total:
        raise invalid(f"{len(upload.parts)} of {upload.total} parts were sent: send the others first.")
    upload = replace(upload, complete=True, edited=store.change(request.user_id))
    store.furniture.uploads[upload.id] = upload
    return _show(request, upload)


def retrieve_upload(request: Request, upload_id: str) -> Json:
    return _show(request, arrived(request.store, find_upload(request.store, upload_id)))


def list_uploads(request: Request) -> Json:
    """Newest first."""
    store, wanted = request.store, request.asked("status")
    if wanted not in {None, *_STATUSES}:
        raise failed("status", " or ".join(f'"{one}"' for one in _STATUSES), wanted)
    everything = [arrived(store, upload) for upload in reversed(list(store.furniture.uploads.values()))]
    found = [u.id for u in everything if wanted in {None, u.status(store.clock())}]
    part, cursor = page_from(found, page_size(request.asked("page_size")), request.asked("start_cursor"))
    shown = (_show(request, store.furniture.uploads[upload_id]) for upload_id in part)
    return show.listing("file_upload", shown, cursor)


def _show(request: Request, upload: Upload) -> Json:
    store = request.store
    status = upload.status(store.clock())
    shown: Json = {
        "object": "file_upload",
        "id": upload.id,
        "created_time": show_time(upload.created.at),
        "created_by": {"id": upload.created.by, "type": "bot"},
        "last_edited_time": show_time(upload.edited.at),
        "in_trash": False,
        "expiry_time": None if upload.attached else show_time(upload.expires),
        "status": status,
        "filename": upload.filename,
        "content_type": upload.content_type,
        "content_length": len(upload.content) if upload.complete and upload.source is None else None,
    }
    if upload.total is not None:
        shown["number_of_parts"] = {"total": upload.total, "sent": len(upload.parts)}
    if upload.imported is not None:
        shown["file_import_result"] = {
            "imported_time": show_time(upload.imported),
            "type": "success",
            "success": {},
        }
    if status == "pending" and upload.source is None:
        address = f"{request.origin}/v1/file_uploads/{upload.id}"
        shown["upload_url"] = f"{address}/send"
        if upload.total is not None:
            shown["complete_url"] = f"{address}/complete"
    return shown


ROUTES = (
    ("POST", "file_uploads", create_upload),
    ("GET", "file_uploads", list_uploads),
    ("GET", "file_uploads/([^/]+)", retrieve_upload),
    ("POST", "file_uploads/([^/]+)/send", send_upload),
    ("POST", "file_uploads/([^/]+)/complete", complete_upload),
)
