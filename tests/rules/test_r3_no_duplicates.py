"""No duplicates (R3): whatever dies, times out or answers late, one record never becomes two. A lost
reply is a third outcome beside success and failure; the next attempt looks before it creates."""

from __future__ import annotations

from dataclasses import replace

from sync_workers.engine.rules import DeletePolicy
from sync_workers.errors import (
    LaterError,
    UnknownOutcomeError,
)
from sync_workers.model import Fields, Pair, Record, Side
from sync_workers.runs.store import MemoryStore
from sync_workers.services.base import Capabilities
from sync_workers.services.memory import FULL
from sync_workers.state import Change
from tests.runs.here import BOTH, RULES, Guarded, Here, application, carry_out, named
from tests.runs.situations import POOR


def test_r3_a_create_that_an_attempt_began_is_not_repeated_blindly() -> None:
    here = Here(capabilities=Pair(POOR, POOR))
    here.add(Side.NOTION, title="Bread")
    store = MemoryStore()
    store.begin(0, Change())
    carried = application(here, store)
    carry_out(carried)
    assert here.services.other.asked == []
    assert [failure.unknown for failure in carried.report.failures] == [True]


def test_r3_a_safe_create_that_gives_back_a_record_somebody_edited_makes_no_second_one() -> None:
    """R2: the edit reaches the other side or is named in a conflict."""
    unmarked = replace(FULL, marks=False)
    here = Here(capabilities=Pair(unmarked, unmarked))
    source = here.add(Side.OTHER, text="two")  # without a key
    here.services.notion.errors["create"] = lambda: UnknownOutcomeError("cut")
    here.run()
    here.services.notion.errors.clear()
    made = here.services.notion.create({"Text": "two"}, f"crash/notion/{source}")
    here.edit(Side.NOTION, made.id, text="edited by a person")

    here.open()
    report = here.run()
    quiet = here.world.settle()

    assert {hold.record_id for hold in report.held} == {made.id}  # not quiet yet, and it says so (R1)
    assert here.world.disagreements(quiet) == []
    assert [len(here.world.containers[side].records) for side in Side] == [1, 1]
    assert here.state.ids == {made.id: source}
    assert "edited by a person" in here.world.values()


def test_r3_a_refused_retry_does_not_forget_that_an_earlier_create_may_have_worked(here: Here) -> None:
    """The record of the first attempt shows up late, as behind an index that lags."""
    source = here.add(Side.NOTION, text="two")  # without a key: only the journal knows it

    class Lagging(Guarded):
        def create(self, fields: Fields, idempotency: str) -> Record:
            made = super().create(fields, idempotency)
            self.hidden.add(made.id)
            msg = "the reply was lost"
            raise UnknownOutcomeError(msg)

    here.services = Pair(here.services.notion, Lagging(here.services.other))
    here.run()
    here.services.other.errors["create"] = lambda: LaterError("wait")
    here.run()  # looks, sees nothing, tries again, is refused
    assert source in here.state.pending[Side.OTHER]

    here.open()
    assert here.run().counts == {"link": 1}
    assert [len(here.world.containers[side].records) for side in Side] == [1, 1]
    assert here.is_quiet()


@BOTH
def test_r3_a_pair_that_is_out_of_sight_on_both_sides_stays_linked(here: Here, side: Side) -> None:
    """Both done and filtered out, say: when one of them is shown again, it is no new record."""
    ids = here.linked()
    for each in Side:
        container = here.world.containers[each]
        container.archived[ids[each]] = container.records[ids[each]]
        container.remove(ids[each])
    assert here.run().counts == {}
    assert here.state.ids == {ids.notion: ids.other}

    here.world.containers[side].put(here.world.containers[side].archived.pop(ids[side]))
    here.open()
    assert here.run().counts == {}
    assert len(here.world.containers[side].records) == 1


def test_r3_a_safe_create_that_an_attempt_began_is_made_again_and_is_the_same(here: Here) -> None:
    source = here.add(Side.NOTION, title="Bread")
    store = MemoryStore()
    carried = application(here, store)
    # What the attempt made is not in the listing that the plan was made from.
    store.begin(0, Change())
    made = here.services.other.create(named(Side.OTHER, {"title": "Bread"}), f"apply/other/{source}")

    carry_out(carried)

    assert list(here.world.containers.other.records) == [made.id]
    assert carried.state.ids == {source: made.id}


