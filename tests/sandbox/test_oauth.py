"""Tokens by OAuth, as an app gets them, with the official client."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, cast

import httpx
import pytest
from notion_client import APIResponseError, Client, UnknownHTTPResponseError

from sync_workers.sandbox.notion import TOKEN, Notion
from sync_workers.sandbox.serve import SandboxServer
from tests.sandbox.replay import HEADERS

APP = {"client_id": "app", "client_secret": "hush"}


@pytest.fixture
def client(server: SandboxServer, notion: Notion) -> Iterator[Client]:
    notion.apps.add(**APP)
    made = Client(
        base_url=server.url, notion_version="2026-03-11", retry=False, logger=logging.getLogger("test")
    )
    yield made
    made.close()


def exchange(client: Client, **what: str) -> dict[str, Any]:
    return cast("dict[str, Any]", client.oauth.token(**APP, **what))


def name(client: Client, token: str) -> str:
    return cast("dict[str, str]", client.users.me(auth=token))["name"]


def test_a_code_is_good_for_one_token(client: Client, notion: Notion) -> None:
    # given a person's consent
    notion.apps.codes.add("code")
    # when
    made = exchange(client, grant_type="authorization_code", code="code")
    # then
    assert name(client, made["access_token"]) == "App"
    assert (made["bot_id"], made["token_type"]) == (notion.tokens[made["access_token"]], "bearer")
    with pytest.raises((APIResponseError, UnknownHTTPResponseError)) as refused:
        exchange(client, grant_type="authorization_code", code="code")
    assert refused.value.status == 400


def test_a_refreshed_token_replaces_the_old_one(client: Client, notion: Notion) -> None:
    notion.apps.codes.add("code")
    first = exchange(client, grant_type="authorization_code", code="code")
    second = exchange(client, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert name(client, second["access_token"]) == "App"
    with pytest.raises(APIResponseError) as refused:
        client.users.me(auth=first["access_token"])
    assert refused.value.status == 401


def test_a_revoked_token_is_inactive(client: Client) -> None:
    assert client.oauth.introspect(**APP, token=TOKEN)["active"] is True  # type: ignore[index]  # sync client
    client.oauth.revoke(**APP, token=TOKEN)
    assert client.oauth.introspect(**APP, token=TOKEN)["active"] is False  # type: ignore[index]  # as above
    with pytest.raises(APIResponseError):
        client.users.me(auth=TOKEN)


@pytest.mark.parametrize("authorization", ["", "Bearer ntn_sandbox", "Basic x", "Basic YXBwOndyb25n"])
def test_who_shows_no_app_is_refused(server: SandboxServer, authorization: str) -> None:
    server.notion.apps.add(**APP)
    headers = {**HEADERS, "Authorization": authorization}
    answer = httpx.post(f"{server.url}/v1/oauth/revoke", json={"token": TOKEN}, headers=headers)
    assert answer.status_code == 401
    assert TOKEN in server.notion.tokens
