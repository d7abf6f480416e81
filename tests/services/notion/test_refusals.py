"""What Notion refuses, for a record, for a credential, or because it is not Notion."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sync_workers.errors import (
    AccessError,
    MovedError,
    RejectedError,
    SettingsError,
    SyncError,
    UnknownOutcomeError,
)
from tests.services.notion.calls import (
    BREAD,
    PAGE,
    PLANTED,
    Calls,
    error,
    page,
    schema,
    scripted_calls,
)
from tests.services.notion.scripted_server import Answer, Asked


@pytest.fixture
def calls(tmp_path: Path) -> Iterator[Calls]:
    with scripted_calls(tmp_path) as calls:
        yield calls


class TestRefusals:
    @pytest.mark.parametrize(
        ("message", "place"),
        [
            (
                f"body.properties.Mn%3CA.date.start should be a valid date, instead was `{PLANTED}`.",
                "at properties.Due Date.date.start (",
            ),
            (
                f"body.properties.title.title[0].text.content should be short, instead was `{PLANTED}`.",
                "at properties.Name.title[0].text.content (",
            ),
            ("Name is expected to be date.", "at properties.Name ("),
            ("Due Date is expected to be title.", "at properties.Due Date ("),
            (
                "body.parent.data_source_id should be defined, instead was `undefined`.",
                "at parent.data_source_id",
            ),
            (
                f'Invalid status option. Status option "{PLANTED}" does not exist".',
                "in one of Due Date, Name (",
            ),
        ],
    )
    def test_the_place_is_told_and_the_value_is_not(self, calls: Calls, message: str, place: str) -> None:
        answer = Answer(400, error(400, "validation_error", f"body failed validation: {message}"))
        if "expected" in message:
            answer = Answer(400, error(400, "validation_error", message))
        calls.faults = {"write": answer}
        with pytest.raises(RejectedError) as caught:
            calls.service.update(BREAD, {"Name": PLANTED, "Due Date": date(2026, 1, 1)})
        assert place in str(caught.value)
        assert PLANTED not in "".join(traceback.format_exception(caught.value))

    @pytest.mark.parametrize("status", [400, 413, 422])
    def test_a_refused_write_is_a_rejected_record(self, calls: Calls, status: int) -> None:
        answer = Answer(status, error(status, "validation_error", f"instead was `{PLANTED}`"))
        for raised in calls.errors("write", answer):
            assert type(raised) is RejectedError
            assert PLANTED not in str(raised)

    def test_the_other_envelope_of_a_body_that_is_too_large_is_understood(self, calls: Calls) -> None:
        answer = Answer(413, {"statusCode": 413, "error": "Payload Too Large"})
        assert {type(e) for e in calls.errors("write", answer)} == {RejectedError}

    def test_a_refused_question_about_the_container_is_a_problem_of_the_settings(self, calls: Calls) -> None:
        calls.faults = {"schema": Answer(400, error(400, "validation_error"))}
        with pytest.raises(SettingsError):
            calls.service.fetch()

    def test_a_page_that_moves_between_look_and_write_is_moved_and_not_rejected(self, calls: Calls) -> None:
        looks = iter([page(), page(in_trash=True)])
        refusal = error(400, "validation_error", "Can't edit block that is archived.")

        def reply(asked: Asked) -> Answer:
            if asked.method == "PATCH":
                return Answer(400, refusal)
            return schema() if "data_sources" in asked.path else Answer(body=next(looks))

        calls.script.reply = reply
        with pytest.raises(MovedError):
            calls.service.update(BREAD, {"Name": "Milk"})

    @pytest.mark.parametrize(
        ("second", "raised"),
        [(page(in_trash=True), None), (page("Milk"), MovedError), (page(), RejectedError)],
    )
    def test_a_refused_delete_looks_once_more(
        self, calls: Calls, second: dict[str, Any], raised: type[SyncError] | None
    ) -> None:
        looks = iter([page(), second])

        def reply(asked: Asked) -> Answer:
            if asked.method == "PATCH":
                return Answer(400, error(400, "validation_error"))
            return schema() if "data_sources" in asked.path else Answer(body=next(looks))

        calls.script.reply = reply
        if raised is None:
            calls.service.delete(BREAD)
        else:
            with pytest.raises(raised):
                calls.service.delete(BREAD)


class TestAccess:
    @pytest.mark.parametrize("what", ["read", "write", "schema"])
    @pytest.mark.parametrize(("status", "code"), [(401, "unauthorized"), (403, "restricted_resource")])
    def test_a_person_is_told_where_to_give_it(self, calls: Calls, what: str, status: int, code: str) -> None:
        answer = Answer(status, error(status, code, f"about {PLANTED}"))
        if what == "schema":
            calls.faults = {"schema": answer}
            with pytest.raises(AccessError, match="integrations"):
                calls.service.fetch()
            return
        for raised in calls.errors(what, answer):
            assert type(raised) is AccessError
            assert "notion.so/profile/integrations" in str(raised)
            assert PLANTED not in str(raised)
            assert "ntn_planted" not in str(raised)

    def test_a_data_source_that_goes_while_it_is_listed_is_no_empty_one(self, calls: Calls) -> None:
        calls.faults = {"read": Answer(404, error(404, "object_not_found"))}
        with pytest.raises(AccessError):
            calls.service.fetch()

    def test_a_data_source_in_the_trash_is_no_empty_one(self, calls: Calls) -> None:
        empty = {"object": "list", "results": [], "has_more": False, "next_cursor": None}
        calls.faults = {
            "schema": Answer(body={**schema().body, "in_trash": True}),
            "read": Answer(body=empty),
        }
        with pytest.raises(AccessError, match="trash"):
            calls.service.fetch()

    def test_pages_without_properties_need_a_capability(self, calls: Calls) -> None:
        row = {"object": "page", "id": PAGE}
        listing = {"object": "list", "results": [row], "has_more": False, "next_cursor": None}
        calls.faults = {"read": Answer(body=listing)}
        with pytest.raises(AccessError, match="read content"):
            calls.service.fetch()

    def test_an_answer_to_a_create_without_properties_is_an_unknown_outcome(self, calls: Calls) -> None:
        calls.faults = {"write": Answer(body={"object": "page", "id": PAGE})}
        with pytest.raises(UnknownOutcomeError, match=PAGE):
            calls.service.create({"Name": "Bread"}, "one")

    @pytest.mark.parametrize("status", [301, 401, 403, 404, 405, 407])
    @pytest.mark.parametrize("what", ["read", "write"])
    def test_what_is_not_notion_says_nothing_about_a_page(self, calls: Calls, what: str, status: int) -> None:
        answer = Answer(status, b"<html>nginx</html>", {"Location": "/"})
        for raised in calls.errors(what, answer):
            assert type(raised) is SettingsError
            assert "url" in str(raised)


def test_property_ids_are_decoded_once_for_the_query(calls: Calls) -> None:
    calls.service.fetch()
    calls.service.read([PAGE])
    asked = [a.query["filter_properties"] for a in calls.script.asked if a.query]
    assert asked == [["title", "Mn<A", "mark", "note"]] * 2
