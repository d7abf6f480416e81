"""Many tasks of several kinds on one Redis, people on both sides of each, and workers that get killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psutil

from sync_workers.model import Pair, Side
from sync_workers.redis.connect import Client, connect
from sync_workers.redis.history import entries
from sync_workers.redis.keys import Keys
from sync_workers.redis.runs_store import RunsStore
from sync_workers.report import Outcome
from sync_workers.sandbox.embedded import EmbeddedRedis
from sync_workers.sandbox.notion import TOKEN, Notion
from sync_workers.sandbox.serve import SandboxServer
from tests.system.desk import Desk
from tests.system.sheets import WRITE, CrowdTask, FileSheet, NotionSheet, Sheet, TableSheet
from tests.worker.deployment import ROOT

EVERY = "2s"
WORKERS = 3

ENDS = set(Outcome) - {Outcome.DROPPED}
"""How a run can end; a dropped tick is none."""

FILES, TABLES, PAGES = 8, 3, 3
"""How many tasks are over hooks on plain files, over two tables in SQLite, and between Notion and a table."""

SETTINGS = {"SYNC_WORKERS_LEASE": "5s", "SYNC_WORKERS_REDELIVERY": "10s"}
"""A killed run stands in the way for some seconds only, so that there is time for many kills."""


def _children(worker: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """The pool of a worker; a worker that just starts has none."""
    try:
        return list(psutil.Process(worker.pid).children())
    except psutil.NoSuchProcess:
        return []


@dataclass
class Crowd:
    """The desks, the worker processes, and whoever kills them.

    Attributes:
        killed: how often what was killed.
        in_writes: how many of these kills met a write to a file.
        done: how often people did what.
        last: what each process said last, and when, in the log of the file tasks, of which so much is read.
    """

    folder: Path
    redis: EmbeddedRedis
    client: Client
    desks: list[Desk]
    chance: Random
    environment: dict[str, str]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    started: list[psutil.Process] = field(default_factory=list)
    killed: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    last: dict[int, tuple[str, float]] = field(default_factory=dict)
    read: int = 0
    in_writes: int = 0

    def work(self) -> None:
        """One thing that one person does somewhere."""
        self.done[self.chance.choice(self.desks).work(self.chance, self.done.total())] += 1

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        with (self.folder / "processes.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "celery", *command],
                stdout=log, stderr=log, env=self.environment, cwd=self.folder, start_new_session=True,
            )  # fmt: skip

    def add_worker(self) -> None:
        app = ("-A", "sync_workers.worker.app", "worker", "-c", "2", "-l", "info")
        quick = ("--without-gossip", "--without-mingle")  # they only cost a second at the start
        self.workers.append(self.start(*app, *quick, "-n", f"w{len(self.started)}@test"))
        self.started.append(psutil.Process(self.workers[-1].pid))

    def kill_something(self) -> None:
        """A child of a pool, a worker without its children, or all of it, as when a machine dies."""
        worker, child = self._victims()
        what = self.chance.choices(("pool child", "main process", "whole worker"), (6, 1, 1))[0]
        self.killed[what] += 1
        dead = {child.pid} if what == "pool child" else {one.pid for one in _children(worker)}
        self._end(what, worker, child)
        self.in_writes += bool(dead & self._writing())

    def _end(self, what: str, worker: subprocess.Popen[bytes], child: psutil.Process) -> None:
        if what == "pool child":
            with suppress(psutil.NoSuchProcess):
                child.kill()
            return
        if what == "main process":
            worker.kill()
        else:
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        self.replace_dead()

    def replace_dead(self) -> None:
        """What a supervisor does. A worker whose first child is killed as it starts ends by itself."""
        for worker in [one for one in self.workers if one.poll() is not None]:
            self.workers.remove(worker)
            self.add_worker()

    def _victims(self) -> tuple[subprocess.Popen[bytes], psutil.Process]:
        """A worker and a child of it; every other time one that writes just now, if there is any."""
        aims = self.chance.random() < 0.5
        deadline = time.monotonic() + 2
        while True:
            self.replace_dead()
            pools = [(worker, child) for worker in self.workers for child in _children(worker)]
            writing = self._writing()
            if aims and time.monotonic() < deadline:
                pools = [(worker, child) for worker, child in pools if child.pid in writing]
                time.sleep(self.chance.uniform(0, WRITE) if pools else 0)
            if pools:
                return self.chance.choice(pools)
            time.sleep(0.002)

    def _writing(self) -> set[int]:
        """Processes that are in the middle of a write to a file just now."""
        with (self.folder / "log").open() as log:
            log.seek(self.read)
            for line in log:
                pid, word = line.split()
                self.last[int(pid)] = word, time.monotonic()
            self.read = log.tell()
        recently = time.monotonic() - WRITE / 2
        return {
            pid
            for pid, (word, when) in self.last.items()
            if word.startswith(("create", "update"))
            or (word.startswith(("made", "wrote")) and when > recently)
        }

    def ended(self) -> int:
        """How many runs have ended."""
        counted = (desk.runs.counters() for desk in self.desks)
        return sum(sum(counters.get(outcome.value, 0) for outcome in ENDS) for counters in counted)

    def open_writes(self) -> int:
        """How many writes were begun whose end nobody saw yet."""
        return sum(self.client.ask("HLEN", Keys(desk.name).intents) for desk in self.desks)

    def story(self, desk: Desk) -> str:
        """What the runs of a task did, the newest first; for whoever has to find out what went wrong."""
        return "\n".join(
            f"{entry.at} {entry.run}:{entry.number} {entry.action} {entry.side} {entry.ids} {entry.reason}"
            f" {entry.before} -> {entry.after}"
            for entry in entries(self.client, desk.name)
        )

    def close(self) -> None:
        for process in self.started:  # each has its session, and an orphan of it may still be there
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        for worker in self.workers:
            worker.wait()

    def logs(self) -> str:
        lines = (self.folder / "processes.log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-60:])


TASKS = """\
from pathlib import Path
from tests.system.sheets import CrowdTask
for number in range({files}):
    CrowdTask.named(f"files-{{number}}", Path({folder!r})).run_every(seconds={seconds}).schedule()
