"""A whole deployment for tests: a Redis of its own, and worker and beat processes as a user starts them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from sync_workers.redis.connect import Client, connect
from sync_workers.redis.keys import Keys
from sync_workers.redis.runs_store import RunsStore
from sync_workers.sandbox.embedded import EmbeddedRedis
from tests.conftest import wait_until
from tests.worker.json_task import JsonTask

ROOT = Path(__file__).parents[2]


class Deployment:
    """One task `todo` on two JSON files, and the processes that run it."""

    def __init__(
        self, folder: Path, redis: EmbeddedRedis, schedule: str, kind: type[JsonTask] = JsonTask
    ) -> None:
        self.folder = folder
        self.redis = redis
        self.client: Client = connect(redis.url)
        self.task = kind("todo", folder)
        self.runs = RunsStore(self.client, "todo")
        self.keys = Keys("todo")
        self.processes: list[subprocess.Popen[bytes]] = []
        self.prefix: tuple[str, ...] = ()  # before the command of what is started from now on
        (folder / "my_tasks.py").write_text(
            f"from pathlib import Path\nfrom {kind.__module__} import {kind.__name__}\n"
            f"{kind.__name__}('todo', Path({str(folder)!r})){schedule}.schedule()\n"
        )
        (folder / "sync.toml").write_text('imports = ["my_tasks"]\n')
        given = {name: value for name, value in os.environ.items() if not name.startswith("SYNC_WORKERS_")}
        self.environment = given | {
            "SYNC_WORKERS_REDIS_URL": redis.url,
            "SYNC_WORKERS_CONFIG": str(folder / "sync.toml"),
            "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
        }

    def worker(self, *options: str) -> subprocess.Popen[bytes]:
        """A worker process that is ready."""
        name = f"w{len(self.processes)}"
        process = self.start(
            *("-A", "sync_workers.worker.app", "worker", "-c", "1", "-l", "info", "-n", f"{name}@test"),
            *("--without-gossip", "--without-mingle"),  # they only cost a second at the start
            *options,
        )
        wait_until(
            lambda: "ready." in self.log(process) or process.poll() is not None, "the worker is ready", 60
        )
        assert process.poll() is None, self.log(process)
        return process

    def beat(self) -> subprocess.Popen[bytes]:
        return self.start("-A", "beat_schedule.app", "beat", "-l", "info")

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Celery, as it is started without our commands."""
        return self._started("celery", *command)

    def command(self, *command: str) -> subprocess.Popen[bytes]:
        """One of our own commands."""
        return self._started("sync_workers", *command)

    def _started(self, module: str, *command: str) -> subprocess.Popen[bytes]:
        path = self.folder / f"process-{len(self.processes)}.log"
        with path.open("wb") as log:
            process = subprocess.Popen(
                [*self.prefix, sys.executable, "-m", module, *command],
                stdout=log, stderr=log, env=self.environment, cwd=self.folder,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def log(self, process: subprocess.Popen[bytes]) -> str:
        path = self.folder / f"process-{self.processes.index(process)}.log"
        return path.read_text(errors="replace")

    def logs(self) -> str:
        return "\n".join(self.log(process) for process in self.processes)

    def control(self, *command: str) -> None:
        """Tell running workers something, as `celery control` does."""
        subprocess.run(
            [sys.executable, "-m", "celery", "-A", "sync_workers.worker.app", "control", *command],
            capture_output=True, env=self.environment, cwd=self.folder, timeout=60, check=True,
        )  # fmt: skip

    def enqueue(self, **options: Any) -> Any:
        """`sync_workers.enqueue` in a process of its own, as a user's program calls it."""
        program = (
            "import json, sys, sync_workers\n"
            "json.dump(sync_workers.enqueue('todo', **json.loads(sys.argv[1])), sys.stdout)"
        )
        ended = subprocess.run(
            [sys.executable, "-c", program, json.dumps(options)],
            capture_output=True, text=True, env=self.environment, timeout=100, check=False,
        )  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    def program(self, text: str, *arguments: str) -> str:
        """Python in a process of its own, with the deployment's settings; gives what it prints."""
        command = [sys.executable, "-c", text, *arguments]
        done = subprocess.run(
            command, env=self.environment, cwd=self.folder,
            timeout=100, check=True, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        return done.stdout

    def wait_for(self, word: str, times: int = 1) -> int:
        """Wait until somebody did the word so often; gives the process that did it last."""

        def done() -> list[int]:
            return [pid for pid, did in self.task.log() if did == word]

        wait_until(lambda: len(done()) >= times, f"{word} {times} time(s)\n{self.logs()}", 60)
        return done()[-1]

    def report(self, run: str, seconds: float = 60) -> dict[str, Any]:
        found: dict[str, Any] = wait_until(lambda: self.runs.report(run), f"run {run} ends", seconds)
        return found

    def close(self) -> None:
        family = [psutil.Process(process.pid) for process in self.processes if process.poll() is None]
        family += [child for process in family for child in process.children(recursive=True)]
        for member in family:
            try:
                member.kill()
            except psutil.NoSuchProcess:
                continue
        for process in self.processes:
            process.wait()
        self.client.close()


@contextmanager
def deployed(folder: Path, schedule: str = "", kind: type[JsonTask] = JsonTask) -> Iterator[Deployment]:
    with EmbeddedRedis() as redis:
        deployment = Deployment(folder, redis, schedule, kind)
        try:
            yield deployment
        finally:
            deployment.close()
