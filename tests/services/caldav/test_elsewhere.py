"""R4: a to-do that was moved to another calendar of the same login is not deleted."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from sync_workers.errors import LaterError
from sync_workers.services.base import Gone, OutOfScope
from sync_workers.services.caldav.service import CaldavService
from tests.services.caldav.odd import PATH, Answer, Odd, multistatus, response
from tests.services.caldav.servers import Server
from tests.services.caldav.world import CaldavWorld


@pytest.mark.parametrize("way", ["MOVE", "PUT and DELETE"])
def test_a_to_do_that_was_moved_is_out_of_scope_and_says_where_it_is(
    calendar: CaldavWorld, server: Server, way: str
) -> None:
    another = CaldavWorld(server)
    record_id = calendar.add({"summary": "Bread"})
    service = calendar.open()
    assert [record.id for record in service.fetch().records] == [record_id]

    if way == "MOVE":
        place = {"Destination": calendar.url + another.path + quote(record_id)}
        calendar.person.request("MOVE", calendar.path + quote(record_id), headers=place).raise_for_status()
    else:
        another.put(record_id, calendar.text(record_id))
        calendar.remove(record_id)

    moved = OutOfScope(record_id, f"moved to the calendar 'To-dos {another.name}'")
    assert service.read([record_id, "gone.ics"]) == {record_id: moved, "gone.ics": Gone("gone.ics")}
    another.remove(record_id)
    assert service.read([record_id]) == {record_id: Gone(record_id)}
    another.close()


def test_its_own_calendar_is_not_asked_once_more(odd: Odd, service: CaldavService) -> None:
    """R10: with one calendar, as the fixture has, there is nobody to ask but for what there is."""
    odd.answer("REPORT", multistatus(response(f"{PATH}a.ics", status=404)))
    for _ in range(2):
        assert service.read(["a.ics"]) == {"a.ics": Gone("a.ics")}
    assert not [asked.path for asked in odd.asked if asked.method == "PROPFIND" and "a.ics" in asked.path]
    assert len(odd.asked) == len(("REPORT", "principal", "homes", "calendars", "REPORT"))


def test_a_login_that_cannot_look_around_takes_what_left_its_calendar_for_gone(
    odd: Odd, service: CaldavService
) -> None:
    """A link to one shared calendar: there is nowhere else that it could ask."""
    odd.answer("REPORT", multistatus(response(f"{PATH}a.ics", status=404)))
    odd.answer("PROPFIND", Answer(403))
    assert service.read(["a.ics"]) == {"a.ics": Gone("a.ics")}


def test_a_server_that_cannot_say_now_where_a_to_do_is_proves_no_deletion(
    odd: Odd, service: CaldavService
) -> None:
    odd.answer("REPORT", multistatus(response(f"{PATH}a.ics", status=404)))
    odd.answer("PROPFIND", Answer(503))
    with pytest.raises(LaterError):
        service.read(["a.ics"])
