"""What is checked before a request reaches an endpoint."""

from __future__ import annotations

import httpx
import pytest

from sync_workers.sandbox.notion import TOKEN, Notion, Seen
from tests.sandbox.replay import HEADERS


@pytest.mark.parametrize("token", [None, "Bearer ntn_other", TOKEN, "Bearer"])
def test_a_request_without_a_known_token_is_unauthorized(http: httpx.Client, token: str | None) -> None:
    headers = {**http.headers, **({"authorization": token} if token else {})}
    if token is None:
        del headers["authorization"]
    answer = httpx.get(f"{http.base_url}/v1/users/me", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


def test_a_request_without_a_version_is_told_so(http: httpx.Client) -> None:
    answer = httpx.get(f"{http.base_url}/v1/users/me", headers={"Authorization": HEADERS["Authorization"]})
    assert (answer.status_code, answer.json()["code"]) == (400, "missing_version")


@pytest.mark.parametrize("version", ["2025-09-03", "2022-06-28", "1999-01-01", "latest"])
def test_another_version_is_refused(http: httpx.Client, version: str) -> None:
    answer = http.get("/v1/users/me", headers={"Notion-Version": version})
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/nothing"), ("PUT", "/v1/pages"), ("GET", "/v1/"), ("DELETE", "/v1/pages/x")],
)
def test_an_unknown_url_is_refused(http: httpx.Client, method: str, path: str) -> None:
    answer = http.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request_url")


def test_a_body_that_is_no_json_is_refused(http: httpx.Client) -> None:
    answer = http.post("/v1/pages", content=b"{")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_json")
    assert http.post("/v1/pages", json=[]).json()["code"] == "validation_error"


def test_a_body_over_500_kb_is_refused_with_another_envelope(http: httpx.Client) -> None:
    answer = http.post("/v1/search", json={"query": "x" * 500_001})
    assert answer.status_code == 413
    assert "code" not in answer.json()


def test_an_error_has_the_envelope(http: httpx.Client) -> None:
    answer = http.get("/v1/pages/00000000-0000-4000-8000-00000000dead")
    assert answer.status_code == 404
    assert answer.json().keys() == {"object", "status", "code", "message", "request_id"}
    assert answer.json()["code"] == "object_not_found"


def test_ids_are_taken_with_and_without_dashes(http: httpx.Client, notion: Notion) -> None:
    assert http.get(f"/v1/pages/{notion.root.replace('-', '')}").json()["id"] == notion.root
    assert http.get("/v1/pages/first").json()["code"] == "validation_error"


def test_every_request_is_in_the_log(http: httpx.Client, notion: Notion, tasks: str) -> None:
    # given
    notion.forget_requests()
    # when
    http.get("/v1/users/me")
    http.post(f"/v1/data_sources/{tasks}/query", json={})
    http.post("/v1/pages", json={})
    # then
    assert notion.seen_requests() == [
        Seen("GET", "/v1/users/me", 200),
        Seen("POST", f"/v1/data_sources/{tasks}/query", 200),
        Seen("POST", "/v1/pages", 400),
    ]
    assert notion.writes() == [Seen("POST", "/v1/pages", 400)]


def test_each_token_has_its_own_bot(http: httpx.Client, notion: Notion) -> None:
    other = notion.add_token("ntn_other", "Other")
    mine = http.get("/v1/users/me").json()
    theirs = http.get("/v1/users/me", headers={"Authorization": "Bearer ntn_other"}).json()
    assert (theirs["id"], theirs["name"], theirs["type"]) == (other, "Other", "bot")
    assert mine["id"] != other


def test_users_are_listed_and_read(http: httpx.Client, notion: Notion) -> None:
    listed = http.get("/v1/users", params={"page_size": 1}).json()
    assert (len(listed["results"]), listed["has_more"]) == (1, True)
    rest = http.get("/v1/users", params={"start_cursor": listed["next_cursor"]}).json()
    ids = [user["id"] for user in listed["results"] + rest["results"]]
    assert ids == list(notion.store.users)
    person = http.get(f"/v1/users/{notion.person}").json()
    assert (person["type"], person["person"]) == ("person", {"email": "ada@example.com"})
