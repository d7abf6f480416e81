"""What lies beside the checkout: the recorded exchanges, and the JSON Schema that judges answers."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
from jsonschema import Draft7Validator

SHARED = Path(__file__).parents[2].parent / "shared"

# What the client's types do not know, although Notion answers with it [recorded].
_UNKNOWN_COLUMNS = {"verification", "place", "button"}


@dataclass(frozen=True)
class Exchange:
    number: int
    method: str
    path: str
    query: list[list[str]]
    request: Any
    status: int
    response: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.number} {self.method} {self.path}"


def shared(*parts: str) -> Path:
    path = SHARED.joinpath(*parts)
    if not path.exists():
        reason = f"{path} is not there"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def exchanges(name: str) -> list[Exchange]:
    """The exchanges with Notion in one recording."""
    lines = shared("recorded", f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    kept = ("method", "path", "query", "request", "status", "response")
    read = [(number, json.loads(line)) for number, line in enumerate(lines)]
    return [Exchange(n, **{key: e[key] for key in kept}) for n, e in read if e["service"] == "notion"]


_OBJECTS = {
    "page": "PageObjectResponse",
    "data_source": "DataSourceObjectResponse",
    "database": "DatabaseObjectResponse",
    "user": "UserObjectResponse",
    "block": "BlockObjectResponse",
    "comment": "CommentObjectResponse",
    "page_markdown": "PageMarkdownResponse",
    "property_item": "PropertyItemObjectResponse",
}
_LISTS = {
    "page_or_data_source": "QueryDataSourceResponse",
    "block": "ListBlockChildrenResponse",
    "property_item": "PropertyItemListResponse",
    "user": "ListUsersResponse",
}


def misshapen(answer: Mapping[str, Any]) -> list[str]:
    """How an answer differs from the shapes that the official client's types know; empty when it does not."""
    judged = _known(copy.deepcopy(dict(answer)))
    if judged["object"] != "list":
        return _differences(_OBJECTS[judged["object"]], judged)
    # The envelope's own definition takes any stub for a result, so each one is judged as what it says it is.
    within = [d for item in judged["results"] for d in _differences(_OBJECTS[item["object"]], item)]
    # The schema has no definition of a list of comments.
    envelope = _LISTS.get(judged["type"])
    return (_differences(envelope, judged) if envelope else []) + within


def _known(answer: dict[str, Any]) -> dict[str, Any]:
    """Without what Notion answers and the client's types do not know."""
    answer.pop("request_id", None)
    for item in answer.get("results", [answer]):
        columns = item.get("properties", {})
        for name, column in list(columns.items()):
            if item["object"] == "page" and column["type"] == "relation":
                del column["has_more"]
            if item["object"] == "data_source" and column["type"] in _UNKNOWN_COLUMNS:
                del columns[name]
    return answer


def _differences(definition: str, instance: Any) -> list[str]:
    return [f"{definition}: {error.message[:300]}" for error in _judge(definition).iter_errors(instance)]


@cache
def _judge(definition: str) -> Draft7Validator:
    return Draft7Validator({**_schema(), "$ref": f"#/definitions/{definition}"})


@cache
def _schema() -> dict[str, Any]:
    path = shared("judges", "notion-client-5.26.schema.json")
    schema = json.loads(path.read_text(encoding="utf-8"))
    return cast("dict[str, Any]", _without_archived(schema))


def _without_archived(part: Any) -> Any:
    """Since 2026-03-11 no answer has `archived`; the client's types still ask for it."""
    if isinstance(part, list):
        return [_without_archived(item) for item in part if item != "archived"]
    if isinstance(part, dict):
        return {key: _without_archived(item) for key, item in part.items()}
    return part
