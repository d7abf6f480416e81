"""Faults that no client finds in the error envelope, and writes that collide."""

from __future__ import annotations

import json
import threading

import httpx
import pytest

from sync_workers.sandbox.notion import TOKEN, Notion
from sync_workers.sandbox.serve import SandboxServer
from tests.conftest import wait_until
from tests.sandbox.conftest import Api, title
from tests.sandbox.replay import HEADERS


def test_a_proxy_answers_with_html_and_nothing_is_done(api: Api, notion: Notion) -> None:
    notion.faults.add("html", method="POST")
    answer = api.create(Task=title("Bread"))
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html; charset=utf-8")
    assert notion.pages(api.table) == []


def test_cut_json_arrives_as_a_good_answer_that_cannot_be_read(server: SandboxServer, tasks: str) -> None:
    # given
    server.notion.faults.add("cut_json", method="POST")
    body = {"parent": {"data_source_id": tasks}, "properties": {"Task": title("Bread")}}
    # when
    answer = httpx.post(f"{server.url}/v1/pages", json=body, headers=HEADERS)
    # then
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    assert [row.values["Task"] for row in server.notion.pages(tasks)] == ["Bread"]


def test_only_big_pages_time_out(api: Api, notion: Notion) -> None:
    notion.faults.add("timeout", path="/query$", over=50, times=100)
    asked = [{}, {"page_size": 51}, {"page_size": 500}, {"page_size": 50}]
    assert [api.query(**body).status_code for body in asked] == [504, 504, 504, 200]
    assert api.http.get("/v1/users/me").status_code == 200


def test_a_fault_can_be_for_one_token(api: Api, notion: Notion) -> None:
    notion.add_token("ntn_other")
    notion.faults.add("rate_limited", token="ntn_other", times=10)
    other = {"Authorization": "Bearer ntn_other"}
    answers = [api.http.get("/v1/users/me", headers=headers) for headers in (other, {}, other)]
    assert [answer.status_code for answer in answers] == [429, 200, 429]


def test_all_connections_share_the_limit_of_their_workspace(api: Api, notion: Notion) -> None:
    # given
    notion.add_token("ntn_other")
    other = {"Authorization": "Bearer ntn_other"}
    limit = {"workspace_requests_per_minute": 2}
    assert api.http.post("/_sandbox/limit", json=limit).status_code == 200
    # when
    answers = [api.http.get("/v1/users/me", headers=headers) for headers in ({}, other, {}, other)]
    # then
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    reasons = {answer.json()["additional_data"]["rate_limit_reason"] for answer in answers[2:]}
    assert reasons == {"public_api_space_request_rate_limit"}


def test_an_unknown_limit_is_refused(api: Api) -> None:
    answer = api.http.post("/_sandbox/limit", json={"request_per_minute": 2})
    assert (answer.status_code, "request_per_minute" in answer.text) == (400, True)


def test_parallel_writes_to_one_table_collide_and_reads_do_not(api: Api, notion: Notion) -> None:
    # given a write that is under way for as long as the test takes
    other = notion.add_database("Other", {"Task": "title"})
    row = notion.add_page(api.table, {"Task": "Bread"})
    api.http.post("/_sandbox/limit", json={"write_seconds": 600})
    slow = threading.Thread(target=_write_and_give_up, args=[api, row], daemon=True)
    slow.start()
    wait_until(lambda: notion.page(row).values["Effort"] == 1, "the first write is done")
    # when others write meanwhile
    created, updated = api.create(Task=title("Milk")), api.update(row, Effort={"number": 2})
    # then they are refused, and nothing was done
    assert [answer.status_code for answer in (created, updated)] == [409, 409]
    assert created.json()["code"] == "conflict_error"
    assert [(r.values["Task"], r.values["Effort"]) for r in notion.pages(api.table)] == [("Bread", 1)]
    # but reads pass, and so do writes elsewhere
    assert api.query().status_code == 200
    notion.write_times.seconds = 0
    assert Api(api.http, other).create(Task=title("Milk")).status_code == 200
    slow.join(10)


def _write_and_give_up(api: Api, row: str) -> None:
    with pytest.raises(httpx.ReadTimeout):
        api.http.patch(
            f"/v1/pages/{row}",
            json={"properties": {"Effort": {"number": 1}}},
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=1,
        )


def test_writes_one_after_another_never_collide(api: Api, notion: Notion) -> None:
    notion.write_times.seconds = 0.01
    statuses = [api.create(Task=title(str(number))).status_code for number in range(10)]
    assert statuses == [200] * 10
    assert len(notion.pages(api.table)) == 10
