"""File uploads: create, send, complete, list; the shapes are those of the official client's types."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from sync_workers.sandbox.attached import attach
from sync_workers.sandbox.errors import Refusal
from sync_workers.sandbox.notion import Notion
from tests.sandbox.conftest import Plain
from tests.sandbox.replay import Clock


def send(plain: Plain, upload: dict[str, Any], content: bytes, part: str | None = None) -> dict[str, Any]:
    data = {"part_number": part} if part else {}
    files = {"file": ("bread.txt", content, "text/plain")}
    answer = plain.http.post(upload["upload_url"], files=files, data=data)
    read: dict[str, Any] = answer.json()
    return read


CONTENTS = [b"", b"x", b"\r\n--", b"a\r\n\r\nb\n", bytes(range(256)), b"--end--\r\n", b"x" * 1_000_000]


@pytest.mark.parametrize("content", CONTENTS, ids=range(len(CONTENTS)))
def test_a_file_arrives_byte_by_byte(plain: Plain, notion: Notion, content: bytes) -> None:
    made = plain.post("file_uploads", filename="bread.txt")
    sent = send(plain, made, content)
    assert (made["status"], sent["status"], sent["content_length"]) == ("pending", "uploaded", len(content))
    assert notion.store.furniture.uploads[made["id"]].content == content
    assert (sent["filename"], sent["content_type"], "upload_url" in sent) == (
        "bread.txt",
        "text/plain",
        False,
    )


def test_an_upload_without_a_name_takes_that_of_the_file(plain: Plain) -> None:
    sent = send(plain, plain.post("file_uploads"), b"bread")
    assert (sent["filename"], sent["content_type"]) == ("bread.txt", "text/plain")


def test_parts_are_put_together_in_their_order(plain: Plain, notion: Notion) -> None:
    # given
    made = plain.post("file_uploads", mode="multi_part", filename="bread.pdf", number_of_parts=2)
    assert made["content_type"] == "application/pdf"
    # when
    assert send(plain, made, b"ter", "2")["number_of_parts"] == {"total": 2, "sent": 1}
    assert plain.http.post(made["complete_url"]).json()["code"] == "validation_error"
    assert send(plain, made, b"but", "1")["status"] == "pending"
    done = plain.http.post(made["complete_url"]).json()
    # then
    assert (done["status"], done["content_length"]) == ("uploaded", 6)
    assert notion.store.furniture.uploads[made["id"]].content == b"butter"


@pytest.mark.parametrize("part", [None, "0", "3", "one"])
def test_a_part_that_does_not_belong_is_refused(plain: Plain, part: str | None) -> None:
    made = plain.post("file_uploads", mode="multi_part", filename="bread.pdf", number_of_parts=2)
    assert send(plain, made, b"x", part)["code"] == "validation_error"


def test_nothing_is_sent_twice(plain: Plain) -> None:
    made = plain.post("file_uploads", filename="bread.txt")
    send(plain, made, b"x")
    assert send(plain, made, b"y")["code"] == "validation_error"


def test_a_file_from_an_address_is_imported_later(plain: Plain) -> None:
    address = "https://example.com/bread.png"
    made = plain.post("file_uploads", mode="external_url", filename="bread.png", external_url=address)
    assert (made["status"], "upload_url" in made) == ("pending", False)
    read = plain.get(f"file_uploads/{made['id']}")
    assert (read["status"], read["file_import_result"]["type"]) == ("uploaded", "success")


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "all"},
        {"mode": "multi_part", "filename": "a.txt"},
        {"mode": "multi_part", "number_of_parts": 2},
        {"mode": "external_url", "filename": "a.txt"},
        {"mode": "external_url", "filename": "a.txt", "external_url": "http://example.com"},
        {"size": 3},
        {"content_type": {"text": "plain"}},
    ],
)
def test_an_upload_that_cannot_be_is_refused(plain: Plain, wrong: dict[str, Any]) -> None:
    assert plain.post("file_uploads", **wrong)["code"] == "validation_error"


def test_what_is_not_attached_expires(plain: Plain, notion: Notion, clock: Clock) -> None:
    # given
    made = [plain.post("file_uploads", filename="bread.txt") for _ in range(3)]
    for upload in made[:2]:
        send(plain, upload, b"x")
    attach(notion.store, made[0]["id"])
    # when
    clock.advance_to(clock.now + timedelta(hours=1))
    # then
    listed = {u["id"]: (u["status"], u["expiry_time"]) for u in plain.get("file_uploads")["results"]}
    statuses = [listed[upload["id"]][0] for upload in made]
    assert statuses == ["uploaded", "expired", "expired"]
    assert listed[made[0]["id"]][1] is None
    with pytest.raises(Refusal, match="expired"):
        attach(notion.store, made[1]["id"])


def test_uploads_are_listed_by_status_and_page_by_page(plain: Plain) -> None:
    made = [plain.post("file_uploads", filename=f"{number}.txt") for number in range(3)]
    send(plain, made[1], b"x")
    pending = plain.get("file_uploads", status="pending")["results"]
    assert [upload["filename"] for upload in pending] == ["2.txt", "0.txt"]
    first = plain.get("file_uploads", page_size=2)
    rest = plain.get("file_uploads", page_size=2, start_cursor=first["next_cursor"])
    names = [upload["filename"] for upload in first["results"] + rest["results"]]
    assert (names, rest["has_more"]) == (["2.txt", "1.txt", "0.txt"], False)
    assert plain.get("file_uploads", status="lost")["code"] == "validation_error"
    assert plain.get("file_uploads", start_cursor="first")["code"] == "validation_error"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=x", b""),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nno name\r\n--x--"),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\ncut'),
        ("application/json", b"{}"),
    ],
)
def test_a_form_that_is_none_is_refused(plain: Plain, content_type: str, body: bytes) -> None:
    made = plain.post("file_uploads", filename="bread.txt")
    headers = {"Content-Type": content_type}
    answer: httpx.Response = plain.http.post(made["upload_url"], content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")


def files(plain: Plain, row: str, *written: dict[str, Any]) -> Any:
    return plain.patch(f"pages/{row}", properties={"Files": {"files": list(written)}})


def test_an_uploaded_file_stands_in_a_property_with_a_link_that_ends(
    plain: Plain, notion: Notion, tasks: str, clock: Clock
) -> None:
    # given
    row, made = notion.add_page(tasks, {"Task": "Bread"}), plain.post("file_uploads", filename="bread.txt")
    written = {"file_upload": {"id": made["id"]}}
    assert files(plain, row, written)["code"] == "validation_error"  # nothing has arrived yet
    send(plain, made, b"x")
    # when
    (shown,) = files(plain, row, written)["properties"]["Files"]["files"]
    # then
    assert (shown["name"], shown["type"], shown["file"].keys()) == (
        "bread.txt",
        "file",
        {"url", "expiry_time"},
    )
    assert shown["file"]["expiry_time"] == "2026-06-01T01:00:00.000Z"
    assert plain.get(f"file_uploads/{made['id']}")["expiry_time"] is None
    # and the link is another one each time, while an old one that is written back means the same file
    clock.advance_to(clock.now + timedelta(hours=2))
    link = {"name": "Rye", "type": "external", "external": {"url": "https://example.com/rye"}}
    again, other = files(plain, row, shown, link)["properties"]["Files"]["files"]
    assert again["name"] == shown["name"]
    assert again["file"]["url"] != shown["file"]["url"]
    assert again["file"]["url"].partition("?")[0] == shown["file"]["url"].partition("?")[0]
    assert other == link


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"external": "x"},
        {"external": {}},
        {"file_upload": {}},
        {"type": "file", "external": {"url": "x"}},
    ],
)
def test_a_file_that_is_none_is_refused(
    plain: Plain, notion: Notion, tasks: str, wrong: dict[str, Any]
) -> None:
    row = notion.add_page(tasks, {"Task": "Bread"})
    assert files(plain, row, wrong)["code"] == "validation_error"
