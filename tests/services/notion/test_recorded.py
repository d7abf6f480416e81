"""The codec, judged by what the real Notion showed and by the schema of its own client."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from sync_workers.errors import MovedError, SettingsError
from sync_workers.services.notion.codecs import CODECS
from sync_workers.services.notion.properties import Property, read_properties
from sync_workers.values import from_json, same, to_json
from tests.services.notion.calls import BREAD, PAGE, SOURCE, page, scripted_calls
from tests.services.notion.recorded import exchanges, judge, objects
from tests.services.notion.scripted_server import Answer, Asked

ID = "38c9ce7b-60a4-81e4-85c7-e7a0b6bbc064"


def prop(kind: str) -> Property:
    return Property("Due", "Mn%3CA", kind)


def recorded_values() -> list[tuple[Property, dict[str, Any]]]:
    """Every property value of every recorded page whose type can be mapped."""
    return [
        (Property(name, value["id"], value["type"]), value)
        for exchange in exchanges()
        for shown in objects("page", exchange["response"])
        for name, value in shown["properties"].items()
        if value["type"] in CODECS
    ]


class TestWhatNotionShowed:
    def test_every_recorded_value_is_read_to_a_value_that_the_state_can_keep(self) -> None:
        values = recorded_values()
        kinds = {property_.type for property_, _ in values}

        read = [property_.read(value) for property_, value in values]

        assert len(values) > 1000
        assert kinds >= set(CODECS) - {"created_by", "last_edited_by", "status", "place", "verification"}
        assert [from_json(json.loads(json.dumps(to_json(value)))) for value in read] == read

    def test_a_recorded_value_that_is_written_again_reads_the_same(self) -> None:
        for property_, value in recorded_values():
            if property_.writable:
                shown = _shown(property_.type, property_.write(property_.read(value)))
                assert same(property_.read(shown), property_.read(value)), property_

    def test_what_is_written_has_the_form_that_notions_own_client_demands(self) -> None:
        validator = jsonschema.Draft7Validator(judge("UpdatePageParameters"))
        written = {
            json.dumps(property_.write(property_.read(value)))
            for property_, value in recorded_values()
            if property_.writable
        }
        for body in sorted(written):
            validator.validate({"page_id": ID, "properties": {"title": json.loads(body)}})
        assert len(written) > 100

    @pytest.mark.parametrize("kind", sorted(name for name, codec in CODECS.items() if codec.write))
    def test_unset_has_the_form_that_notions_own_client_demands(self, kind: str) -> None:
        validator = jsonschema.Draft7Validator(judge("UpdatePageParameters"))
        validator.validate({"page_id": ID, "properties": {"x": prop(kind).write(None)}})

    def test_a_recorded_create_reads_back_as_it_was_asked_for(self) -> None:
        checked = 0
        for exchange in exchanges():
            if exchange["method"] != "POST" or exchange["path"] != "/v1/pages":
                continue
            for name, asked in exchange["request"]["properties"].items():
                answered = exchange["response"]["properties"].get(name)
                if answered is None or answered["type"] not in {
                    "number",
                    "url",
                    "email",
                    "checkbox",
                    "title",
                }:
                    continue
                property_ = Property(name, answered["id"], answered["type"])
                assert property_.read(answered) == property_.read(asked)
                checked += 1
        assert checked > 150

    def test_the_schema_of_every_recorded_data_source_is_read(self) -> None:
        sources = [s for e in exchanges() for s in objects("data_source", e["response"])]
        assert sources
        for source in sources:
            properties = read_properties(source)
            assert [p.field.id for p in properties.values()] == [
                shown["id"] for shown in source["properties"].values()
            ]

    def test_the_recorded_items_of_a_long_relation_are_its_whole_value(self) -> None:
        (whole,) = [e["response"] for e in exchanges() if "/properties/" in e["path"]]
        relation = Property("Items", "o_yF", "relation")
        (cut,) = [
            value
            for exchange in exchanges()
            for shown in objects("page", exchange["response"])
            for value in shown["properties"].values()
            if value["type"] == "relation" and value.get("has_more")
        ]

        ids = relation.read(relation.join(whole["results"]))

        assert relation.is_cut(cut)
        assert len(ids) == 30
        assert ids[:25] == relation.read(cut)


class TestRequests:
    """Whole requests of the service, as they went over the wire, have the form of Notion's own client."""

    @pytest.fixture
    def asked(self, tmp_path: Path) -> list[Asked]:
        with scripted_calls(tmp_path) as calls:
            calls.service.fetch()
            calls.service.create({"Name": "Bread", "Due Date": date(2026, 1, 1)}, "one")
            calls.service.update(BREAD, {"Name": "Milk"})
            calls.service.delete(BREAD)
            calls.service.archive(BREAD)
            calls.service.annotate(PAGE, "Which?")
            with pytest.raises(MovedError):  # this server leaves it in the trash whatever it is told
                calls.restore()
            return calls.script.asked

    def test_a_query(self, asked: list[Asked]) -> None:
        (query,) = [a for a in asked if a.path.endswith("/query")]
        whole = {"data_source_id": SOURCE, **query.query, **query.body}
        jsonschema.validate(whole, judge("QueryDataSourceParameters"))

    def test_a_query_after_the_row_limit(self, tmp_path: Path) -> None:
        with scripted_calls(tmp_path) as calls:
            incomplete = {"type": "incomplete", "incomplete_reason": "query_result_limit_reached"}
            body = {"object": "list", "results": [page()], "has_more": False, "request_status": incomplete}
            calls.faults = {"read": Answer(body=body)}
            with pytest.raises(SettingsError):
                calls.service.fetch()
            last = calls.script.asked[-1].body
        assert "filter" in last
        jsonschema.validate({"data_source_id": SOURCE, **last}, judge("QueryDataSourceParameters"))

    def test_a_create(self, asked: list[Asked]) -> None:
        (create,) = [a for a in asked if a.path == "/v1/pages"]
        jsonschema.validate(create.body, judge("CreatePageParameters"))

    def test_changes_of_pages(self, asked: list[Asked]) -> None:
        changes = [a.body for a in asked if a.method == "PATCH"]
        assert [sorted(body) for body in changes] == [
            *(["properties"], ["in_trash"], ["is_archived"]),
            *(["properties"], ["in_trash"]),
        ]
        assert [body.get("in_trash") for body in changes] == [None, True, None, None, False]
        for body in changes:
            jsonschema.validate({"page_id": PAGE, **body}, judge("UpdatePageParameters"))


def _shown(kind: str, written: dict[str, Any]) -> dict[str, Any]:
    """What a page shows after a write, as far as the codec looks at it."""
    content = written[kind]
    if kind in {"title", "rich_text"}:
        content = [{**item, "plain_text": item["text"]["content"]} for item in content]
    if kind == "date" and content is not None:
        content = {"end": None, **content}
    return {"type": kind, kind: content}
