"""How Notion shows people and bots."""

from __future__ import annotations

from sync_workers.sandbox.nouns import Json, User
from sync_workers.sandbox.store import Store


def partial(user_id: str) -> Json:
    return {"object": "user", "id": user_id}


def show(one: User, *, with_email: bool = True) -> Json:
    """As a connection sees them; without the capability to read e-mail addresses it sees none."""
    shown: Json = {"object": "user", "id": one.id, "name": one.name, "avatar_url": None}
    if one.is_bot:
        return {**shown, "type": "bot", "bot": {}}
    return {**shown, "type": "person", "person": {"email": one.email} if with_email else {}}


def me(store: Store, one: User) -> Json:
    """The bot of a token as it sees itself."""
    bot = {
        "owner": {"type": "workspace", "workspace": True},
        "workspace_name": store.workspace_name,
        "workspace_id": store.workspace_id,
        "workspace_limits": {"max_file_upload_size_in_bytes": 5242880},
    }
    return {**show(one), "bot": bot}
