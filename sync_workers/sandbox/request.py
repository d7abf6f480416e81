"""A request to the API after its checks, as the endpoints see it."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from sync_workers.sandbox.errors import failed
from sync_workers.sandbox.forms import Part
from sync_workers.sandbox.nouns import Json
from sync_workers.sandbox.store import Store


@dataclass(frozen=True, slots=True)
class Request:
    """What an endpoint needs.

    Attributes:
        body: the JSON object; empty when there was none.
        user_id: the bot of the token.
        query: the parameters in the URL.
        url: of the request, without the query.
        row_limit: how many rows a query shows at most, over all its pages.
        form: the parts of a form with files; empty for all other bodies.
    """

    store: Store
    user_id: str
    body: Json
    query: Mapping[str, list[str]]
    url: str
    row_limit: int
    form: Mapping[str, Part] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """Where this API stands, such as `http://127.0.0.1:8787`."""
        return self.url.partition("/v1/")[0]

    def asked(self, parameter: str) -> str | None:
        """A parameter of the query part, the last one if it is repeated."""
        return self.query.get(parameter, [None])[-1]


def only_keys(body: Json, known: AbstractSet[str]) -> Json:
    """Refuse what Notion does not know, such as `archived` since 2026-03-11."""
    for key, value in body.items():
        if key not in known:
            raise failed(key, "not present", value)
    return body
