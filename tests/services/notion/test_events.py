"""What webhook events say: the documented samples of developers.notion.com, with ids of our own."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sync_workers.services.notion.events import Event, Reach, handshake, is_genuine, read_event
from sync_workers.services.notion.settings import NotionContainer

PAGE, SOURCE, DATABASE, OTHER, ADA, BOT = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "123456")
ROW = {"id": DATABASE, "type": "database", "data_source_id": SOURCE}


def told(kind: str, entity: tuple[str, str] = (PAGE, "page"), **data: Any) -> Event:
    body = {
        "id": OTHER,
        "timestamp": "2026-03-11T23:55:34.285Z",
        "workspace_name": "Quantify Labs",
        "authors": [{"id": ADA, "type": "person"}],
        "attempt_number": 3,
        "api_version": "2026-03-11",
        "entity": {"id": entity[0], "type": entity[1]},
        "type": kind,
        "data": {"parent": ROW, **data},
    }
    return read_event(json.dumps(body).encode())


@pytest.mark.parametrize(
    "kind",
    [
        *("page.created", "page.content_updated", "page.properties_updated", "page.moved", "page.deleted"),
        *("page.undeleted", "page.something_new"),
    ],
)
def test_what_happens_to_a_page_asks_for_a_look_at_it(kind: str) -> None:
    event = told(kind, updated_properties=["XGe%40"])

    assert (event.reach, event.pages, event.id, event.attempt) == (Reach.PAGES, (PAGE,), OTHER, 3)
    assert event.authors == {ADA}


@pytest.mark.parametrize(("container", "is_in"), [(SOURCE, True), (OTHER, False)])
def test_a_row_is_in_its_data_source(container: str, is_in: bool) -> None:
    assert told("page.created").is_in(NotionContainer(data_source=container)) is is_in


def test_a_row_is_in_its_database_and_a_page_below_a_page_in_none() -> None:
    assert told("page.created").is_in(NotionContainer(database=DATABASE))
    assert not told("page.created").is_in(NotionContainer(database=OTHER))
    assert not told("page.created", parent={"id": DATABASE, "type": "page"}).places


@pytest.mark.parametrize("kind", ["comment.created", "comment.updated", "comment.deleted"])
def test_a_comment_asks_for_a_look_at_its_page(kind: str) -> None:
    event = told(kind, (OTHER, "comment"), page_id=PAGE, parent={"id": PAGE, "type": "page"})

    assert (event.reach, event.pages, event.places) == (Reach.PAGES, (PAGE,), frozenset())


def test_rows_that_came_or_went_are_looked_at() -> None:
    blocks = [{"id": PAGE, "type": "block"}, {"id": PAGE.replace("-", ""), "type": "block"}]

    event = told("data_source.content_updated", (SOURCE, "data_source"), updated_blocks=blocks)

    assert (event.reach, event.pages) == (Reach.PAGES, (PAGE,))
    assert event.is_in(NotionContainer(data_source=SOURCE))


@pytest.mark.parametrize(
    ("kind", "reach"),
    [
        ("data_source.schema_updated", Reach.FULL),
        ("database.schema_updated", Reach.FULL),
        ("data_source.content_updated", Reach.RUN),
        ("data_source.deleted", Reach.RUN),
        ("data_source.moved", Reach.RUN),
        ("database.undeleted", Reach.RUN),
        ("page.locked", Reach.NOTHING),
        ("page.unlocked", Reach.NOTHING),
        ("view.updated", Reach.NOTHING),
        ("something else", Reach.NOTHING),
    ],
)
def test_what_else_happens_asks_for_a_run_or_for_nothing(kind: str, reach: Reach) -> None:
    kinds = {"data_source": (SOURCE, "data_source"), "database": (DATABASE, "database")}
    entity = kinds.get(kind.partition(".")[0], (PAGE, "page" if kind.startswith("page") else "view"))

    assert told(kind, entity).reach is reach


STRANGE: list[Any] = [None, [], 3, "text", {"id": []}, [None], [[]], {"id": "no id"}]


@pytest.mark.parametrize("strange", STRANGE)
@pytest.mark.parametrize("key", ["id", "authors", "attempt_number", "entity", "data"])
def test_an_event_with_strange_parts_is_still_an_event(key: str, strange: Any) -> None:
    body = {"type": "page.created", "entity": {"id": PAGE, "type": "page"}, "data": {"parent": ROW}}

    assert read_event(json.dumps(body | {key: strange}).encode()).type == "page.created"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[]", b"{}", b'{"type": 3}', b"null"])
def test_what_is_no_event_is_refused_without_a_word_of_it(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"it (is no JSON|has no type)$"):
        read_event(body)


@pytest.mark.parametrize(
    ("body", "token"),
    [
        (b'{"verification_token": "secret_x"}', "secret_x"),
        (b'{"verification_token": ""}', None),
        (b'{"verification_token": 3}', None),
        (b'{"type": "page.created"}', None),
        (b"[]", None),
        (b"{", None),
    ],
)
def test_a_handshake_is_known_by_its_token(body: bytes, token: str | None) -> None:
    assert handshake(body) == token


def test_the_signature_is_notions() -> None:
    # RFC 4231, test case 2
    digest = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"

    assert is_genuine("Jefe", b"what do ya want for nothing?", f"sha256={digest}")


@pytest.mark.parametrize(
    "signature", ["", "sha256=", "sha1=5bdc", "5bdcc146", "ünicode", "sha256=" + "0" * 64]
)
def test_anything_else_is_no_signature(signature: str) -> None:
    assert not is_genuine("Jefe", b"what do ya want for nothing?", signature)