@BOTH
def test_r3_a_lost_create_is_found_by_its_mark_after_a_person_edited_all_of_it(side: Side) -> None:
    marking = Capabilities(archives=True, marks=True)
    here = Here(capabilities=Pair(marking, marking))
    here.add(side.opposite, title="Bread", text="two")

    class Losing(Guarded):
        def create(self, fields: Fields, idempotency: str) -> Record:
            super().create(fields, idempotency)
            raise UnknownOutcomeError("cut")

    here.services = Pair.of(side, Losing(here.services[side]), here.services[side.opposite])
    here.run()
    (made,) = here.world.containers[side].records
    here.edit(side, made, title="Rolls", text="three", note="four")

    here.open()
    here.world.settle()

    assert [len(here.world.containers[each].records) for each in Side] == [1, 1]
    (source,) = here.world.containers[side.opposite].records
    assert here.fields(side.opposite, source) == named(
        side.opposite, {"title": "Rolls", "text": "three", "note": "four"}
    )


@BOTH
def test_r3_what_was_there_before_the_first_attempt_is_remembered_over_later_ones(side: Side) -> None:
    here = Here(replace(RULES, delete=DeletePolicy.each_way(DeletePolicy.UNLINK)), Pair(POOR, POOR))
    before = here.add(side, text="two")
    here.run()
    (copy,) = here.world.containers[side.opposite].records
    here.remove(side.opposite, copy)
    here.run()  # what is left of it is left alone
    assert here.state.unlinked[side] == {before}
    source = here.add(side.opposite, text="two")
    here.services[side].errors["create"] = lambda: UnknownOutcomeError("cut")
    here.run()
    assert here.state.pending[side][source].alike == (before,)

    here.run()
    assert here.state.pending[side][source].alike == (before,)


@BOTH
def test_r3_a_create_that_gives_back_what_belongs_to_another_record_takes_it_from_nobody(
    here: Here, side: Side
) -> None:
    """All state is lost, and by its new name the record that was once copied is another one."""
    source = here.add(side, title="Bread", text="one")
    here.run()
    here.world.state = None
    here.edit(side, source, title="Rye bread")
    here.add(side, title="Bread", text="two")

    here.run()

    for each in Side:
        assert sorted(str(record.fields[Pair("Name", "title")[each]]) for record in records(here, each)) == [
            "Bread",
            "Rye bread",
        ]
    assert len(here.state.ids) == 2
    assert here.is_quiet()


@BOTH
def test_r3_a_record_that_is_given_back_and_shows_something_else_is_told_to_be_compared_next(
    here: Here, side: Side
) -> None:
    """All state is lost, and nobody can tell to which of two records the copy of a renamed one belongs."""
    source = here.add(side, title="Bread", text="one")
    here.run()
    (copy,) = here.world.containers[side.opposite].records
    here.world.state = None
    here.edit(side, source, title="Rye bread")
    for text in ("two", "three"):
        here.add(side, title="Bread", text=text)

    report = here.run()

    assert [hold.record_id for hold in report.held] == [copy]  # so nobody takes it for quiet (R1)
    assert Pair(*next(here.state.links())) == Pair.of(side, source, copy)
    assert here.world.disagreements(here.world.settle()) == []
    assert [len(records(here, each)) for each in Side] == [3, 3]


def records(here: Here, side: Side) -> list[Record]:
    return list(here.world.containers[side].records.values())


def test_r3_a_service_that_only_gives_back_what_belongs_to_another_record_makes_the_new_one_wait(
    here: Here,
) -> None:
    class Stubborn(Guarded):
        def create(self, _fields: Fields, _idempotency: str) -> Record:
            return self.container.records[ids.other]

    ids = here.linked()
    here.add(Side.NOTION, title="Milk")
    here.services = Pair(here.services.notion, Stubborn(here.services.other))
    report = here.run()
    assert [f"{ids.other}, which belongs to another record" in hold.reason for hold in report.held] == [True]
    assert here.state.ids == {ids.notion: ids.other}
    assert not here.state.pending.get(Side.OTHER)
