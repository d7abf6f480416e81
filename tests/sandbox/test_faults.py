from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from sync_workers.sandbox.faults import Kind
from sync_workers.sandbox.notion import Notion, Seen
from tests.sandbox.conftest import Api, title


@pytest.fixture(params=["python", "http"])
def ask(request: pytest.FixtureRequest, notion: Notion, http: httpx.Client) -> Any:
    """Ask for a fault in both ways that there are."""

    def by_http(**fault: Any) -> None:
        assert http.post("/_sandbox/faults", json=fault).status_code == 200

    return by_http if request.param == "http" else notion.faults.add


REFUSALS = [
    ("conflict", 409, "conflict_error", False),
    ("rate_limited", 429, "rate_limited", False),
    ("overload", 529, "service_overload", False),
    ("not_saved", 503, "service_unavailable", False),
    ("broken", 500, "internal_server_error", False),
    ("timeout", 504, "gateway_timeout", False),
    ("forbidden", 403, "restricted_resource", False),
    ("block_limit", 403, "restricted_resource", False),
    ("saved", 503, "service_unavailable", True),
]


@pytest.mark.parametrize(("kind", "status", "code", "done"), REFUSALS, ids=[r[0] for r in REFUSALS])
def test_a_create_meets_a_refusal_once(
    api: Api, notion: Notion, ask: Any, kind: str, status: int, code: str, done: bool
) -> None:
    # given
    ask(kind=kind, method="POST", path="/v1/pages$")
    # when
    refused = api.create(Task=title("Bread"))
    # then
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert [row.values["Task"] for row in notion.pages(api.table)] == (["Bread"] if done else [])
    # and the next one passes
    assert api.create(Task=title("Milk")).status_code == 200


def test_a_saved_create_names_what_it_made(api: Api, notion: Notion, ask: Any) -> None:
    ask(kind="saved")
    data = api.create(Task=title("Bread")).json()["additional_data"]
    assert data["committed_resource_id"] == notion.pages(api.table)[0].id
    assert data["retry_guidance"] == [
        "Read the object again to confirm the saved change.",
        "Do not repeat the write.",
    ]


def test_a_saved_update_names_nothing(api: Api, notion: Notion, ask: Any) -> None:
    row = notion.add_page(api.table, {"Task": "Bread"})
    ask(kind="saved", method="PATCH")
    answer = api.update(row, Task=title("Milk"))
    data = answer.json()["additional_data"]
    assert (answer.status_code, data["retry_guidance"][1]) == (503, "Do not repeat the write.")
    assert "committed_resource_id" not in data
    assert notion.page(row).values["Task"] == "Milk"


def test_the_guidance_of_an_unsaved_write_does_not_tell(api: Api, ask: Any) -> None:
    ask(kind="not_saved")
    data = api.create(Task=title("Bread")).json()["additional_data"]
    assert not any("saved" in sentence or "repeat" in sentence for sentence in data["retry_guidance"])
    assert "committed_resource_id" not in data


@pytest.mark.parametrize(("kind", "made"), [("cut", ["Bread"]), ("dropped", [])])
def test_a_lost_reply_closes_the_connection(
    api: Api, notion: Notion, ask: Any, kind: str, made: list[str]
) -> None:
    ask(kind=kind, method="POST", path="/v1/pages$")
    with pytest.raises(httpx.RemoteProtocolError, match="disconnected without sending"):
        api.create(Task=title("Bread"))
    assert [row.values["Task"] for row in notion.pages(api.table)] == made
    assert notion.seen_requests()[-1] == Seen("POST", "/v1/pages", None)
    # and the server goes on
    assert api.found() == made


def test_a_delay_answers_late(api: Api, ask: Any) -> None:
    ask(kind="delay", seconds=0.3)
    begun = time.monotonic()
    assert api.create(Task=title("Bread")).status_code == 200
    assert time.monotonic() - begun >= 0.3


def test_a_delay_holds_up_nobody_else(api: Api, notion: Notion) -> None:
    notion.faults.add("delay", path="/v1/users/me$", seconds=30)
    with pytest.raises(httpx.ReadTimeout):
        api.http.get("/v1/users/me", timeout=0.2)
    assert api.found() == []


def test_a_refusal_says_how_long_to_wait_and_why(http: httpx.Client, ask: Any) -> None:
    ask(kind="rate_limited", seconds=7, reason="public_api_request_blocked")
    answer = http.get("/v1/users/me")
    assert answer.headers["Retry-After"] == "7"
    assert answer.json()["additional_data"] == {
        "rate_limit_reason": "public_api_request_blocked",
        "retry_after": "7",
    }
    # and an overload says how long as well
    ask(kind="overload", seconds=70)
    assert http.get("/v1/users/me").headers["Retry-After"] == "70"


def test_a_fault_waits_for_its_request_as_often_as_asked(api: Api, ask: Any) -> None:
    # given
    ask(kind="conflict", method="PATCH", path="/pages/", times=2)
    # when other requests come, they pass
    page = api.create(Task=title("Bread")).json()
    assert api.query().status_code == 200
    assert api.get(page["id"])["object"] == "page"
    # then the third one passes as well
    statuses = [api.update(page["id"], Effort={"number": n}).status_code for n in range(3)]
    assert statuses == [409, 409, 200]


def test_faults_come_in_the_order_they_were_asked_for(http: httpx.Client, ask: Any) -> None:
    for kind in ("conflict", "not_saved"):
        ask(kind=kind)
    assert [http.get("/v1/users/me").status_code for _ in range(3)] == [409, 503, 200]


def test_waiting_faults_can_be_seen_and_forgotten(http: httpx.Client, notion: Notion) -> None:
    notion.faults.add(Kind.CUT, path="/pages")
    (waiting,) = http.get("/_sandbox/faults").json()
    assert (waiting["kind"], waiting["path"], waiting["times"]) == ("cut", "/pages", 1)
    http.request("DELETE", "/_sandbox/faults", json={})
    assert notion.faults.waiting() == []


@pytest.mark.parametrize(
    "fault", [{"kind": "flood"}, {"kind": "cut", "path": "("}, {"kind": "cut", "colour": 1}, {}]
)
def test_a_fault_that_is_none_is_refused(http: httpx.Client, notion: Notion, fault: dict[str, Any]) -> None:
    assert http.post("/_sandbox/faults", json=fault).status_code == 400
    assert notion.faults.waiting() == []


def test_a_wrong_write_is_refused_also_under_a_fault(api: Api, ask: Any) -> None:
    ask(kind="saved")
    assert api.create(Color={"number": 1}).status_code == 400
