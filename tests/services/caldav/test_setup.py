from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from sync_workers.errors import AccessError, RejectedError, SettingsError
from sync_workers.services.base import Mapped
from sync_workers.services.caldav import KIND, connect
from sync_workers.services.caldav.settings import CaldavCalendar, CaldavConnection
from tests.services.caldav.servers import PASSWORD, Servers
from tests.services.caldav.world import CaldavWorld


def test_a_calendar_is_found_by_its_url_path_or_display_name(calendar: CaldavWorld) -> None:
    record_id = calendar.add({"summary": "Bread"})
    names = [
        calendar.url + calendar.path,
        calendar.path,
        calendar.path.rstrip("/"),
        f"To-dos {calendar.name}",
    ]
    for name in names:
        service = calendar.open(name)
        assert [record.id for record in service.fetch().records] == [record_id]
        assert service.setup()["container"] == calendar.url + calendar.path


def test_an_unknown_display_name_lists_those_that_are_there(calendar: CaldavWorld) -> None:
    with pytest.raises(SettingsError, match=rf"To-dos {calendar.name}.*{calendar.path}"):
        calendar.open("Nobody's").setup()


def test_a_display_name_that_two_calendars_have_is_refused_with_both_paths(calendar: CaldavWorld) -> None:
    twin = f"{calendar.server.home}{calendar.name}-twin/"
    calendar.make(twin, f"To-dos {calendar.name}")
    with pytest.raises(SettingsError, match="several") as caught:
        calendar.open(f"To-dos {calendar.name}").setup()
    assert twin in str(caught.value)
    assert calendar.path in str(caught.value)
    calendar.person.delete(twin)


def test_a_calendar_for_events_only_is_refused(calendar: CaldavWorld) -> None:
    events = f"{calendar.server.home}{calendar.name}-events/"
    calendar.make(events, "Events", "VEVENT")
    with pytest.raises(SettingsError, match="no to-dos"):
        calendar.open(events).fetch()
    calendar.person.delete(events)


def test_what_is_no_calendar_is_refused(calendar: CaldavWorld) -> None:
    with pytest.raises(SettingsError, match="no calendar"):
        calendar.open(calendar.server.home).fetch()


def test_a_calendar_that_is_not_there_is_a_matter_of_access_and_never_of_gone_records(
    calendar: CaldavWorld,
) -> None:
    record_id = calendar.add({"summary": "Bread"})
    service = calendar.open()
    start = service.fetch()
    calendar.person.delete(calendar.path)
    for call in (
        service.fetch,
        lambda: service.fetch(start.cursor),
        lambda: service.read([record_id]),
        lambda: service.create({"summary": "Milk"}, "one"),
        lambda: service.update(start.records[0], {"summary": "Milk"}),
    ):
        with pytest.raises(AccessError, match=calendar.path):
            call()


def test_a_wrong_login_is_refused_without_telling_it(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = CaldavWorld(servers.get("radicale"))
    monkeypatch.setenv("THEIR_PASSWORD", f"not {PASSWORD}")
    for login in ({}, {"username": "person", "password": {"env": "THEIR_PASSWORD"}}):
        connection = CaldavConnection.model_validate({"url": world.url, **login})
        service = connect(connection, CaldavCalendar(calendar=world.path), world.mapped)
        with pytest.raises(AccessError, match="login") as caught:
            service.fetch()
        assert PASSWORD not in str(caught.value)
        service.close()
    world.close()


def test_the_credential_s_fingerprint_changes_with_the_login_and_tells_nothing(
    calendar: CaldavWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    prints = set()
    for username, password in (("person", "a"), ("person", "b"), ("another", "a")):
        monkeypatch.setenv("THEIR_PASSWORD", password)
        login = {"url": calendar.url, "username": username, "password": {"env": "THEIR_PASSWORD"}}
        place = CaldavCalendar(calendar=calendar.path)
        service = connect(CaldavConnection.model_validate(login), place, calendar.mapped)
        prints.add(service.setup()["credential"])
        assert username not in str(service.setup()["credential"])
        service.close()
    assert len(prints) == 3


def test_a_login_in_a_url_is_refused() -> None:
    with pytest.raises(ValueError, match="login"):
        CaldavConnection.model_validate({"url": "http://person:hunter2@example.com/"})
    with pytest.raises(ValueError, match="login"):
        CaldavCalendar(calendar="http://person:hunter2@example.com/work/")


def test_two_views_of_one_property_cannot_both_be_mapped() -> None:
    connection = CaldavConnection.model_validate({"url": "http://localhost/"})
    with pytest.raises(SettingsError, match="map only one"):
        connect(connection, CaldavCalendar(calendar="/a/"), Mapped(("status", "done")))


def test_a_mapped_field_that_todos_do_not_have_is_named() -> None:
    connection = CaldavConnection.model_validate({"url": "http://localhost/"})
    with pytest.raises(SettingsError, match="sumary; there are summary"):
        connect(connection, CaldavCalendar(calendar="/a/"), Mapped(("sumary",)))


def test_fields_outside_the_map_are_not_written(calendar: CaldavWorld) -> None:
    with pytest.raises(RejectedError, match="location"):
        calendar.open().create({"summary": "a", "location": "b"}, "one")
    assert calendar.names() == set()


def test_records_are_matched_by_their_summary() -> None:
    assert KIND.title == "summary"


@pytest.mark.parametrize("missing", ["caldav", "icalendar"])
def test_a_missing_library_names_the_extra(missing: str, tmp_path: Path) -> None:
    program = textwrap.dedent(f"""
        import sys
        sys.modules[{missing!r}] = None
        from sync_workers.errors import MissingExtraError
        from sync_workers.services import find
        from sync_workers.services.base import Mapped
        kind = find("caldav")
        place = kind.container(calendar="/a/")
        try:
            kind.connect(kind.connection(url="http://localhost/"), place, Mapped())
        except MissingExtraError as error:
            print(error)
    """)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert "pip install 'sync-workers[caldav]'" in done.stdout, done.stderr


def test_the_libraries_are_not_imported_before_they_are_needed(tmp_path: Path) -> None:
    program = (
        "import sys; from sync_workers.services import find; find('caldav'); "
        "print(sorted({'caldav', 'icalendar', 'niquests'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "[]"
