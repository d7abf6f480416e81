"""503 after a write: saved and said so, saved and not said, said and not saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sync_workers.errors import LaterError, UnknownOutcomeError
from sync_workers.model import Record
from sync_workers.services.base import Gone, OutOfScope
from sync_workers.services.notion.errors import SavedError
from sync_workers.services.notion.service import NotionService
from tests.services.notion.calls import BREAD, PAGE, Calls, error, page, scripted_calls
from tests.services.notion.scripted_server import Answer, Asked
from tests.services.notion.world import OWN, NotionWorld, notion_world

SAID = ["Read the object again to confirm the saved change.", "Do not repeat the write."]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[NotionWorld]:
    with notion_world(tmp_path) as world:
        world.own = OWN
        yield world


@pytest.fixture
def calls(tmp_path: Path) -> Iterator[Calls]:
    with scripted_calls(tmp_path) as calls:
        yield calls


def unavailable(**data: Any) -> Answer:
    return Answer(503, error(503, "service_unavailable", additional_data=data))


class TestCreate:
    def test_the_page_that_it_names_is_read_back(self, world: NotionWorld) -> None:
        service = world.open()
        world.notion.faults.add("saved", "POST", "/v1/pages$")
        created = service.create({"Name": "Bread", "Price": 2}, "one")
        assert created.fields["Price"] == 2
        assert service.fetch().records == (created,)

    def test_when_reading_it_back_fails_the_outcome_is_unknown(self, world: NotionWorld) -> None:
        service = world.open()
        world.notion.faults.add("saved", "POST", "/v1/pages$")
        world.notion.faults.add("broken", "GET", "/v1/pages/")
        with pytest.raises(UnknownOutcomeError):
            service.create({"Name": "Bread"}, "one")
        assert len(service.fetch().records) == 1

    def test_without_a_name_it_is_unknown(self, calls: Calls, world: NotionWorld) -> None:
        calls.faults = {"write": unavailable(retry_guidance=SAID)}
        with pytest.raises(UnknownOutcomeError) as caught:
            calls.service.create({"Name": "Bread"}, "one")
        assert not isinstance(caught.value, SavedError)
        world.notion.faults.add("not_saved", "POST", "/v1/pages$")
        with pytest.raises(UnknownOutcomeError):
            world.open().create({"Name": "Bread"}, "one")

    def test_an_answer_that_cannot_be_completed_is_never_tried_again(self, world: NotionWorld) -> None:
        (shops,) = {s for s in world.notion.store.data_sources if s != world.source}
        many = [world.notion.add_page(shops, {"Name": str(number)}) for number in range(30)]
        service = world.open()
        world.notion.faults.add("broken", "GET", "/properties/")
        with pytest.raises(UnknownOutcomeError):
            service.create({"Name": "Bread", "Shop": many}, "one")
        assert len(service.fetch().records) == 1


Change = Callable[[NotionService, Record], object]

CHANGES: dict[str, Change] = {
    "update": lambda service, record: service.update(record, {"Name": "Milk", "Price": 2}),
    "delete": lambda service, record: service.delete(record),
    "archive": lambda service, record: service.archive(record),
    "annotate": lambda service, record: service.annotate(record.id, "Which?"),
    "restore": lambda service, record: service.restore(record.id),
}


def done(world: NotionWorld, record: Record) -> str:
    """Which of the changes the page shows."""
    found = world.open().read([record.id])[record.id]
    if isinstance(found, Gone):
        return "delete"
    if isinstance(found, OutOfScope):
        return "archive"
    if found.about.note == "Which?":
        return "annotate"
    return "update" if found.fields["Name"] == "Milk" else "restore"


@pytest.mark.parametrize("change", CHANGES)
class TestChange:
    """A change of what is there names no page: it is known which."""

    @pytest.fixture
    def record(self, world: NotionWorld, change: str) -> Record:
        record = world.open().create({"Name": "Bread"}, "one")
        if change == "restore":
            world.open().delete(record)
        return record

    def test_one_that_is_said_to_be_saved_and_shows_it_counts(
        self, world: NotionWorld, record: Record, change: str
    ) -> None:
        service = world.open()
        world.notion.faults.add("saved", "PATCH")
        CHANGES[change](service, record)
        assert world.notion.faults.waiting() == []
        assert done(world, record) == change

    @pytest.mark.parametrize("fault", ["not_saved", "dropped"])
    def test_one_that_was_not_saved_is_unknown_and_can_be_done_then(
        self, world: NotionWorld, record: Record, change: str, fault: str
    ) -> None:
        service = world.open()
        world.notion.faults.add(fault, "PATCH")
        with pytest.raises(UnknownOutcomeError):
            CHANGES[change](service, record)
        CHANGES[change](service, record)
        assert done(world, record) == change

    def test_one_whose_reply_is_lost_is_unknown_and_done(
        self, world: NotionWorld, record: Record, change: str
    ) -> None:
        service = world.open()
        world.notion.faults.add("cut", "PATCH")
        with pytest.raises(UnknownOutcomeError):
            CHANGES[change](service, record)
        assert done(world, record) == change

    def test_one_that_cannot_be_read_back_is_unknown(
        self, world: NotionWorld, record: Record, change: str
    ) -> None:
        service = world.open()
        service.fetch()
        world.notion.faults.add("saved", "PATCH")
        world.notion.faults.add("delay", "GET", "/v1/pages/", seconds=0)  # the look before the write
        world.notion.faults.add("broken", "GET", "/v1/pages/")
        with pytest.raises(UnknownOutcomeError):
            CHANGES[change](service, record)
        assert world.notion.faults.waiting() == []
        assert done(world, record) == change


WRITES: dict[str, Callable[[Calls], object]] = {
    "update": lambda calls: calls.service.update(BREAD, {"Name": "Milk"}),
    "delete": lambda calls: calls.service.delete(BREAD),
    "archive": lambda calls: calls.service.archive(BREAD),
    "annotate": lambda calls: calls.service.annotate(PAGE, "Which?"),
    "restore": lambda calls: calls.restore(),
}


@pytest.mark.parametrize("write", WRITES)
class TestGuidance:
    """This server saves nothing, whatever it says."""

    @pytest.mark.parametrize(
        "data",
        [
            {"retry_guidance": SAID},
            {"retry_guidance": ["Do not repeat the write"]},
            {"retry_guidance": "Do not repeat the write."},
            {"committed_resource_id": PAGE, "retry_guidance": SAID},
            {"committed_resource_id": PAGE},
        ],
        ids=str,
    )
    def test_a_word_that_the_page_does_not_confirm_is_unknown(
        self, calls: Calls, write: str, data: dict[str, Any]
    ) -> None:
        calls.faults = {"write": unavailable(**data)}
        with pytest.raises(SavedError):
            WRITES[write](calls)

    @pytest.mark.parametrize(
        "data",
        [
            {},
            {"retry_guidance": None},
            {"retry_guidance": []},
            {"retry_guidance": ["It was not saved. Send it again."]},
            {"committed_resource_id": None},
        ],
        ids=str,
    )
    def test_any_other_guidance_is_unknown_without_another_look(
        self, calls: Calls, write: str, data: dict[str, Any]
    ) -> None:
        calls.faults = {"write": unavailable(**data)}
        with pytest.raises(UnknownOutcomeError) as caught:
            WRITES[write](calls)
        assert not isinstance(caught.value, SavedError)
        assert calls.script.asked[-1].method == "PATCH"


def test_a_read_that_fails_with_such_guidance_is_tried_later(calls: Calls) -> None:
    calls.faults = {"read": unavailable(retry_guidance=SAID, committed_resource_id=PAGE)}
    with pytest.raises(LaterError):
        calls.service.read([PAGE])


def test_what_someone_changed_before_the_look_is_not_taken_for_saved(calls: Calls) -> None:
    looks = iter([page(), page("Butter")])

    def reply(asked: Asked) -> Answer:
        if asked.method == "PATCH":
            return unavailable(retry_guidance=SAID)
        return Answer(body=next(looks)) if asked.path.endswith(PAGE) else calls.reply(asked)

    calls.service.fetch()
    calls.script.reply = reply
    with pytest.raises(SavedError):
        calls.service.update(BREAD, {"Name": "Milk"})
