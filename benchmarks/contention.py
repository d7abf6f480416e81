"""Many processes with one token: how much of what Notion allows they use, and whether it ever refuses them.

`python -m benchmarks.contention worker ...` is one of the processes; without arguments it measures once.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, Any

MARGIN = 0.1 / 60
"""Of a window, as `Times` has it: shorter windows are measured with a margin that is shorter likewise."""


@dataclass(frozen=True, slots=True)
class Contention:
    """What came of it.

    Attributes:
        refused: how often Notion answered 429.
        used_share: of the calls that are allowed, how many were made in the long run: a call that is made as
            soon as its place in the window is free comes a window after the one before it in that place.
        by_process: calls of each.
        commands: how many commands Redis carried out for each call.
    """

    refused: int
    used_share: float
    by_process: tuple[int, ...]
    commands: float


def contend(*, processes: int, windows: float, limit: int, window: float, delay: float = 0.0) -> Contention:
    """Let so many processes make as many calls as they can, for so many windows.

    `delay` is how long Notion takes for its answers at least.
    """
    from sync_workers.redis.connect import connect
    from sync_workers.sandbox.embedded import EmbeddedRedis
    from sync_workers.sandbox.notion import TOKEN, Notion
    from sync_workers.sandbox.serve import SandboxServer
    from sync_workers.sandbox.window import Window

    notion = Notion(requests_per_minute=limit)
    notion.window = Window(limit, timedelta(seconds=window))
    if delay:
        notion.faults.add("delay", seconds=delay, times=10**9)
    with EmbeddedRedis() as redis, SandboxServer(notion) as server:
        told = [redis.url, server.url, windows * window, limit, window, TOKEN]
        made = _all_of(processes, [str(one) for one in told])
        client = connect(redis.url)
        commands = int(client.ask("INFO", "stats")["total_commands_processed"])
        client.close()
    times = sorted(moment for one in made for moment in one)
    cycles = [later - first for first, later in zip(times, times[limit:], strict=False)]
    return Contention(
        refused=sum(seen.status == 429 for seen in notion.seen_requests()),
        used_share=window * len(cycles) / sum(cycles),
        by_process=tuple(len(one) for one in made),
        commands=commands / max(len(times), 1),
    )


def _all_of(processes: int, told: Sequence[str]) -> list[list[float]]:
    command = [sys.executable, "-m", "benchmarks.contention", "worker"]
    running = [
        subprocess.Popen(  # noqa: S603 - our own module
            [*command, f"task-{number}", *told], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for number in range(processes)
    ]
    for process in running:
        _pipe(process.stdout).readline()  # it is ready
    for process in running:
        _pipe(process.stdin).write("begin\n")
        _pipe(process.stdin).flush()
    answers = [process.communicate()[0] for process in running]
    return [json.loads(answer) for answer in answers]


def _pipe(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise ValueError
    return stream


def work(name: str, redis: str, notion: str, length: str, limit: str, window: str, token: str) -> None:
    """One process: call until the end, and say when each answer came."""
    import os

    from sync_workers.errors import NotYetError
    from sync_workers.redis.budget import RedisBudget
    from sync_workers.redis.connect import connect
    from sync_workers.report import Trigger
    from sync_workers.services.budget import PATIENCE, Times
    from sync_workers.services.notion.client import Api
    from sync_workers.services.notion.settings import NotionConnection

    os.environ["NOTION_TOKEN"] = token
    seconds = float(window)
    times = Times(window=timedelta(seconds=seconds), margin=timedelta(seconds=seconds * MARGIN))
    budget = RedisBudget(connect(redis), name, Trigger.BEAT, times=times, patience=PATIENCE)
    settings: dict[str, Any] = {
        "token": {"env": "NOTION_TOKEN"},
        "url": notion,
        "calls_per_minute": int(limit),
    }
    api = Api(NotionConnection.model_validate(settings), budget)
    made: list[float] = []
    print("ready", flush=True)
    sys.stdin.readline()
    end = time.time() + float(length)
    while time.time() < end:
        try:
            api.get("users/me", "the connection itself", "user")
            made.append(time.time())
        except NotYetError as error:  # a worker takes up another run meanwhile
            time.sleep(min(error.wait.total_seconds(), max(0.0, end - time.time())))
    json.dump(made, sys.stdout)


def main(arguments: Sequence[str]) -> None:
    if arguments and arguments[0] == "worker":
        work(*arguments[1:])
        return
    processes, windows, limit, window = (float(argument) for argument in arguments)
    print(contend(processes=int(processes), windows=windows, limit=int(limit), window=window))


if __name__ == "__main__":
    main(sys.argv[1:])