"""

TASK_FILE = """\
imports = ["crowd_tasks"]

[connections.notion]
kind = "notion"
url = "{url}"
token = {{ env = "NOTION_TOKEN" }}
calls_per_minute = 100000
"""

CONNECTION = """
[connections.{name}-{side}]
kind = "sql"
url = "sqlite:///{path}"
"""

TASK_OVER_TABLES = """
[tasks.{name}]
every = "{every}"
match = ["{title}"]
notion = {notion}
other = {{ connection = "{name}-other", {table} }}

[tasks.{name}.fields]
{fields}
"""

TABLE = 'table = "tasks", version = "version", modified = "modified", idempotency = "mark"'


@contextmanager
def crowd(folder: Path, seed: int) -> Iterator[Crowd]:
    """The whole deployment; two workers and beat run, and nobody is killed yet."""
    with ExitStack() as stack:
        redis = stack.enter_context(EmbeddedRedis())
        client = stack.enter_context(closing(connect(redis.url)))
        notion = Notion(requests_per_minute=None)
        server = stack.enter_context(SandboxServer(notion))
        sides: dict[str, Pair[Sheet]] = {}
        for number in range(FILES):
            task = CrowdTask.named(f"files-{number}", folder)
            sides[task.name] = Pair(FileSheet(task, Side.NOTION), FileSheet(task, Side.OTHER))
        text = TASK_FILE.format(url=server.url)
        for number in range(TABLES + PAGES):
            name = f"{'tables' if number < TABLES else 'pages'}-{number}"
            sides[name], task_text = _over_tables(folder, name, notion if number >= TABLES else None)
            text += task_text
        (folder / "sync.toml").write_text(text)
        (folder / "crowd_tasks.py").write_text(
            TASKS.format(files=FILES, folder=str(folder), seconds=EVERY.removesuffix("s"))
        )
        desks = [Desk(name, both, RunsStore(client, name)) for name, both in sides.items()]
        found = Crowd(folder, redis, client, desks, Random(seed), _environment(folder, redis))
        stack.callback(found.close)
        for _ in range(WORKERS):
            found.add_worker()
        beat = found.start("-A", "beat_schedule.app", "beat", "-l", "info")
        found.started.append(psutil.Process(beat.pid))
        stack.callback(beat.wait)
        stack.callback(beat.kill)
        yield found


def _over_tables(folder: Path, name: str, notion: Notion | None) -> tuple[Pair[Sheet], str]:
    """The sides of a task over two tables, or over Notion and one, and its part of the task file."""
    paths = Pair.each(lambda side: folder / f"{name}-{side}.db")
    tables = Pair.each(lambda side: TableSheet(paths[side], side))
    tables.other.make()
    if notion is None:
        tables.notion.make()
        first: Sheet = tables.notion
        side, titles = f'{{ connection = "{name}-notion", {TABLE} }}', ("name", "note", "points")
    else:
        columns = {"Name": "title", "Note": "rich_text", "Points": "number"}
        source = notion.add_database(name, columns)
        first = NotionSheet(notion, source)
        side, titles = (
            f'{{ connection = "notion", data_source = "{source}", late = "0s" }}',
            ("Name", "Note", "Points"),
        )
    fields = "\n".join(f'{title} = "{title.lower()}"' for title in titles)
    text = TASK_OVER_TABLES.format(
        name=name, every=EVERY, title=titles[0], notion=side, table=TABLE, fields=fields
    )
    text += "".join(CONNECTION.format(name=name, side=side, path=paths[side]) for side in Side)
    return Pair(first, tables.other), text


def _environment(folder: Path, redis: EmbeddedRedis) -> dict[str, str]:
    given = {name: value for name, value in os.environ.items() if not name.startswith("SYNC_WORKERS_")}
    return given | SETTINGS | {
        "SYNC_WORKERS_REDIS_URL": redis.url,
        "SYNC_WORKERS_CONFIG": str(folder / "sync.toml"),
        "NOTION_TOKEN": TOKEN,
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
    }  # fmt: skip
