"""Evidence about the real Notion that lies beside the checkout: recorded exchanges and a JSON Schema."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SHARED = Path(__file__).parents[3].parent / "shared"


def _path(*parts: str) -> Path:
    path = SHARED.joinpath(*parts)
    if not path.exists():
        reason = f"{path} is not there"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def exchanges() -> list[dict[str, Any]]:
    """All recorded exchanges with Notion."""
    lines = [
        line
        for file in sorted(_path("recorded").glob("*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    return [exchange for line in lines if (exchange := json.loads(line))["service"] == "notion"]


def judge(name: str) -> dict[str, Any]:
    """The JSON Schema of one definition of Notion's client."""
    schema: dict[str, Any] = json.loads(
        _path("judges", "notion-client-5.26.schema.json").read_text(encoding="utf-8")
    )
    return {**schema, "$ref": f"#/definitions/{name}"}


def objects(kind: str, within: Any) -> Iterator[dict[str, Any]]:
    """Everything in an answer that is a `page`, a `data_source`, ..."""
    if isinstance(within, dict):
        if within.get("object") == kind:
            yield within
        within = list(within.values())
    if isinstance(within, list):
        for part in within:
            yield from objects(kind, part)
