"""A `SyncTask` on two JSON files, so that several processes can share it and a test can stop it anywhere."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sync_workers import SyncTask
from sync_workers.errors import AccessError

ATTRS = {"Name": "summary", "Done": "done"}


class JsonTask(SyncTask):
    """Both sides in a folder: `notion.json` and `other.json` map ids to attributes and a time.

    A file `hold-WORD` in the folder makes whoever does WORD wait until it is gone, a file `refuse-WORD`
    refuses access; `log` tells who did what, a line each: the process id and the word.
    """

    def __init__(
        self, name: str, folder: Path, mode: str = "newer", attrs: Mapping[str, str] = ATTRS
    ) -> None:
        self.folder = folder
        super().__init__(name, dict(attrs), mode)

    # --- what tests use ---

    def put(self, side: str, record_id: str = "", **attrs: Any) -> str:
        """Add or edit an object as a person would."""
        record_id = record_id or f"{side[0]}{secrets.token_hex(6)}"
        with self.changing(side) as objects:
            old = objects.get(record_id, {})
            objects[record_id] = {**old, **attrs, "modified": datetime.now(UTC).isoformat()}
        return record_id

    def remove(self, side: str, record_id: str) -> None:
        with self.changing(side) as objects:
            del objects[record_id]

    def shown(self, side: str) -> list[tuple[Any, ...]]:
        keys = self.attr_map.keys() if side == "notion" else self.attr_map.values()
        return sorted(tuple(obj.get(key) for key in keys) for obj in self.read(side).values())

    def log(self) -> list[tuple[int, str]]:
        path = self.folder / "log"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(int(pid), word) for pid, word in (line.split() for line in lines)]

    def hold(self, word: str) -> Path:
        return self._marked(f"hold-{word}")

    def refuse(self, word: str) -> Path:
        return self._marked(f"refuse-{word}")

    def _marked(self, name: str) -> Path:
        path = self.folder / name
        path.touch()
        return path

    # --- the files ---

    def read(self, side: str) -> dict[str, dict[str, Any]]:
        path = self.folder / f"{side}.json"
        found: dict[str, dict[str, Any]] = json.loads(path.read_text()) if path.exists() else {}
        return found

    @contextmanager
    def changing(self, side: str) -> Iterator[dict[str, dict[str, Any]]]:
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            objects = self.read(side)
            yield objects
            fresh = self.folder / f"{side}.{os.getpid()}.tmp"
            fresh.write_text(json.dumps(objects))
            fresh.replace(self.folder / f"{side}.json")

    def did(self, word: str) -> None:
        with (self.folder / "log").open("a") as log:
            log.write(f"{os.getpid()} {word}\n")
        while (self.folder / f"hold-{word}").exists():
            time.sleep(0.01)  # this plays a slow service, it does not wait for the system under test
        if (self.folder / f"refuse-{word}").exists():
            msg = f"the service refuses to {word}"
            raise AccessError(msg)

    def listed(self, side: str) -> list[Any]:
        self.did(f"list-{side}")
        return [{"id": record_id, **attrs} for record_id, attrs in self.read(side).items()]

    # --- the hooks ---

    def get_notion_objects(self) -> list[Any]:
        return self.listed("notion")

    def get_other_objects(self) -> list[Any]:
        return self.listed("other")

    def notion_timestamp(self, obj: Any) -> datetime:
        return datetime.fromisoformat(obj["modified"])

    other_timestamp = notion_timestamp

    def notion_id(self, obj: Any) -> str:
        return str(obj["id"])

    other_id = notion_id

    def notion_hash(self, obj: Any) -> str:
        return str(obj["Name"])

    def other_hash(self, obj: Any) -> str:
        return str(obj["summary"])

    def notion_to_dict(self, obj: Any) -> dict[str, Any]:
        return {attr: obj.get(attr) for attr in self.attr_map}

    def other_to_dict(self, obj: Any) -> dict[str, Any]:
        return {attr: obj.get(attr) for attr in self.attr_map.values()}

    def notion_update_obj(self, obj: Any, attr: str, value: Any) -> None:
        self.did("update-notion")
        self.put("notion", obj["id"], **{attr: value})

    def other_update_obj(self, obj: Any, attr: str, value: Any) -> None:
        self.did("update-other")
        self.put("other", obj["id"], **{attr: value})

    def notion_delete_obj(self, obj: Any) -> None:
        self.remove("notion", obj["id"])

    def other_delete_obj(self, obj: Any) -> None:
        self.remove("other", obj["id"])

    def notion_create_obj(self, **kwargs: Any) -> Any:
        self.did("create-notion")
        record_id = self.put("notion", **kwargs)
        return {"id": record_id, **self.read("notion")[record_id]}

    def other_create_obj(self, **kwargs: Any) -> Any:
        self.did("create-other")
        record_id = self.put("other", **kwargs)
        return {"id": record_id, **self.read("other")[record_id]}
