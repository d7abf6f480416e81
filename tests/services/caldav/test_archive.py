"""What archiving leaves on a to-do, and what bringing it back takes away again."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from sync_workers.errors import MovedError, UnknownOutcomeError
from sync_workers.services.caldav.service import CaldavService
from tests.proxy import Kind, Proxy
from tests.services.caldav.odd import PATH, Answer, Odd, multistatus, refusal, response, todo
from tests.services.caldav.servers import Server
from tests.services.caldav.test_service import EVENT, RICH
from tests.services.caldav.texts import NOW, parse
from tests.services.caldav.world import CaldavWorld

ARCHIVED = (
    "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nUID:1\r\nSUMMARY:Bread\r\nSTATUS:CANCELLED\r\n"
    "X-SYNC-WORKERS-ARCHIVED:TRUE\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
)
STAMPS = ("DTSTAMP", "LAST-MODIFIED")


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith(STAMPS)]


@pytest.mark.parametrize(
    "own",
    [
        [],
        ["STATUS:IN-PROCESS", "PERCENT-COMPLETE:30"],
        ["STATUS:COMPLETED", "COMPLETED:20260101T000000Z", "PERCENT-COMPLETE:100"],
        ["COMPLETED:20260101T000000Z"],
        ["STATUS:CANCELLED"],
    ],
)
def test_bringing_back_undoes_archiving_to_the_letter(own: list[str]) -> None:
    before = parse(*own)
    archived = before.with_properties(before.put_away(), NOW)
    back = archived.with_properties(archived.brought_back(), NOW)
    assert (archived.archived, archived.status()) == (True, "CANCELLED")
    assert not back.archived
    assert sorted(lines(back.text)) == sorted(lines(before.text))


def test_a_status_that_someone_gave_it_meanwhile_stays() -> None:
    before = parse("STATUS:IN-PROCESS")
    archived = before.with_properties(before.put_away(), NOW)
    done = archived.with_properties(archived.completion("COMPLETED", NOW), NOW)
    back = done.with_properties(done.brought_back(), NOW)
    assert back.status() == "COMPLETED"
    assert "X-SYNC-WORKERS" not in back.text


def test_what_was_archived_before_its_status_was_kept_comes_back_without_one() -> None:
    archived = parse("STATUS:CANCELLED", "X-SYNC-WORKERS-ARCHIVED:TRUE")
    assert archived.with_properties(archived.brought_back(), NOW).status() is None


def test_everything_else_in_the_object_stays(calendar: CaldavWorld) -> None:
    record_id = calendar.put("rich.ics", RICH.replace("\n", "\r\n"))
    before = calendar.text(record_id)
    service = calendar.open()
    service.archive(service.fetch().records[0])
    service.restore(record_id)
    assert sorted(lines(calendar.text(record_id))) == sorted(lines(before))


def test_what_comes_back_is_in_the_change_feed(calendar: CaldavWorld) -> None:
    record_id = calendar.add({"summary": "Bread"})
    for name in ("Milk", "Butter"):
        calendar.add({"summary": name})
    service = calendar.open()
    service.archive(next(record for record in service.fetch().records if record.id == record_id))
    cursor = service.fetch().cursor
    restored = service.restore(record_id)
    changed = service.fetch(cursor)
    assert changed.records == (restored,)
    assert changed.tombstones == ()


def test_an_event_cannot_be_brought_back(calendar: CaldavWorld) -> None:
    event = calendar.put("event.ics", EVENT)
    with pytest.raises(MovedError, match="not a to-do"):
        calendar.open().restore(event)


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    parts = urlsplit(server.url)
    with Proxy((str(parts.hostname), int(parts.port or 0))) as started:
        yield started


@pytest.mark.parametrize("kind", [Kind.CUT, Kind.LOSE])
def test_a_restore_whose_reply_is_lost_is_unknown_and_can_be_repeated(
    server: Server, proxy: Proxy, kind: Kind
) -> None:
    calendar = CaldavWorld(server, url=f"http://127.0.0.1:{proxy.port}", timeout=0.7)
    service = calendar.open()
    record = service.create({"summary": "Bread"}, "one")
    service.archive(record)
    proxy.fail(kind, match=b"PUT ")
    with pytest.raises(UnknownOutcomeError):
        service.restore(record.id)
    assert proxy.struck == 1
    assert "ARCHIVED" not in calendar.text(record.id)
    assert service.restore(record.id).fields == record.fields
    calendar.close()


def test_what_is_edited_between_the_look_and_the_write_is_moved(odd: Odd, service: CaldavService) -> None:
    odd.answer("REPORT", multistatus(todo(text=ARCHIVED)))
    odd.answer("PUT", refusal(412))
    with pytest.raises(MovedError):
        service.restore("a.ics")
    assert odd.asked[-1].headers["if-match"] == '"1"'


@pytest.mark.parametrize("gone", [response(PATH + "a.ics", status=404), ""])
def test_a_server_that_says_it_is_gone_is_believed(odd: Odd, service: CaldavService, gone: str) -> None:
    service.fetch  # noqa: B018 - the calendar is looked up by the first call
    odd.answer("REPORT", multistatus(*filter(None, [gone])))
    odd.answer("PROPFIND", Answer(404))
    with pytest.raises(MovedError, match="deleted"):
        service.restore("a.ics")
