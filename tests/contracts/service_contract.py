"""The contract of a service as tests: every service's test file subclasses `ServiceContract`.

A subclass gives a `world` fixture: one empty container on the real server, and a second way into
it by which the test acts as a person would, past the service under test.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync_workers.errors import MovedError, RejectedError
from sync_workers.model import Record
from sync_workers.services.base import Gone, Service
from sync_workers.values import is_unset, same
from tests.contracts.extras_contract import ExtrasContract
from tests.contracts.world import World, by_id


class ServiceContract(ExtrasContract):
    """Every line of the contract that holds for all services."""

    def test_is_a_service(self, world: World) -> None:
        assert isinstance(world.open(), Service)

    def test_schema_has_the_mapped_fields(self, world: World) -> None:
        schema = world.open().schema()
        assert set(world.mapped.names) <= set(schema)
        assert all(field.name == name and field.id for name, field in schema.items())

    def test_setup_is_stable_between_two_services(self, world: World) -> None:
        assert dict(world.open().setup()) == dict(world.open().setup())
        assert "container" in world.open().setup()

    def test_an_empty_container_is_a_complete_empty_listing(self, world: World) -> None:
        fetched = world.open().fetch()
        assert fetched.records == ()
        assert fetched.complete

    def test_fetch_shows_what_a_person_added(self, world: World) -> None:
        record_id = world.add(self.first(world))
        fetched = world.open().fetch()
        assert set(by_id(fetched)) == {record_id}
        self.assert_shows(by_id(fetched)[record_id], self.first(world))

    def test_fetch_shows_only_mapped_fields(self, world: World) -> None:
        world.add(self.first(world))
        (record,) = world.open().fetch().records
        assert set(record.fields) == set(world.mapped.names)

    def test_times_of_change_are_aware(self, world: World) -> None:
        world.add(self.first(world))
        (record,) = world.open().fetch().records
        assert record.modified is None or record.modified.tzinfo is not None

    def test_create_returns_what_fetch_shows_afterwards(self, world: World) -> None:
        created = world.open().create(self.first(world), idempotency="one")
        self.assert_shows(created, self.first(world))
        assert by_id(world.open().fetch())[created.id].fields == created.fields

    def test_two_creates_make_two_records(self, world: World) -> None:
        service = world.open()
        one = service.create(self.first(world), idempotency="one")
        two = service.create(self.first(world), idempotency="two")
        assert set(by_id(service.fetch())) == {one.id, two.id}

    def test_a_safe_create_is_done_once(self, world: World) -> None:
        service = world.open()
        if not service.capabilities.safe_create:
            pytest.skip("this service makes no promise about repeated creates")
        one = service.create(self.first(world), idempotency="one")
        again = world.open().create(self.first(world), idempotency="one")
        assert one.id == again.id
        assert len(service.fetch().records) == 1

    def test_unset_values_can_be_created(self, world: World) -> None:
        key = world.mapped.key
        fields = {name: (values[0] if name == key else None) for name, values in world.samples.items()}
        created = world.open().create(fields, idempotency="one")
        assert set(created.fields) == set(world.mapped.names)
        assert by_id(world.open().fetch())[created.id].fields == created.fields

    def test_update_writes_only_the_named_fields(self, world: World) -> None:
        service = world.open()
        created = service.create(self.first(world), idempotency="one")
        for name, (first, second) in world.samples.items():
            record = by_id(service.fetch())[created.id]
            updated = service.update(record, {name: second})
            assert same(updated.fields[name], second), name
            others = {n: v for n, v in record.fields.items() if n != name}
            assert {n: updated.fields[n] for n in others} == others
            assert not same(first, second)
        assert by_id(service.fetch())[created.id].fields == updated.fields

    def test_what_update_returned_can_be_updated_again(self, world: World) -> None:
        service = world.open()
        record = service.create(self.first(world), idempotency="one")
        record = service.update(record, self.second(world))
        record = service.update(record, self.first(world))
        self.assert_shows(record, self.first(world))

    def test_fields_can_be_cleared(self, world: World) -> None:
        service = world.open()
        record = service.create(self.first(world), idempotency="one")
        unset = {name: None for name in world.samples if name != world.mapped.key}
        cleared = service.update(record, unset)
        assert by_id(service.fetch())[record.id].fields == cleared.fields
        # A checkbox has no third state: unset is unchecked.
        assert all(cleared.fields[name] is False or is_unset(cleared.fields[name]) for name in unset)

    def test_update_refuses_a_record_that_moved(self, world: World) -> None:
        service = world.open()
        record_id = world.add(self.first(world))
        record = by_id(service.fetch())[record_id]
        name = next(iter(world.samples))
        world.edit(record_id, {name: world.samples[name][1]})
        with pytest.raises(MovedError):
            service.update(record, self.first(world))
        assert same(by_id(service.fetch())[record_id].fields[name], world.samples[name][1])

    def test_update_refuses_a_record_that_is_gone(self, world: World) -> None:
        service = world.open()
        record_id = world.add(self.first(world))
        record = by_id(service.fetch())[record_id]
        world.remove(record_id)
        with pytest.raises(MovedError):
            service.update(record, self.second(world))
        assert service.fetch().records == ()

    def test_delete_takes_it_out_of_the_listing(self, world: World) -> None:
        service = world.open()
        kept = service.create(self.second(world), idempotency="two")
        record = service.create(self.first(world), idempotency="one")
        service.delete(by_id(service.fetch())[record.id])
        assert set(by_id(service.fetch())) == {kept.id}

    def test_deleting_twice_is_success(self, world: World) -> None:
        service = world.open()
        record = service.create(self.first(world), idempotency="one")
        service.delete(record)
        service.delete(record)
        assert service.fetch().records == ()

    def test_delete_refuses_a_record_that_moved(self, world: World) -> None:
        service = world.open()
        record_id = world.add(self.first(world))
        record = by_id(service.fetch())[record_id]
        name = next(iter(world.samples))
        world.edit(record_id, {name: world.samples[name][1]})
        with pytest.raises(MovedError):
            service.delete(record)
        assert set(by_id(service.fetch())) == {record_id}

    def test_read_tells_there_from_gone(self, world: World) -> None:
        service = world.open()
        there, gone = world.add(self.first(world)), world.add(self.second(world))
        world.remove(gone)
        found = service.read([there, gone])
        assert set(found) == {there, gone}
        shown = found[there]
        assert isinstance(shown, Record)
        assert shown.fields == by_id(service.fetch())[there].fields
        assert isinstance(found[gone], Gone)

    def test_reading_nothing_gives_nothing(self, world: World) -> None:
        assert dict(world.open().read([])) == {}

    def test_archive_takes_it_out_of_sight_without_deleting(self, world: World) -> None:
        service = world.open()
        if not service.capabilities.archives:
            pytest.skip("this service has no archive")
        record = service.create(self.first(world), idempotency="one")
        service.archive(record)
        assert service.fetch().records == ()

    def test_the_change_feed_brings_only_what_changed(self, world: World) -> None:
        service = world.open()
        if not service.capabilities.change_feed:
            pytest.skip("this service has no change feed")
        quiet, edited = world.add(self.first(world)), world.add(self.first(world))
        start = service.fetch()
        assert start.cursor is not None
        unchanged = service.fetch(start.cursor)
        assert unchanged.cursor is not None
        if not service.capabilities.watched:  # such a feed shows anew what was changed a little while ago
            assert unchanged.records == ()
            assert not unchanged.complete
        name = next(iter(world.samples))
        world.edit(edited, {name: world.samples[name][1]})
        changed = world.open().fetch(unchanged.cursor)
        assert set(by_id(changed)) - {quiet} == {edited}
        assert service.capabilities.watched or quiet not in by_id(changed)
        assert quiet not in changed.tombstones
        self.assert_shows(by_id(changed)[edited], {name: world.samples[name][1]})

    def test_the_change_feed_names_deleted_records(self, world: World) -> None:
        service = world.open()
        if not service.capabilities.deletes_visible:
            pytest.skip("this service does not name deleted records")
        record_id = world.add(self.first(world))
        start = service.fetch()
        world.remove(record_id)
        assert service.fetch(start.cursor).tombstones == (record_id,)

    def test_a_refused_cursor_brings_everything_back(self, world: World) -> None:
        service = world.open()
        if not service.capabilities.change_feed:
            pytest.skip("this service has no change feed")
        record_id = world.add(self.first(world))
        fetched = service.fetch("no cursor of this service")
        assert set(by_id(fetched)) == {record_id}
        assert fetched.reset
        assert fetched.complete

    def test_a_stale_version_alone_is_no_excuse_to_write(self, world: World) -> None:
        service = world.open()
        if not service.capabilities.compare_and_set:
            pytest.skip("this service has no versions")
        record = service.create(self.first(world), idempotency="one")
        with pytest.raises(MovedError):
            service.update(replace(record, version="stale"), self.second(world))

    def test_close_can_be_called_twice(self, world: World) -> None:
        service = world.open()
        service.close()
        service.close()

    def test_a_field_that_is_not_there_is_an_error(self, world: World) -> None:
        with pytest.raises(RejectedError):
            world.open().create({**self.first(world), "no such field": "x"}, idempotency="one")
