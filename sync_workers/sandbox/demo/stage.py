"""The stage: all processes of the demo, started in order and stopped in reverse."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sync_workers.errors import SyncError
from sync_workers.redis.connect import Client, check, connect
from sync_workers.sandbox.child import Child
from sync_workers.sandbox.demo.calendar import Calendar
from sync_workers.sandbox.embedded import EmbeddedRedis
from sync_workers.sandbox.notion import TOKEN, Notion
from sync_workers.sandbox.serve import SandboxServer

START = timedelta(seconds=60)
"""How long a process may take to answer; all together take some ten seconds on two cores."""

TASK = "todo"
WORKERS = 2

TASK_FILE = """\
[connections.notion]
kind = "notion"
url = "{notion}"
token = {{ env = "NOTION_TOKEN" }}

[connections.calendar]
kind = "caldav"
url = "{calendar_server}"
username = "demo"
password = {{ env = "DEMO_CALENDAR_PASSWORD" }}

[tasks.{task}]
every = "10s"
conflict = "newer"
notion = {{ connection = "notion", data_source = "{data_source}" }}
other = {{ connection = "calendar", calendar = "{calendar}" }}

[tasks.{task}.fields]
Name = "summary"
Due = "due"
Notes = "description"

[tasks.{task}.fields.Status]
other = "status"
values = [
    ["To do", "NEEDS-ACTION"],
    ["Doing", "IN-PROCESS"],
    ["Done", "COMPLETED"],
    ["Done", "CANCELLED"],   # several may mean one: the first pair says what is written
]
"""


@dataclass(slots=True)
class Stage:
    """What runs.

    Attributes:
        task_file: where the demo's task file lies.
        pages: addresses for people by what they show.
        known_ports: this is the only demo here now, so the addresses can be the ones in the docs.
    """

    redis_url: str
    client: Client
    task_file: Path
    folder: Path
    children: list[Child]
    pages: dict[str, str]
    known_ports: bool = False
    notion: Notion | None = None
    data_source: str = ""
    calendar: Calendar | None = None

    def check(self) -> None:
        """Make sure that everything still runs.

        Raises:
            SyncError: a process ended; with its last words.
        """
        for child in self.children:
            if not child.alive:
                msg = f"{child.name} ended unexpectedly:\n{child.last_words()}"
                raise SyncError(msg)


@contextmanager
def stage(task_file: Path | None, say: Callable[[str], None]) -> Iterator[Stage]:
    """Start everything; with a task file of the user the services it names, else the sandboxes."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="sync-workers-demo-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        say("Redis")
        redis_url = os.environ.get("SYNC_WORKERS_REDIS_URL") or stack.enter_context(EmbeddedRedis()).url
        client = connect(redis_url)
        stack.callback(client.close)
        check(client)
        on = Stage(redis_url, client, task_file or folder / "sync.toml", folder, [], {})
        on.known_ports = _is_only_one(stack)
        if task_file is None:
            _sandboxes(on, stack, say)
            os.environ |= {"NOTION_TOKEN": TOKEN, "DEMO_CALENDAR_PASSWORD": "demo"}
        # From here on this process and all that it starts see the demo's Redis and task file.
        os.environ |= {
            "SYNC_WORKERS_REDIS_URL": redis_url,
            "SYNC_WORKERS_CONFIG": str(on.task_file.resolve()),
            "PYTHONUNBUFFERED": "1",
        }
        _service(on, stack, say)
        yield on


def _sandboxes(on: Stage, stack: ExitStack, say: Callable[[str], None]) -> None:
    """A Notion and a calendar server of our own, and the task file between them."""
    say("a sandbox Notion")
    on.notion = Notion(requests_per_minute=180)
    server = stack.enter_context(SandboxServer(on.notion, port=_port(on, 8787)))
    say("a calendar (Radicale)")
    port = _port(on, 5232)
    url = f"http://127.0.0.1:{port}/"
    command = [
        *(sys.executable, "-m", "radicale", "--config", "", "--server-hosts", f"127.0.0.1:{port}"),
        *("--auth-type", "none", "--storage-filesystem-folder", str(on.folder / "calendars")),
    ]
    _start(on, stack, "Radicale", command)
    _await(on, "Radicale", lambda: _answers(port))
    on.calendar = Calendar(url, "To-dos")
    stack.callback(on.calendar.close)
    on.data_source = on.notion.add_database(
        "Tasks",
        {
            "Name": "title",
            "Status": {"status": {"options": [{"name": name} for name in ("To do", "Doing", "Done")]}},
            "Due": "date",
            "Notes": "rich_text",
        },
    )
    text = TASK_FILE.format(
        notion=server.url,
        calendar_server=url,
        task=TASK,
        data_source=on.data_source,
        calendar=on.calendar.url,
    )
    on.task_file.write_text(text, encoding="utf-8")
    on.pages |= {"the sandbox Notion": server.url, "the calendar (user demo)": f"{url}.web/"}


def _service(on: Stage, stack: ExitStack, say: Callable[[str], None]) -> None:
    """The workers, beat and Flower: the same commands as in a deployment."""
    run = [sys.executable, "-m", "sync_workers"]
    say(f"{WORKERS} workers")
    for number in range(1, WORKERS + 1):
        _start(
            on, stack, f"worker {number}", [*run, "worker", "--name", f"demo{number}", "--concurrency", "2"]
        )
    say("Flower")
    port = _port(on, 5555)
    login = os.environ.setdefault("SYNC_WORKERS_FLOWER_LOGIN", f"demo:{secrets.token_urlsafe(9)}")
    _start(on, stack, "Flower", [*run, "flower", "--port", str(port)])
    on.pages["Flower"] = f"http://{login}@127.0.0.1:{port}"
    _await(on, "Flower", lambda: _answers(port))
    _await(
        on,
        "the workers",
        lambda: all("ready" in child.last_words(200) for child in on.children if "worker" in child.name),
    )


def start_beat(on: Stage, stack: ExitStack) -> None:
    """Start the clock: from here on the task runs by itself."""
    _start(on, stack, "beat", [sys.executable, "-m", "sync_workers", "beat"])


def _start(on: Stage, stack: ExitStack, name: str, command: list[str]) -> None:
    log = on.folder / f"{name.replace(' ', '-')}.log"
    on.children.append(stack.enter_context(Child(name, command, log, os.environ)))


def _await(on: Stage, what: str, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START.total_seconds()
    while not ready():
        on.check()
        if time.monotonic() > deadline:
            msg = f"{what} did not start within {START.total_seconds():.0f} s"
            raise SyncError(msg)
        time.sleep(0.05)


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _is_only_one(stack: ExitStack) -> bool:
    """Whether no other demo runs: two that start at once would both find a port free and both take it."""
    lock = stack.enter_context((Path(tempfile.gettempdir()) / "sync-workers-demo.lock").open("w"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _port(on: Stage, wanted: int) -> int:
    """The wanted port where it is free; else any."""
    for port in (wanted, 0) if on.known_ports else (0,):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            number: int = probe.getsockname()[1]
            return number
    msg = "there is no free port on this machine"
    raise SyncError(msg)
