"""Listings and feeds as some servers give them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from sync_workers.errors import (
    AccessError,
    LaterError,
    SettingsError,
)
from sync_workers.services.base import Gone, Mapped, OutOfScope
from sync_workers.services.caldav import connect
from sync_workers.services.caldav.service import CaldavService
from sync_workers.services.caldav.settings import CaldavCalendar, CaldavConnection
from tests.services.caldav.odd import (
    PATH,
    Answer,
    Odd,
    calendar,
    multistatus,
    refusal,
    response,
    todo,
)

# Listings


@pytest.mark.parametrize(
    "wrong",
    [
        Answer(207, "", {"Content-Type": "text/plain"}),
        Answer(200, "<html>Please log in</html>", {"Content-Type": "text/html"}),
        Answer(207, "<d:multistatus xmlns:d='DAV:'>", {"Content-Type": "text/xml"}),
        Answer(207, "<d:multistatus xmlns:d='DAV:'>", {"Content-Type": "text/plain"}),
        multistatus(todo("a.ics"), response(PATH + "b.ics", status=500)),
        multistatus(todo("a.ics"), response(PATH, status=507)),
        multistatus(todo("a.ics"), response(PATH + "b.ics", "<d:getetag/>", part=500)),
        multistatus(todo("a.ics"), response(PATH + "b.ics", status=0).replace("HTTP/1.1 0 x", "fine")),
        Answer(500),
        Answer(502),
        Answer(503),
    ],
)
def test_a_listing_that_is_not_whole_is_later_and_never_short(
    odd: Odd, service: CaldavService, wrong: Answer
) -> None:
    odd.answer("REPORT", wrong)
    with pytest.raises(LaterError):
        service.fetch()


@pytest.mark.parametrize("status", [400, 405, 415, 501])
def test_what_speaks_no_caldav_is_a_matter_of_settings(odd: Odd, service: CaldavService, status: int) -> None:
    odd.answer("REPORT", Answer(status))
    with pytest.raises(SettingsError, match="check the url"):
        service.fetch()


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_what_is_not_shown_is_a_matter_of_access(odd: Odd, service: CaldavService, status: int) -> None:
    odd.answer("REPORT", Answer(status))
    with pytest.raises(AccessError):
        service.fetch()


def test_a_server_without_sync_tokens_is_listed_each_time(odd: Odd, service: CaldavService) -> None:
    odd.answer("PROPFIND", multistatus(calendar(token=None)))
    odd.answer("REPORT", multistatus(todo()))
    fetched = service.fetch()
    assert fetched.cursor is None
    assert fetched.complete
    assert [record.id for record in fetched.records] == ["a.ics"]


def test_one_unreadable_object_is_told_and_stops_no_other(odd: Odd, service: CaldavService) -> None:
    odd.answer("REPORT", multistatus(todo("a.ics"), todo("b.ics", text="nonsense")))
    fetched = service.fetch()
    assert [record.id for record in fetched.records] == ["a.ics"]
    assert list(fetched.unreadable) == ["b.ics"]
    assert "nonsense" not in fetched.unreadable["b.ics"]
    assert isinstance(service.read(["b.ics"])["b.ics"], OutOfScope)


def test_an_object_that_is_not_shown_is_out_of_scope_and_not_gone(odd: Odd, service: CaldavService) -> None:
    odd.answer(
        "REPORT",
        multistatus(
            response(PATH + "a.ics", status=403),
            response(PATH + "b.ics", "<c:calendar-data/>", part=403),
            response(PATH + "c.ics", status=404),
        ),
    )
    found = service.read(["a.ics", "b.ics", "c.ics"])
    assert isinstance(found["a.ics"], OutOfScope)
    assert isinstance(found["b.ics"], OutOfScope)
    assert found["c.ics"] == Gone("c.ics")


# What a server leaves out of its answer


def test_what_is_left_out_of_an_answer_is_gone_only_if_asking_for_it_says_so(
    odd: Odd, service: CaldavService
) -> None:
    odd.answer("REPORT", multistatus(todo("a.ics")))
    for gone in (Answer(404), multistatus(response(PATH + "b.ics", status=404))):
        odd.answer("PROPFIND", gone)
        assert service.read(["a.ics", "b.ics"])["b.ics"] == Gone("b.ics")
    odd.answer("PROPFIND", multistatus(response(PATH + "b.ics", '<d:getetag>"1"</d:getetag>')))
    with pytest.raises(LaterError):
        service.read(["a.ics", "b.ics"])


# The change feed


def test_a_feed_in_pages_is_read_to_its_end(odd: Odd, service: CaldavService) -> None:
    odd.answer(
        "REPORT",
        multistatus(
            response(PATH + "a.ics", '<d:getetag>"1"</d:getetag>'), response(PATH, status=507), token="t1"
        ),
        multistatus(response(PATH + "b.ics", status=404), token="t2"),
        multistatus(todo("a.ics")),
    )
    fetched = service.fetch("9:t0")
    assert [record.id for record in fetched.records] == ["a.ics"]
    assert fetched.tombstones == ("b.ics",)
    assert fetched.cursor == "8:t2"
    assert ["t0" in odd.asked[0].body, "t1" in odd.asked[1].body] == [True, True]


def test_a_feed_that_is_cut_short_and_does_not_go_on_is_later(odd: Odd, service: CaldavService) -> None:
    odd.answer("REPORT", multistatus(response(PATH, status=507), token="t0"))
    with pytest.raises(LaterError):
        service.fetch("9:t0")


@pytest.mark.parametrize(
    "wrong",
    [
        multistatus(response(PATH + "a.ics", status=500), token="t1"),
        multistatus(response(PATH + "a.ics", '<d:getetag>"1"</d:getetag>')),
        Answer(500),
    ],
)
def test_a_feed_that_is_not_whole_is_later(odd: Odd, service: CaldavService, wrong: Answer) -> None:
    odd.answer("REPORT", wrong)
    with pytest.raises(LaterError):
        service.fetch("9:t0")


@pytest.mark.parametrize("status", [400, 403, 409, 410, 412])
def test_however_a_token_is_refused_everything_comes_back(
    odd: Odd, service: CaldavService, status: int
) -> None:
    odd.answer("REPORT", refusal(status, "d:valid-sync-token"), multistatus(todo()))
    fetched = service.fetch("9:t0")
    assert fetched.reset
    assert fetched.complete
    assert [record.id for record in fetched.records] == ["a.ics"]


def test_a_server_that_answers_a_forgotten_token_with_everything_is_noticed(
    odd: Odd, service: CaldavService
) -> None:
    ids = [f"{number}.ics" for number in range(5)]
    feed = [response(PATH + name, '<d:getetag>"1"</d:getetag>') for name in ids]
    odd.answer("REPORT", multistatus(*feed, token="t9"), multistatus(*map(todo, ids)))
    fetched = service.fetch("8:t0")  # three of eight were deleted, and the feed does not say so
    assert fetched.reset
    assert fetched.complete
    assert {record.id for record in fetched.records} == set(ids)


def test_the_collection_and_folders_in_it_are_no_objects(odd: Odd, service: CaldavService) -> None:
    odd.answer("REPORT", multistatus(response(PATH), response(PATH + "folder/"), token="t1"), multistatus())
    assert service.fetch("9:t0").records == ()


# Patience


def test_a_wait_that_the_server_asks_for_is_told(odd: Odd, service: CaldavService) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    for status in (429, 503):
        for wait, least in (("7", 7), (soon, 60), ("soon", 0)):
            for call in (service.fetch, lambda: service.create({"summary": "a"}, "one")):
                odd.answer("PROPFIND", Answer(status, headers={"Retry-After": wait}))
                odd.answer("PUT", Answer(status, headers={"Retry-After": wait}))
                with pytest.raises(LaterError) as caught:
                    call()
                assert timedelta(seconds=least) <= caught.value.wait <= timedelta(seconds=90)


# The home of calendars


def test_a_display_name_is_looked_up_from_the_principal_on(odd: Odd) -> None:
    odd.answer(
        "PROPFIND",
        multistatus(
            response("/", "<d:current-user-principal><d:href>/me/</d:href></d:current-user-principal>")
        ),
        multistatus(response("/me/", "<c:calendar-home-set><d:href>/home/</d:href></c:calendar-home-set>")),
        multistatus(
            response("/home/", "<d:resourcetype><d:collection/></d:resourcetype>"),
            calendar().replace("<d:sync-token>t0</d:sync-token>", "<d:displayname>Work</d:displayname>"),
        ),
    )
    connection = CaldavConnection.model_validate({"url": odd.url})
    made = connect(connection, CaldavCalendar(calendar="Work"), Mapped())
    assert made.setup()["container"] == odd.url + PATH
    assert [(asked.path, asked.headers["depth"]) for asked in odd.asked] == [
        ("/", "0"),
        ("/me/", "0"),
        ("/home/", "1"),
    ]
    made.close()


def test_a_server_without_principals_is_searched_where_the_url_points(odd: Odd) -> None:
    named = calendar().replace("<d:sync-token>t0</d:sync-token>", "<d:displayname>Work</d:displayname>")
    odd.answer("PROPFIND", multistatus(named))
    made = connect(
        CaldavConnection.model_validate({"url": odd.url}), CaldavCalendar(calendar="Work"), Mapped()
    )
    assert made.setup()["container"] == odd.url + PATH
    made.close()


# Addresses and logins that cannot work


def test_a_way_to_log_in_that_is_not_known_is_a_matter_of_access(
    odd: Odd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THEIR_PASSWORD", "hunter2")
    odd.answer("PROPFIND", Answer(401, headers={"WWW-Authenticate": "Negotiate"}))
    login = {"url": odd.url, "username": "person", "password": {"env": "THEIR_PASSWORD"}}
    made = connect(CaldavConnection.model_validate(login), CaldavCalendar(calendar=PATH), Mapped())
    with pytest.raises(AccessError, match="log in"):
        made.fetch()
    made.close()


def test_an_address_that_nothing_can_call_is_a_matter_of_settings(odd: Odd) -> None:
    connection = CaldavConnection.model_validate({"url": odd.url})
    made = connect(connection, CaldavCalendar(calendar="ftp://127.0.0.1/work/"), Mapped())
    with pytest.raises(SettingsError, match="ftp"):
        made.fetch()
    made.close()


def test_a_failed_encryption_asks_for_the_certificate(odd: Odd) -> None:
    connection = CaldavConnection.model_validate({"url": odd.url.replace("http:", "https:"), "timeout": 5})
    made = connect(connection, CaldavCalendar(calendar=PATH), Mapped())
    with pytest.raises(LaterError, match="certificate"):
        made.fetch()
    made.close()
