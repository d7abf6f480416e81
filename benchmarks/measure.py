"""One measurement in a process of its own: `python -m benchmarks.measure NAME SIZE` says it as JSON."""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.records import FIELDS, Hooks, fields, links, records
from sync_workers.model import Listing, Pair, Side

Work = Callable[[], Any]


def expect(said: bool) -> None:
    """What is measured has to be what it is called."""
    if not said:
        raise ValueError


def comparison(size: int) -> Work:
    """`engine.diff.diff` of linked records of which none changed."""
    from sync_workers.engine.diff import diff
    from sync_workers.engine.rules import FieldRule, Rules

    rules = Rules(tuple(FieldRule(Pair(notion, other)) for notion, other in FIELDS.items()))
    state, snapshot = _state(size), Pair.each(lambda side: Listing(records(side, size)))

    def work() -> None:
        expect(len(diff(rules, state, snapshot)) == 0)

    return work


def mirror(size: int) -> Work:
    """What a side showed last, read from what Redis keeps of it; once a run for a side with a change feed."""
    from sync_workers.runs.codec import from_bytes, to_bytes
    from sync_workers.runs.mirror import Mirror

    kept = zlib.compress(to_bytes(Mirror("cursor", "setup", records(Side.NOTION, size))), level=1)

    def work() -> None:
        expect(len(from_bytes(zlib.decompress(kept), Mirror).records) == size)

    return work


def whole_sync(size: int) -> Work:
    """`SyncTask.sync(state)` of linked records of which none changed, on from an earlier sync."""
    from sync_workers.state import State

    task, state = _task(size, size), State()
    for one, another in zip(task.notion.values(), task.other.values(), strict=True):
        state.link(one.id, another.id, task.notion_to_dict(one), task.other_to_dict(another))

    def work() -> None:
        task.sync(state)
        expect(task.report.planned == 0)

    return work


def first_sync(size: int) -> Work:
    """`SyncTask.sync(None)` that makes every record on the other side."""

    def work() -> None:
        task = _task(size, 0)
        expect(len(task.sync(None).ids) == len(task.other) == size)

    return work


def matching(size: int) -> Work:
    """`SyncTask.sync(None)` that links every record by its key."""
    task = _task(size, size)

    def work() -> None:
        expect(len(task.sync(None).ids) == len(task.other) == size)

    return work


def original(size: int) -> Work:
    """`sync(state)` of the class this interface comes from, on linked records of which none changed."""
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        os.environ["ULTIMATE_NOTION_CONFIG"] = str(Path(folder) / "config.toml")
        from ultimate_notion.adapters.sync import State, SyncTask
        from ultimate_notion.config import get_or_create_cfg

        get_or_create_cfg()
        task: Any = type("Original", (Hooks, SyncTask), {})(size, size)
    state = State(
        ids=dict(links(size)), objs={i: fields(Side.NOTION, n) for n, (i, _) in enumerate(links(size))}
    )

    def work() -> None:
        task.sync(state)

    return work


def _task(notion: int, other: int) -> Any:
    from sync_workers import SyncTask

    return type("Ours", (Hooks, SyncTask), {})(notion, other)


def _state(size: int) -> Any:
    from sync_workers.state import State

    state = State()
    for number, (notion_id, other_id) in enumerate(links(size)):
        state.link(notion_id, other_id, fields(Side.NOTION, number), fields(Side.OTHER, number))
    return state


ALL = {work.__name__: work for work in (comparison, mirror, whole_sync, first_sync, matching, original)}


def main(name: str, size: int, times: int) -> None:
    """Do the work several times and say the best time and the most memory."""
    work = ALL[name](size)
    best = float("inf")
    for _ in range(times):
        begun = time.process_time()  # of this process alone: what else runs on the machine does not count
        work()
        best = min(best, time.process_time() - begun)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    megabytes = peak / (1 << 20) if sys.platform == "darwin" else peak / 1024
    print(json.dumps({"seconds": best, "megabytes": megabytes}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
