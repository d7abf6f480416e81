"""Makes state files by running ultimate-notion itself, which the product never imports."""

from __future__ import annotations

import asyncio
import importlib
import warnings
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

Things = dict[str, dict[str, Any]]


def library(name: str = "ultimate_notion") -> ModuleType:
    """A module of the library; its import warns of what is none of our business."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return importlib.import_module(name)


def original_state(ids: Mapping[Any, Any], objs: Mapping[Any, Any]) -> Any:
    """The library's own `State`, filled as its steps fill it: past the validation."""
    state = library("ultimate_notion.adapters.sync").State()
    state.ids.update(ids)
    state.objs.update(objs)
    return state


def run_original(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    attr_map: dict[str, str],
    notion: Iterable[Mapping[str, Any]],
    other: Iterable[Mapping[str, Any]],
) -> Path:
    """Let the library's `SyncTask` sync two lists of dicts (each with its `id`); where it left its state."""
    monkeypatch.setenv("ULTIMATE_NOTION_CONFIG", str(folder / "config.toml"))
    library("ultimate_notion.config").get_or_create_cfg()
    things = {"notion": {thing["id"]: dict(thing) for thing in notion}}
    things["other"] = {thing["id"]: dict(thing) for thing in other}
    attrs = {"notion": list(attr_map), "other": list(attr_map.values())}
    hooks: dict[str, Any] = {}
    for side, mine in things.items():
        hooks |= _hooks(side, mine, attrs[side])
    kind = type("Task", (library("ultimate_notion.adapters.sync").SyncTask,), hooks)
    task = kind("Todos", attr_map)
    asyncio.run(task())
    return Path(task.state_path)


def _hooks(side: str, things: Things, attrs: list[str]) -> dict[str, Any]:
    def create(_self: object, **values: Any) -> dict[str, Any]:
        made = {"id": f"{side}-made-{len(things)}", **values}
        things[made["id"]] = made
        return made

    return {
        f"get_{side}_objects": lambda _self: list(things.values()),
        f"{side}_timestamp": lambda _self, _obj: datetime(2026, 1, 1, tzinfo=UTC),
        f"{side}_id": lambda _self, obj: obj["id"],
        f"{side}_hash": lambda _self, obj: str(obj[attrs[0]]),
        f"{side}_to_dict": lambda _self, obj: {attr: obj[attr] for attr in attrs},
        f"{side}_update_obj": lambda _self, obj, attr, value: obj.update({attr: value}),
        f"{side}_delete_obj": lambda _self, obj: things.pop(obj["id"]),
        f"{side}_create_obj": create,
    }
