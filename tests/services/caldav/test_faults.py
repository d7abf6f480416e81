"""What the service says when the network fails, and what is in the calendar then."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from sync_workers.errors import LaterError, MovedError, UnknownOutcomeError
from tests.proxy import Kind, Proxy
from tests.services.caldav.servers import Server
from tests.services.caldav.world import CaldavWorld

LOST = [Kind.CUT, Kind.LOSE]
"""The server does what it is asked, and its reply does not arrive: at once, or until the timeout."""


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    parts = urlsplit(server.url)
    with Proxy((str(parts.hostname), int(parts.port or 0))) as started:
        yield started


@pytest.fixture
def calendar(server: Server, proxy: Proxy) -> Iterator[CaldavWorld]:
    """The person talks to the server itself, the service through the proxy."""
    world = CaldavWorld(server, url=f"http://127.0.0.1:{proxy.port}", timeout=0.7)
    yield world
    world.close()


@pytest.mark.parametrize("kind", LOST)
def test_a_create_whose_reply_is_lost_makes_one_object_however_often_it_is_repeated(
    calendar: CaldavWorld, proxy: Proxy, kind: Kind
) -> None:
    service = calendar.open()
    service.fetch()
    proxy.fail(kind, match=b"PUT ", times=2)
    for _ in range(2):
        with pytest.raises(UnknownOutcomeError):
            service.create({"summary": "Bread"}, "one")
        assert len(calendar.names()) == 1
    made = service.create({"summary": "Bread"}, "one")
    assert calendar.names() == {made.id}
    assert proxy.struck == 2


@pytest.mark.parametrize("kind", [Kind.RESET, Kind.BLACK_HOLE])
def test_a_create_that_never_arrived_is_just_as_unknown_and_just_as_safe(
    calendar: CaldavWorld, proxy: Proxy, kind: Kind
) -> None:
    service = calendar.open()
    service.fetch()
    proxy.fail(kind, match=b"PUT ")
    with pytest.raises(UnknownOutcomeError):
        service.create({"summary": "Bread"}, "one")
    assert calendar.names() == set()
    made = service.create({"summary": "Bread"}, "one")
    assert calendar.names() == {made.id}


@pytest.mark.parametrize("kind", LOST)
def test_an_update_whose_reply_is_lost_has_an_unknown_outcome(
    calendar: CaldavWorld, proxy: Proxy, kind: Kind
) -> None:
    service = calendar.open()
    record = service.create({"summary": "Bread"}, "one")
    proxy.fail(kind, match=b"PUT ")
    with pytest.raises(UnknownOutcomeError):
        service.update(record, {"summary": "Milk"})
    assert "SUMMARY:Milk" in calendar.text(record.id)
    with pytest.raises(MovedError):  # the version is not the known one any more: look again
        service.update(record, {"summary": "Butter"})


@pytest.mark.parametrize("kind", LOST)
def test_a_delete_whose_reply_is_lost_has_an_unknown_outcome_and_can_be_repeated(
    calendar: CaldavWorld, proxy: Proxy, kind: Kind
) -> None:
    service = calendar.open()
    record = service.create({"summary": "Bread"}, "one")
    proxy.fail(kind, match=b"DELETE ")
    with pytest.raises(UnknownOutcomeError):
        service.delete(record)
    assert calendar.names() == set()
    service.delete(record)


@pytest.mark.parametrize("kind", LOST)
def test_a_write_that_cannot_be_read_back_has_an_unknown_outcome(
    calendar: CaldavWorld, proxy: Proxy, kind: Kind
) -> None:
    service = calendar.open()
    service.fetch()
    proxy.fail(kind, match=b"REPORT ")
    with pytest.raises(UnknownOutcomeError):
        service.create({"summary": "Bread"}, "one")
    assert len(calendar.names()) == 1


def test_a_refused_connection_is_later_for_everything(calendar: CaldavWorld, proxy: Proxy) -> None:
    record = calendar.open().create({"summary": "Bread"}, "one")
    proxy.refuse()
    service = calendar.open()
    for call in (
        service.fetch,
        lambda: service.fetch("1:token"),
        lambda: service.read([record.id]),
        lambda: service.create({"summary": "Milk"}, "two"),
        lambda: service.update(record, {"summary": "Milk"}),
        lambda: service.delete(record),
    ):
        with pytest.raises(LaterError, match="not reached"):
            call()
    proxy.listen()
    assert [record.fields["summary"] for record in service.fetch().records] == ["Bread"]


def test_a_connection_that_was_open_and_is_refused_now_is_later(calendar: CaldavWorld, proxy: Proxy) -> None:
    service = calendar.open()
    record = service.create({"summary": "Bread"}, "one")
    proxy.refuse()
    with pytest.raises(LaterError):
        service.fetch()
    with pytest.raises((LaterError, UnknownOutcomeError)):
        service.delete(record)
    assert calendar.names() == {record.id}


@pytest.mark.parametrize("kind", [*LOST, Kind.RESET, Kind.BLACK_HOLE])
@pytest.mark.parametrize("method", [b"PROPFIND ", b"REPORT "])
def test_a_listing_that_does_not_arrive_is_later(
    calendar: CaldavWorld, proxy: Proxy, kind: Kind, method: bytes
) -> None:
    calendar.add({"summary": "Bread"})
    proxy.fail(kind, match=method)
    with pytest.raises(LaterError):
        calendar.open().fetch()
    assert proxy.struck == 1


def test_a_listing_cut_anywhere_is_an_error_and_never_a_short_listing(
    calendar: CaldavWorld, proxy: Proxy
) -> None:
    ids = {calendar.add({"summary": f"To-do {number}"}) for number in range(3)}
    calendar.open().fetch()
    before = proxy.received
    service = calendar.open()
    service.fetch()
    whole = proxy.received - before
    cuts = 0
    for after in range(1, whole, max(1, whole // 20)):
        proxy.heal()
        proxy.fail(Kind.CUT, match=b"REPORT ", after=after)
        service = calendar.open()
        try:
            listed = {record.id for record in service.fetch().records}
        except LaterError:
            cuts += 1
            continue
        assert listed == ids  # the cut was behind the listing's end
    assert cuts > 5


def test_a_change_feed_cut_anywhere_is_an_error_and_never_a_shorter_feed(
    calendar: CaldavWorld, proxy: Proxy
) -> None:
    ids = [calendar.add({"summary": f"To-do {number}"}) for number in range(9)]
    cursor = calendar.open().fetch().cursor
    calendar.edit(ids[0], {"summary": "New"})
    calendar.edit(ids[1], {"summary": "New"})
    calendar.remove(ids[2])
    cuts = 0
    for after in range(1, 2500, 150):
        for nth in range(2):
            proxy.heal()
            proxy.fail(Kind.DELAY, match=b"REPORT ", times=nth)
            proxy.fail(Kind.CUT, match=b"REPORT ", after=after)
            try:
                fetched = calendar.open().fetch(cursor)
            except LaterError:
                cuts += 1
                continue
            assert {record.id for record in fetched.records} == set(ids[:2])
            assert fetched.tombstones == (ids[2],)
    assert cuts > 5


def test_a_late_reply_within_the_timeout_is_a_reply(calendar: CaldavWorld, proxy: Proxy) -> None:
    proxy.fail(Kind.DELAY, seconds=0.1, times=3)
    assert calendar.open().create({"summary": "Bread"}, "one").fields["summary"] == "Bread"


def test_what_someone_writes_before_the_read_back_is_not_taken_for_ours(
    calendar: CaldavWorld, proxy: Proxy
) -> None:
    service = calendar.open()
    record = service.create({"summary": "Bread"}, "one")
    calendar.add({"summary": "Another"})
    calendar.add({"summary": "And another"})
    cursor = service.fetch().cursor
    proxy.fail(Kind.DELAY, match=b"PUT ", then=lambda: calendar.edit(record.id, {"summary": "Their edit"}))

    updated = service.update(record, {"summary": "Milk"})

    # What we wrote is the base, so their edit is an edit in the next run.
    assert updated.fields["summary"] == "Milk"
    now = {found.id: found for found in service.fetch(cursor).records}[record.id]
    assert now.fields["summary"] == "Their edit"
    assert now.version != updated.version
    with pytest.raises(MovedError):
        service.update(updated, {"summary": "Butter"})


def test_what_is_added_while_the_list_is_read_comes_with_the_next_feed(
    calendar: CaldavWorld, proxy: Proxy
) -> None:
    for number in range(3):
        calendar.add({"summary": str(number)})
    added = []
    proxy.fail(Kind.DELAY, match=b"REPORT ", then=lambda: added.append(calendar.add({"summary": "late"})))
    start = calendar.open().fetch()
    following = calendar.open().fetch(start.cursor)
    assert [record.id for record in following.records] == added


def test_one_record_costs_few_calls(calendar: CaldavWorld, proxy: Proxy) -> None:
    for number in range(5):
        calendar.add({"summary": str(number)})
    service = calendar.open()
    cursor = service.fetch().cursor

    def calls(*methods: bytes) -> int:
        return sum(proxy.count(method) for method in methods)

    everything = (b"PROPFIND", b"REPORT", b"PUT", b"DELETE", b"GET")
    before = calls(*everything)
    assert service.fetch(cursor).records == ()
    assert calls(*everything) - before == 1  # nothing changed: one question
    before = calls(*everything)
    made = service.create({"summary": "Bread"}, "one")
    assert calls(*everything) - before == 2  # the write, and its read-back
    before = calls(*everything)
    service.update(made, {"summary": "Milk"})
    assert calls(*everything) - before == 3
    assert calls(b"PUT") == 2
