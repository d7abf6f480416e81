"""The lines of the contract about what not every service offers: marks, notes, authors, restoring."""

from __future__ import annotations

import pytest

from sync_workers.errors import MovedError, RejectedError
from sync_workers.model import Record
from sync_workers.services.base import Service, mark_of
from tests.contracts.world import Samples, World, by_id


def with_marks(world: World) -> Service:
    service = world.open()
    if not service.capabilities.marks:
        pytest.skip("this service leaves no marks")
    return service


def with_notes(world: World) -> Service:
    service = world.open()
    if not service.capabilities.notes:
        pytest.skip("this service has no place for notes")
    return service


def with_restores(world: World) -> Service:
    service = world.open()
    if not service.capabilities.restores:
        pytest.skip("this service brings nothing back")
    return service


class ExtrasContract(Samples):
    """What a service that offers it keeps to, and that one without it says so."""

    def test_a_create_leaves_its_mark_where_marks_are_left(self, world: World) -> None:
        service = world.open()
        record = service.create(self.first(world), idempotency="one")
        mark = mark_of("one") if service.capabilities.marks else None
        assert record.about.mark == mark
        assert by_id(service.fetch())[record.id].about.mark == mark

    def test_each_create_has_a_mark_of_its_own(self, world: World) -> None:
        service = with_marks(world)
        one = service.create(self.first(world), idempotency="one")
        two = service.create(self.first(world), idempotency="two")
        marks = {record.id: record.about.mark for record in world.open().fetch().records}
        assert marks == {one.id: mark_of("one"), two.id: mark_of("two")}

    def test_a_mark_survives_every_edit(self, world: World) -> None:
        service = with_marks(world)
        made = service.create(self.first(world), idempotency="one")
        updated = service.update(made, self.second(world))
        assert updated.about.mark == mark_of("one")
        world.edit(made.id, self.first(world))
        found = service.read([made.id])[made.id]
        assert isinstance(found, Record)
        assert found.about.mark == mark_of("one")

    def test_what_a_person_adds_has_no_mark_and_no_note(self, world: World) -> None:
        world.add(self.first(world))
        (record,) = world.open().fetch().records
        assert (record.about.mark, record.about.note) == (None, None)

    def test_a_note_stands_with_its_record_only_and_touches_no_field(self, world: World) -> None:
        service = with_notes(world)
        one = service.create(self.first(world), idempotency="one")
        two = world.add(self.second(world))
        before = by_id(service.fetch())

        service.annotate(one.id, "Which name is right?\nBread or Milk")

        after = by_id(world.open().fetch())
        assert after[one.id].about.note == "Which name is right?\nBread or Milk"
        assert after[one.id].about.mark == before[one.id].about.mark
        assert after[one.id].fields == before[one.id].fields
        assert after[two] == before[two]
        found = service.read([one.id])[one.id]
        assert isinstance(found, Record)
        assert found.about == after[one.id].about

    def test_a_note_can_be_repeated_replaced_and_taken_away(self, world: World) -> None:
        service = with_notes(world)
        record_id = world.add(self.first(world))
        for text in ("one", "one", "two", "", ""):
            service.annotate(record_id, text)
            assert by_id(service.fetch())[record_id].about.note == (text or None)

    def test_a_long_note_stays_whole(self, world: World) -> None:
        service = with_notes(world)
        record_id = world.add(self.first(world))
        text = "Which? 🥖\n" * 700
        service.annotate(record_id, text)
        assert by_id(service.fetch())[record_id].about.note == text

    def test_an_edit_is_no_obstacle_for_a_note_and_a_note_none_for_an_update(self, world: World) -> None:
        service = with_notes(world)
        record_id = world.add(self.first(world))
        service.fetch()
        world.edit(record_id, self.second(world))
        service.annotate(record_id, "Which?")
        record = by_id(service.fetch())[record_id]
        self.assert_shows(record, self.second(world))
        updated = service.update(record, self.first(world))
        assert updated.about.note == "Which?"

    @pytest.mark.parametrize("how", ["remove", "destroy"])
    def test_there_is_no_note_on_what_is_gone(self, world: World, how: str) -> None:
        service = with_notes(world)
        record_id = world.add(self.first(world))
        getattr(world, how)(record_id)
        with pytest.raises(MovedError):
            service.annotate(record_id, "Which?")
        assert service.fetch().records == ()

    def test_a_service_without_notes_or_restoring_refuses_them(self, world: World) -> None:
        service = world.open()
        record_id = world.add(self.first(world))
        if not service.capabilities.notes:
            with pytest.raises(RejectedError, match=record_id):
                service.annotate(record_id, "Which?")
        if not service.capabilities.restores:
            with pytest.raises(RejectedError, match=record_id):
                service.restore(record_id)
        self.assert_shows(by_id(service.fetch())[record_id], self.first(world))

    def test_what_was_archived_comes_back_as_it_was(self, world: World) -> None:
        service = with_restores(world)
        record = service.create(self.first(world), idempotency="one")
        service.archive(record)

        restored = world.open().restore(record.id)

        assert (restored.id, restored.fields) == (record.id, record.fields)
        assert by_id(service.fetch())[record.id].fields == record.fields
        assert service.read([record.id])[record.id] == by_id(service.fetch())[record.id]
        self.assert_shows(service.update(restored, self.second(world)), self.second(world))

    def test_what_was_deleted_comes_back_as_it_was_or_is_said_to_be_gone(self, world: World) -> None:
        service = with_restores(world)
        record = service.create(self.first(world), idempotency="one")
        service.delete(record)
        if not world.keeps_deleted:
            with pytest.raises(MovedError, match=record.id):
                service.restore(record.id)
            assert service.fetch().records == ()
            return
        restored = world.open().restore(record.id)
        assert (restored.id, restored.fields) == (record.id, record.fields)
        assert by_id(service.fetch())[record.id].fields == record.fields
        self.assert_shows(service.update(restored, self.second(world)), self.second(world))

    def test_restoring_can_be_repeated(self, world: World) -> None:
        service = with_restores(world)
        record = service.create(self.first(world), idempotency="one")
        service.archive(record)
        restored = service.restore(record.id)
        assert service.restore(record.id) == restored
        assert len(service.fetch().records) == 1

    def test_what_is_in_its_place_is_left_as_it_is(self, world: World) -> None:
        service = with_restores(world)
        record_id = world.add(self.first(world))
        before = by_id(service.fetch())[record_id]
        assert service.restore(record_id) == before
        assert by_id(service.fetch())[record_id] == before

    @pytest.mark.parametrize("archived", [True, False])
    def test_what_is_gone_for_good_cannot_be_restored(self, world: World, archived: bool) -> None:
        service = with_restores(world)
        kept, record_id = world.add(self.first(world)), world.add(self.second(world))
        if archived:
            service.archive(by_id(service.fetch())[record_id])
        world.destroy(record_id)
        with pytest.raises(MovedError, match=record_id):
            service.restore(record_id)
        assert set(by_id(service.fetch())) == {kept}

    def test_the_author_is_who_changed_it_last(self, world: World) -> None:
        service = world.open()
        record_id = world.add(self.first(world))
        record = by_id(service.fetch())[record_id]
        if record.about.author is None:
            pytest.skip("this service does not tell who changed a record")
        ours = service.update(record, self.second(world)).about.author
        assert ours not in {None, record.about.author}
        world.edit(record_id, self.first(world))
        assert by_id(service.fetch())[record_id].about.author == record.about.author
