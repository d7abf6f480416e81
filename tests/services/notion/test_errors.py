"""Patience, lost replies and writes that were saved all the same, over real connections."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sync_workers.errors import (
    AccessError,
    LaterError,
    NotYetError,
    UnknownOutcomeError,
)
from sync_workers.model import Record
from sync_workers.services.local_budget import LocalBudget
from sync_workers.services.notion.client import MOST_TRIES
from tests.services.notion.calls import (
    PAGE,
    Calls,
    Hurried,
    error,
    open_service,
    schema,
    scripted_calls,
)
from tests.services.notion.scripted_server import Answer, Asked, scripted
from tests.services.notion.world import notion_world


@pytest.fixture
def calls(tmp_path: Path) -> Iterator[Calls]:
    with scripted_calls(tmp_path) as calls:
        yield calls


class TestPatience:
    @pytest.mark.parametrize("what", ["read", "write"])
    @pytest.mark.parametrize(
        ("status", "headers", "wait"),
        [
            (429, {"Retry-After": "17"}, 17),
            (429, {"Retry-After": "600"}, 600),
            (429, {}, 60),
            (429, {"Retry-After": "soon"}, 60),
            (
                429,
                {"Date": "Fri, 27 Nov 2026 07:00:00 GMT", "Retry-After": "Fri, 27 Nov 2026 07:02:00 GMT"},
                120,
            ),
            (529, {"Retry-After": "3"}, 3),
            (409, {"Retry-After": "2"}, 2),
            (409, {}, 0),
        ],
    )
    def test_the_wait_that_is_asked_for_is_carried_whole(
        self, calls: Calls, what: str, status: int, headers: dict[str, str], wait: int
    ) -> None:
        codes = {429: "rate_limited", 529: "service_overload", 409: "conflict_error"}
        answer = Answer(status, error(status, codes[status]), headers)
        for raised in calls.errors(what, answer):
            assert isinstance(raised, LaterError)
            assert raised.wait == timedelta(seconds=wait)

    @pytest.mark.parametrize("what", ["read", "write"])
    @pytest.mark.parametrize(
        "answer",
        [
            Answer(409, error(409, "conflict_error")),
            Answer(429, error(429, "rate_limited"), {"Retry-After": "2"}),
            Answer(529, error(529, "service_overload"), {"Retry-After": "2"}),
        ],
        ids=str,
    )
    def test_what_notion_surely_did_not_do_is_tried_again_some_times(
        self, calls: Calls, what: str, answer: Answer
    ) -> None:
        raised = calls.errors(what, answer)
        refused = [asked for asked in calls.script.asked if calls.kind(asked) == what]
        assert len(refused) == MOST_TRIES * len(raised)
        assert calls.clock.slept > 2 * len(raised)

    @pytest.mark.parametrize("status", [409, 429, 529])
    def test_a_write_that_was_refused_for_a_moment_is_made_once(self, tmp_path: Path, status: int) -> None:
        kinds = {409: "conflict", 429: "rate_limited", 529: "overload"}
        with notion_world(tmp_path) as world:
            world.budget = LocalBudget(clock=Hurried())
            service = world.open()
            service.schema()
            world.notion.faults.add(kinds[status], "POST", "/v1/pages$", times=2, seconds=1)
            service.create({"Name": "Bread"}, "one")
            assert [seen.status for seen in world.notion.writes()] == [status, status, 200]
            assert [row.values["Name"] for row in world.notion.pages(world.source)] == ["Bread"]

    def test_two_that_meet_do_not_wait_for_equally_long(self, calls: Calls) -> None:
        waits = set()
        for _ in range(3):
            before = calls.clock.slept
            calls.errors("read", Answer(409, error(409, "conflict_error")))
            waits.add(calls.clock.slept - before)
        assert len(waits) == 3

    @pytest.mark.parametrize("what", ["read", "write"])
    def test_a_long_wait_is_not_slept_here(self, calls: Calls, what: str) -> None:
        answer = Answer(429, error(429, "rate_limited"), {"Retry-After": "50"})
        raised = calls.errors(what, answer)
        assert {type(one) for one in raised} == {NotYetError}
        refused = [asked for asked in calls.script.asked if calls.kind(asked) == what]
        assert len(refused) == 1, "the others know of the pause"
        assert not calls.clock.slept

    @pytest.mark.parametrize("what", ["read", "write"])
    def test_what_may_have_happened_is_never_tried_again_here(self, calls: Calls, what: str) -> None:
        raised = calls.errors(what, Answer(500, error(500, "internal_server_error")))
        refused = [asked for asked in calls.script.asked if calls.kind(asked) == what]
        assert len(refused) == len(raised)

    @pytest.mark.parametrize("what", ["read", "write"])
    def test_a_blocked_connection_needs_a_person(self, calls: Calls, what: str) -> None:
        data = {"rate_limit_reason": "public_api_request_blocked"}
        answer = Answer(429, error(429, "rate_limited", additional_data=data), {"Retry-After": "1"})
        assert {type(e) for e in calls.errors(what, answer)} == {AccessError}

    def test_any_other_limit_is_waited_for(self, calls: Calls) -> None:
        data = {"rate_limit_reason": "public_api_request_space_rate_limit"}
        answer = Answer(429, error(429, "rate_limited", additional_data=data), {"Retry-After": "90"})
        for raised in calls.errors("write", answer):
            assert isinstance(raised, LaterError)
            assert raised.wait == timedelta(seconds=90)


class TestLostReplies:
    LOST = (
        Answer(500, error(500, "internal_server_error")),
        Answer(502, b"<html><h1>502 Bad Gateway</h1></html>", {"Content-Type": "text/html"}),
        Answer(503, error(503, "service_unavailable")),
        Answer(504, error(504, "gateway_timeout")),
        Answer(599, b""),
        Answer(408, b""),
        Answer(200, {"object": "page", "id": PAGE, "padding": "x" * 500}, cut=True),
        Answer(200, b'{"object": "pag'),
        Answer(200, b"\xff\xfe"),
        Answer(200, b"<html>Sign in to the guest network</html>"),
        Answer(200, {"signed": "in"}),
        Answer(200, ["page"]),
    )

    @pytest.mark.parametrize("answer", LOST, ids=str)
    def test_after_a_write_the_outcome_is_unknown(self, calls: Calls, answer: Answer) -> None:
        assert {type(e) for e in calls.errors("write", answer)} == {UnknownOutcomeError}

    @pytest.mark.parametrize("answer", LOST, ids=str)
    def test_a_read_can_be_tried_later(self, calls: Calls, answer: Answer) -> None:
        for raised in calls.errors("read", answer):
            assert isinstance(raised, LaterError)

    def test_a_write_without_any_answer_is_unknown_and_a_read_is_not(self, tmp_path: Path) -> None:
        with notion_world(tmp_path) as world:
            service = world.open()
            record = service.create({"Name": "Bread"}, "one")
            for kind in ("cut", "dropped"):
                world.notion.faults.add(kind, "POST", "/v1/pages$")
                with pytest.raises(UnknownOutcomeError):
                    service.create({"Name": "Milk"}, "two")
                world.notion.faults.add(kind, "PATCH")
                with pytest.raises(UnknownOutcomeError):
                    service.update(service.fetch().records[0], {"Price": 5 if kind == "cut" else 6})
                world.notion.faults.add(kind, "POST", "query")
                with pytest.raises(LaterError):
                    service.fetch()
            # Of the two creates, the one whose reply was cut was carried out: that is why it is unknown.
            assert len(service.fetch().records) == 2
            assert isinstance(service.read([record.id])[record.id], Record)

    def test_a_timeout_of_a_write_is_unknown_and_of_a_read_is_not(self, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}"
            reading = open_service(url, tmp_path, timeout=0.2)
            with pytest.raises(LaterError):
                reading.fetch()
            reading.close()
        released = threading.Event()

        def reply(asked: Asked) -> Answer:
            if asked.method == "POST":
                released.wait(10)
            return schema()

        with scripted(reply) as script:
            writing = open_service(script.url, tmp_path, timeout=0.3)
            with pytest.raises(UnknownOutcomeError, match="ReadTimeout"):
                writing.create({"Name": "Milk"}, "one")
            writing.close()
            released.set()

    def test_what_was_never_sent_can_be_tried_later(self, calls: Calls, tmp_path: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as gone:
            port = gone.getsockname()[1]
        service = open_service(f"http://127.0.0.1:{port}", tmp_path)
        with pytest.raises(LaterError, match="url"):
            service.fetch()
        service.close()
        calls.service.schema()
        calls.script.server.shutdown()
        calls.script.server.server_close()
        with pytest.raises(LaterError):
            calls.service.create({"Name": "Milk"}, "one")
