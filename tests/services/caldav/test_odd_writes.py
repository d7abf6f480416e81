"""What the answers to writes mean."""

from __future__ import annotations

import pytest

from sync_workers.errors import (
    AccessError,
    LaterError,
    MovedError,
    RejectedError,
    SyncError,
    UnknownOutcomeError,
)
from sync_workers.services.caldav.service import CaldavService
from tests.services.caldav.odd import (
    BEFORE,
    PATH,
    TODO,
    Answer,
    Odd,
    multistatus,
    refusal,
    response,
    todo,
)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(400), RejectedError),
        (Answer(413), RejectedError),
        (Answer(415), RejectedError),
        (Answer(422), RejectedError),
        (refusal(403, "c:valid-calendar-data"), RejectedError),
        (refusal(409, "c:supported-calendar-component"), RejectedError),
        (refusal(412, "c:valid-calendar-data"), RejectedError),
        (refusal(403, "c:max-resource-size"), RejectedError),
        (Answer(401), AccessError),
        (Answer(403), AccessError),
        (refusal(403, "d:need-privileges"), AccessError),
        (Answer(409), AccessError),
        (Answer(412), MovedError),
        (Answer(404), MovedError),
        (Answer(410), MovedError),
        (Answer(423), LaterError),
        (Answer(429), LaterError),
        (Answer(503), LaterError),
        (Answer(507), LaterError),
        (Answer(500), UnknownOutcomeError),
        (Answer(502), UnknownOutcomeError),
        (Answer(504), UnknownOutcomeError),
        (Answer(302), UnknownOutcomeError),
    ],
)
def test_what_an_answer_to_an_update_means(
    odd: Odd, service: CaldavService, answer: Answer, error: type[SyncError]
) -> None:
    odd.answer("REPORT", multistatus(todo()))
    odd.answer("PUT", answer)
    with pytest.raises(error) as caught:
        service.update(BEFORE, {"summary": "A secret plan"})
    assert type(caught.value) is error
    assert "secret plan" not in str(caught.value)


def test_an_update_asks_for_the_version_that_was_read(odd: Odd, service: CaldavService) -> None:
    odd.answer("REPORT", multistatus(todo(etag='"1"')), multistatus(todo(etag='"2"')))
    odd.answer("PUT", Answer(204, headers={"ETag": '"2"'}))
    service.update(BEFORE, {"summary": "Milk"})
    (put,) = [asked for asked in odd.asked if asked.method == "PUT"]
    assert put.headers["if-match"] == '"1"'
    assert "if-none-match" not in put.headers
    assert put.headers["content-type"].startswith("text/calendar")


def test_a_create_asks_for_nothing_to_be_there(odd: Odd, service: CaldavService) -> None:
    odd.answer("PUT", Answer(201))
    odd.answer("REPORT", multistatus())
    odd.answer("PROPFIND", Answer(404))
    service.create({"summary": "Milk"}, "one")
    (put,) = [asked for asked in odd.asked if asked.method == "PUT"]
    assert put.headers["if-none-match"] == "*"
    assert "if-match" not in put.headers


@pytest.mark.parametrize("etag", ['W/"1"', ""])
def test_without_an_exact_etag_a_re_read_decides(odd: Odd, service: CaldavService, etag: str) -> None:
    odd.answer("REPORT", multistatus(todo(etag=etag)))
    odd.answer("PUT", Answer(204))
    odd.answer("DELETE", Answer(204))
    (record,) = service.fetch().records
    service.update(record, {"summary": "Milk"})
    service.delete(record)
    writes = [asked for asked in odd.asked if asked.method in {"PUT", "DELETE"}]
    assert [asked.headers["if-match"] for asked in writes] == ["*", "*"]
    odd.answer("REPORT", multistatus(todo(etag=etag.replace("1", "2"), text=TODO.replace("Bread", "Butter"))))
    with pytest.raises(MovedError):
        service.update(record, {"summary": "Milk"})
    with pytest.raises(MovedError):
        service.delete(record)


def test_a_server_that_changes_what_it_stores_is_shown_as_it_is(odd: Odd, service: CaldavService) -> None:
    odd.answer(
        "REPORT", multistatus(todo()), multistatus(todo(etag='"2"', text=TODO.replace("Bread", "MILK")))
    )
    odd.answer("PUT", Answer(204))
    updated = service.update(BEFORE, {"summary": "Milk"})
    assert updated.fields["summary"] == "MILK"
    assert updated.version == '"2"'


@pytest.mark.parametrize("status", [403, 409, 412])
def test_a_uid_that_lies_out_of_sight_is_rejected_and_not_tried_for_ever(
    odd: Odd, service: CaldavService, status: int
) -> None:
    odd.answer("PUT", refusal(status, "c:no-uid-conflict"))
    odd.answer("REPORT", multistatus())
    odd.answer("PROPFIND", Answer(404))
    with pytest.raises(RejectedError, match="UID"):
        service.create({"summary": "Milk"}, "one")


def test_deleting_what_is_gone_is_success_whatever_the_server_says(odd: Odd, service: CaldavService) -> None:
    for answer in (Answer(404), Answer(410), Answer(412)):
        odd.answer("DELETE", answer)
        odd.answer("REPORT", multistatus(response(PATH + "a.ics", status=404)))
        service.delete(BEFORE)
    odd.answer("REPORT", multistatus(todo(etag='"2"')))
    with pytest.raises(MovedError):
        service.delete(BEFORE)
