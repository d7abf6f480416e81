"""The endpoints of OAuth: a code or a refresh token for a token, introspect, revoke.

The only ones that know no bearer: a client shows the id and the secret of its app (`Notion.add_app`).
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING

from sync_workers.sandbox import users
from sync_workers.sandbox.errors import Refusal, failed
from sync_workers.sandbox.nouns import Json

if TYPE_CHECKING:
    from sync_workers.sandbox.notion import Notion

PREFIX = "/v1/oauth/"


class Apps:
    """Which apps there are, and what they may exchange.

    Attributes:
        codes: what a person's consent gave, each good for one exchange.
        refresh: by refresh token, the token that it replaces.
    """

    def __init__(self) -> None:
        self.codes: set[str] = set()
        self.refresh: dict[str, str] = {}
        self._secrets: dict[str, str] = {}

    def add(self, client_id: str, client_secret: str) -> None:
        self._secrets[client_id] = client_secret

    def check(self, authorization: str) -> None:
        """Let in only who shows the id and the secret of an app.

        Raises:
            Refusal: 401.
        """
        scheme, _, shown = authorization.partition(" ")
        if scheme.lower() != "basic" or shown not in {_basic(*app) for app in self._secrets.items()}:
            raise Refusal(401, "invalid_client", "The client id or secret is not valid.")


def _basic(client_id: str, client_secret: str) -> str:
    return base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()


def answer(notion: Notion, method: str, path: str, authorization: str, body: Json) -> Json:
    """Carry out one call to an address under `PREFIX`."""
    act = _ACTS.get((method, path.removeprefix(PREFIX)))
    if act is None:
        raise Refusal(400, "invalid_request_url", "Invalid request URL.")
    notion.apps.check(authorization)
    return act(notion, body)


def _exchange(notion: Notion, body: Json) -> Json:
    kind, apps = body.get("grant_type"), notion.apps
    if kind == "authorization_code" and body.get("code") in list(apps.codes):
        apps.codes.remove(body["code"])
    elif kind == "refresh_token" and body.get("refresh_token") in list(apps.refresh):
        notion.revoke(apps.refresh.pop(body["refresh_token"]))
    elif kind in ("authorization_code", "refresh_token"):
        raise Refusal(400, "invalid_grant", "Invalid code: this code has been revoked.")
    else:
        raise failed("grant_type", '"authorization_code" or "refresh_token"', kind)
    token, again = f"ntn_{secrets.token_hex(12)}", f"nrt_{secrets.token_hex(12)}"
    bot = notion.add_token(token, "App")
    apps.refresh[again] = token
    return {
        "access_token": token,
        "token_type": "bearer",
        "refresh_token": again,
        "bot_id": bot,
        "workspace_icon": None,
        "workspace_name": notion.store.workspace_name,
        "workspace_id": notion.store.workspace_id,
        "owner": {"type": "user", "user": users.show(notion.store.users[notion.person])},
        "duplicated_template_id": None,
    }


def _introspect(notion: Notion, body: Json) -> Json:
    return {"active": body.get("token") in list(notion.tokens)}


def _revoke(notion: Notion, body: Json) -> Json:
    if body.get("token") in list(notion.tokens):
        notion.revoke(body["token"])
    return {}


_ACTS: dict[tuple[str, str], Callable[[Notion, Json], Json]] = {
    ("POST", "token"): _exchange,
    ("POST", "introspect"): _introspect,
    ("POST", "revoke"): _revoke,
}
