"""Property values to canonical values and back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_workers.errors import RejectedError
from sync_workers.services.base import Kind
from sync_workers.services.notion.inputs import cut_to_minute
from sync_workers.services.notion.properties import Property, read_properties
from sync_workers.values import DateRange

ID = "38c9ce7b-60a4-81e4-85c7-e7a0b6bbc064"
LONDON = timezone(timedelta(hours=1))


def prop(kind: str) -> Property:
    return Property("Due", "Mn%3CA", kind)


def write(kind: str, value: Any) -> Any:
    return prop(kind).write(value)[kind]


class TestSchema:
    def test_options_of_select_and_status_stand_in_the_schema(self) -> None:
        shown = {
            "id": "PJ%3Ds",
            "name": "Status",
            "type": "select",
            "select": {"options": [{"name": "Backlog"}, {"name": "Done"}]},
        }
        field = read_properties({"properties": {"Status": shown}})["Status"].field
        assert field.options == ("Backlog", "Done")
        assert field.kind is Kind.CHOICE

    def test_a_type_that_cannot_be_mapped_is_in_the_schema_and_not_writable(self) -> None:
        shown = {"id": "nlVB", "name": "New", "type": "hologram"}
        found = read_properties({"properties": {"New": shown}})["New"]
        assert found.codec is None
        assert not found.field.writable


class TestReading:
    @pytest.mark.parametrize(
        ("kind", "shown", "value"),
        [
            ("title", [], None),
            ("rich_text", [{"plain_text": "a"}, {"plain_text": "b"}], "ab"),
            ("url", None, None),
            ("url", "https://example.com", "https://example.com"),
            ("number", 0, 0),
            ("number", 1.5, 1.5),
            ("checkbox", False, False),
            ("select", None, None),
            ("status", {"id": "1", "name": "Done", "color": "green"}, "Done"),
            ("multi_select", [{"name": "b"}, {"name": "a"}], ["b", "a"]),
            ("multi_select", [], []),
            ("people", [{"object": "user", "id": ID}], [ID]),
            ("relation", [{"id": ID}], [ID]),
            ("date", None, None),
            ("date", {"start": "2024-01-02", "end": None, "time_zone": None}, date(2024, 1, 2)),
            (
                "date",
                {"start": "2026-06-27T18:01:00.000+01:00", "end": None, "time_zone": None},
                datetime(2026, 6, 27, 18, 1, tzinfo=LONDON),
            ),
            (
                "date",
                {"start": "2024-01-02", "end": "2024-01-05", "time_zone": None},
                DateRange(date(2024, 1, 2), date(2024, 1, 5)),
            ),
            (
                "date",
                {"start": "2024-07-02T10:00:00", "end": None, "time_zone": "Europe/London"},
                datetime(2024, 7, 2, 9, tzinfo=UTC),
            ),
            ("created_time", "2026-06-27T17:11:00.000Z", datetime(2026, 6, 27, 17, 11, tzinfo=UTC)),
            ("created_by", {"object": "user", "id": ID}, [ID]),
            ("unique_id", {"prefix": "TASK", "number": 3}, "TASK-3"),
            ("unique_id", {"prefix": None, "number": 3}, "3"),
            ("unique_id", {"prefix": None, "number": None}, None),
            ("formula", {"type": "string", "string": ""}, None),
            ("formula", {"type": "boolean", "boolean": True}, True),
            ("formula", {"type": "date", "date": {"start": "2024-01-02", "end": None}}, date(2024, 1, 2)),
            ("rollup", {"type": "number", "number": 2, "function": "count"}, 2),
            (
                "rollup",
                {
                    "type": "array",
                    "array": [
                        {"type": "number", "number": 1},
                        {"type": "files", "files": []},
                        {"type": "number", "number": None},
                        {"type": "multi_select", "multi_select": [{"name": "a"}, {"name": "b"}]},
                        {"type": "title", "title": [{"plain_text": "Bread"}]},
                        {"type": "relation", "relation": {"id": ID}},
                        {"type": "hologram", "hologram": {}},
                    ],
                    "function": "show_original",
                },
                [1, "a", "b", "Bread", ID],
            ),
            ("rollup", {"type": "date", "date": {"start": "2024-01-02", "end": None}}, date(2024, 1, 2)),
            ("formula", {"type": "number", "number": 0}, 0),
            ("formula", {"type": "string", "string": None}, None),
            ("formula", {"type": "unsupported", "unsupported": {}}, None),
            ("files", [], []),
            (
                "files",
                [
                    {
                        "name": "Scan",
                        "type": "file",
                        "file": {"url": "https://signed?x=1", "expiry_time": "t"},
                    },
                    {"name": "Plan", "type": "external", "external": {"url": "https://example.com/plan.pdf"}},
                ],
                ["Scan", "https://example.com/plan.pdf"],
            ),
            ("verification", None, "unverified"),
            ("verification", {"state": "unverified", "date": None, "verified_by": None}, "unverified"),
            ("verification", {"state": "expired", "date": None, "verified_by": None}, "expired"),
            ("place", None, None),
            ("place", {"lat": 52.5, "lon": 13.4, "name": "Zoo", "address": "Street 1"}, "Zoo, Street 1"),
            ("place", {"lat": 52.5, "lon": 13.4, "name": None}, "52.5, 13.4"),
            ("rollup", {"type": "incomplete", "incomplete": {}, "function": "sum"}, None),
        ],
    )
    def test_what_is_shown_becomes_the_canonical_value(self, kind: str, shown: Any, value: Any) -> None:
        assert prop(kind).read({"type": kind, kind: shown}) == value

    def test_a_moment_is_always_aware(self) -> None:
        read = prop("date").read({"date": {"start": "2024-07-02T10:00:00", "end": None}})
        assert read.tzinfo is not None


class TestWriting:
    @pytest.mark.parametrize(
        ("kind", "value", "written"),
        [
            ("title", "Milk", [{"type": "text", "text": {"content": "Milk"}}]),
            ("title", None, []),
            ("rich_text", "", []),
            ("url", "", None),
            ("email", None, None),
            ("phone_number", "+49 1", "+49 1"),
            ("number", None, None),
            ("number", Decimal("3.00"), 3),
            ("number", Decimal("0.5"), 0.5),
            ("checkbox", None, False),
            ("checkbox", True, True),
            ("select", "Done", {"name": "Done"}),
            ("select", "", None),
            ("status", None, None),
            ("multi_select", ["b", "a"], [{"name": "b"}, {"name": "a"}]),
            ("multi_select", {"b", "a"}, [{"name": "a"}, {"name": "b"}]),
            ("multi_select", None, []),
            ("people", [ID], [{"object": "user", "id": ID}]),
            ("relation", (ID.replace("-", ""),), [{"id": ID}]),
            ("date", None, None),
            ("date", date(2024, 1, 2), {"start": "2024-01-02"}),
            (
                "date",
                datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=LONDON),
                {"start": "2024-01-02T03:04:00+01:00"},
            ),
            (
                "date",
                DateRange(date(2024, 1, 2), date(2024, 1, 5)),
                {"start": "2024-01-02", "end": "2024-01-05"},
            ),
            (
                "files",
                ["https://example.com/a/My%20plan.pdf?v=2"],
                [
                    {
                        "name": "My plan.pdf",
                        "type": "external",
                        "external": {"url": "https://example.com/a/My%20plan.pdf?v=2"},
                    }
                ],
            ),
            ("files", None, []),
            ("verification", None, {"state": "unverified"}),
            ("verification", "verified", {"state": "verified"}),
        ],
    )
    def test_a_canonical_value_becomes_what_a_request_says(self, kind: str, value: Any, written: Any) -> None:
        assert write(kind, value) == written

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            ("title", 3),
            ("rich_text", "x" * 200_001),
            ("rich_text", "🚀" * 100_001),
            ("rich_text", "half \ud83d"),
            ("url", "x" * 2001),
            ("email", "x" * 201),
            ("phone_number", "x" * 201),
            ("number", "3"),
            ("number", True),
            ("number", float("nan")),
            ("number", float("inf")),
            ("number", 10**400),
            ("number", Decimal("sNaN")),
            ("checkbox", "yes"),
            ("checkbox", 1),
            ("date", "2024-01-02"),
            ("date", datetime(2024, 1, 2)),  # noqa: DTZ001 - a naive one is the point
            ("date", DateRange(date(2024, 1, 2), datetime(2024, 1, 3, tzinfo=UTC))),
            ("select", "one, two"),
            ("select", ["one"]),
            ("multi_select", "one"),
            ("multi_select", ["a,b"]),
            ("multi_select", [str(number) for number in range(101)]),
            ("people", ["ada@example.com"]),
            ("people", [3]),
            ("relation", [ID] * 101),
            ("formula", 3),
            ("created_time", datetime(2024, 1, 2, tzinfo=UTC)),
            ("files", "x"),
            ("files", ["scan.png"]),
            ("files", ["javascript:alert(1)"]),
            ("files", ["https://example.com/" + "x" * 2000]),
            ("files", [f"https://example.com/{number}" for number in range(101)]),
            ("verification", "expired"),
            ("place", "Zoo"),
        ],
    )
    def test_what_notion_would_not_take_is_refused_by_the_propertys_name(self, kind: str, value: Any) -> None:
        with pytest.raises(RejectedError, match="Due"):
            prop(kind).write(value)

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            ("select", "geheim,"),
            ("people", ["geheim"]),
            ("url", "geheim" * 400),
            ("rich_text", "geheim\ud83d"),
        ],
    )
    def test_a_refusal_shows_no_value_nor_does_its_cause(self, kind: str, value: Any) -> None:
        with pytest.raises(RejectedError) as caught:
            prop(kind).write(value)
        error: BaseException | None = caught.value
        while error is not None:
            assert "geheim" not in str(error)
            assert "geheim" not in str(error.__cause__)
            error = error.__cause__

    @given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=50).map(lambda t: t * 300))
    def test_long_text_is_split_and_never_cut(self, text: str) -> None:
        items = [item["text"]["content"] for item in write("rich_text", text)]
        assert "".join(items) == text
        assert all(0 < len(item.encode("utf-16-le")) // 2 <= 2000 for item in items)

    def test_the_longest_text_is_taken(self) -> None:
        assert len(write("rich_text", "x" * 200_000)) == 100
        assert prop("rich_text").field.longest == 200_000


class TestWholeness:
    """A page shows only the first 25 of some lists."""

    @pytest.mark.parametrize(
        ("kind", "shown", "cut"),
        [
            ("relation", {"relation": [{"id": ID}] * 25, "has_more": True}, True),
            ("relation", {"relation": [{"id": ID}] * 25, "has_more": False}, False),
            ("people", {"people": [{"id": ID}] * 25}, True),
            ("people", {"people": [{"id": ID}] * 24}, False),
            ("rich_text", {"rich_text": [{"type": "mention"}] * 25}, True),
            ("title", {"title": [{"type": "text"}] * 30 + [{"type": "mention"}] * 24}, False),
            ("multi_select", {"multi_select": [{"name": "a"}] * 100}, False),
            ("rollup", {"rollup": {"type": "array", "array": [{"type": "number"}] * 25}}, True),
            ("rollup", {"rollup": {"type": "array", "array": [{"type": "number"}] * 24}}, False),
            ("rollup", {"rollup": {"type": "incomplete", "incomplete": {}}}, True),
            ("rollup", {"rollup": {"type": "number", "number": 25}}, False),
            ("files", {"files": [{"name": "a"}] * 100}, False),
        ],
    )
    def test_a_value_that_may_be_cut_is_noticed(self, kind: str, shown: Any, *, cut: bool) -> None:
        assert prop(kind).is_cut(shown) is cut


UPLOADED = {
    "name": "Scan",
    "type": "file",
    "file": {"url": "https://signed?x=1", "expiry_time": "2026-01-01T00:00:00.000Z"},
}
EXTERNAL = {"name": "The plan", "type": "external", "external": {"url": "https://example.com/plan.pdf"}}


class TestFiles:
    """What a page has is kept: an uploaded file that Notion forgets is gone for good."""

    @pytest.mark.parametrize(
        ("value", "names"),
        [
            (["Scan", "https://example.com/plan.pdf"], ["Scan", "The plan"]),
            (["https://example.com/plan.pdf", "Scan"], ["The plan", "Scan"]),
            (["Scan"], ["Scan"]),
            ([], ["Scan"]),
            (["https://example.com/new.pdf"], ["Scan", "new.pdf"]),
            (["https://example.com"], ["Scan", "example.com"]),
        ],
    )
    def test_links_are_replaced_and_uploaded_files_stay(self, value: Any, names: list[str]) -> None:
        written = prop("files").write(value, {"files": [UPLOADED, EXTERNAL]})["files"]
        assert [item["name"] for item in written] == names
        assert {"name": "Scan", "type": "file", "file": {"url": "https://signed?x=1"}} in written

    def test_two_uploaded_files_of_one_name_are_two(self) -> None:
        written = prop("files").write(["Scan", "Scan"], {"files": [UPLOADED, UPLOADED]})["files"]
        assert len(written) == 2

    def test_a_file_that_is_not_there_is_refused(self) -> None:
        with pytest.raises(RejectedError, match="upload the file in Notion"):
            prop("files").write(["Scan", "Other"], {"files": [UPLOADED]})

    def test_a_signed_address_that_changed_is_no_edit(self) -> None:
        later = {**UPLOADED, "file": {"url": "https://signed?x=2", "expiry_time": "later"}}
        assert prop("files").read({"files": [UPLOADED]}) == prop("files").read({"files": [later]})


def test_a_group_among_people_stays_a_group() -> None:
    group = {"object": "group", "id": ID}
    assert prop("people").write([ID], {"people": [group]})["people"] == [group]


def test_a_rollup_that_the_property_item_endpoint_shows_whole_reads_as_on_a_page() -> None:
    rollup = prop("rollup")
    numbers = [{"object": "property_item", "type": "number", "number": n} for n in range(30)]
    whole = {"type": "rollup", "rollup": {"type": "array", "array": [], "function": "show_original"}}
    total = {"type": "rollup", "rollup": {"type": "number", "number": 435, "function": "sum"}}
    assert rollup.read(rollup.join(numbers, whole)) == list(range(30))
    assert rollup.read(rollup.join(numbers, total)) == 435


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_are_compared_as_notion_keeps_them(moment: datetime) -> None:
    cut = cut_to_minute(moment)
    assert moment - cut < timedelta(minutes=1)
    assert cut_to_minute(DateRange(moment, moment)) == DateRange(cut, cut)
    assert cut_to_minute(moment.date()) == moment.date()
