"""`sync-workers web`: its token, its mistakes, and what `status` says of events."""

from __future__ import annotations

import io
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from sync_workers.redis.connect import Client
from sync_workers.redis.keys import webhook_of
from sync_workers.redis.webhooks import OWN, RECEIVED, REFUSED, Webhooks
from tests.cli.command import Command
from tests.cli.scene import Scene
from tests.conftest import wait_until


@dataclass
class Hearing:
    """A connection to Notion in the task file."""

    name: str
    webhooks: Webhooks

    def configure(self, more: str = "") -> None:
        Path("sync.toml").write_text(
            f'[connections.{self.name}]\nkind = "notion"\ntoken = {{ env = "NOTION_TOKEN" }}\n{more}\n'
        )


@pytest.fixture
def hearing(
    command: Command, monkeypatch: pytest.MonkeyPatch, redis_url: str, redis_client: Client
) -> Iterator[Hearing]:
    assert isinstance(command, Command)  # it cleans the environment first
    monkeypatch.setenv("SYNC_WORKERS_REDIS_URL", redis_url)
    name = f"work-{secrets.token_hex(4)}"
    made = Hearing(name, Webhooks(redis_client, name))
    made.configure()
    yield made
    redis_client.ask("DEL", *(webhook_of(name, part) for part in ("counts", "window", "token", "bot")))


@contextmanager
def meanwhile(act: Callable[[], object]) -> Iterator[None]:
    """Somebody does something until it succeeds."""
    thread = threading.Thread(target=lambda: wait_until(act, "it succeeds"))
    thread.start()
    yield
    thread.join()


@pytest.mark.parametrize(("answer", "kept"), [("y\n", "secret_new"), ("n\n", "secret_old")])
def test_a_token_is_shown_and_kept_once_notion_has_accepted_it(
    command: Command, hearing: Hearing, monkeypatch: pytest.MonkeyPatch, answer: str, kept: str
) -> None:
    # given
    hearing.webhooks.keep_token("secret_old")
    monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
    # when
    with meanwhile(lambda: hearing.webhooks.offer("secret_new")):
        ended = command("web", "--token-for", hearing.name)
    # then
    assert ended.code == 0
    assert "The token: secret_new" in ended.out
    assert f"/notion/{hearing.name}" in ended.out
    assert hearing.webhooks.token() == kept
    assert not hearing.webhooks.offer("secret_late"), "nobody waits any more"


def test_without_a_person_to_ask_nothing_is_kept(
    command: Command, hearing: Hearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))

    with meanwhile(lambda: hearing.webhooks.offer("secret_new")):
        ended = command("web", "--token-for", hearing.name)

    assert ended.code == 1
    assert hearing.webhooks.token() is None


def test_a_token_that_the_task_file_names_is_not_kept_in_redis(command: Command, hearing: Hearing) -> None:
    hearing.configure('webhook_token = { file = "token" }')
    Path("token").write_text("secret_old")

    with meanwhile(lambda: hearing.webhooks.offer("secret_new")):
        ended = command("web", "--token-for", hearing.name)

    assert "secret_new" in ended.out
    assert f"put it where `webhook_token` of the connection {hearing.name} says" in ended.out
    assert hearing.webhooks.token() is None


def test_a_token_that_never_comes_is_told_with_the_next_step(command: Command, hearing: Hearing) -> None:
    def give_up() -> bool:
        there = hearing.webhooks.offered() is not None
        hearing.webhooks.close_window()
        return there

    with meanwhile(give_up):
        ended = command("web", "--token-for", hearing.name)

    assert ended.code == 1
    assert f"no token came for the connection {hearing.name}" in ended.err


def test_an_unknown_connection_names_the_nearest(command: Command, hearing: Hearing) -> None:
    ended = command("web", "--token-for", hearing.name[:-1])

    assert (ended.code, f"did you mean '{hearing.name}'?" in ended.err) == (1, True)


def test_a_task_file_without_notion_has_nobody_to_hear_from(command: Command, scene: Scene) -> None:
    assert scene.task
    ended = command("web", "--no-restart")

    assert ended.code == 1
    assert 'sync.toml has no connection of kind = "notion"' in ended.err


def test_a_port_that_is_taken_is_told_with_the_remedy(
    command: Command, hearing: Hearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTION_TOKEN", "ntn_none")
    hearing.configure('url = "http://127.0.0.1:9/"')
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = command("web", "--no-restart", "--port", str(port))

    assert ended.code == 1
    assert f"cannot listen on 127.0.0.1:{port}" in ended.err
    assert "choose another --host or --port" in ended.err


def test_without_its_extra_the_command_names_it(hearing: Hearing, redis_url: str) -> None:
    program = """
import sys
sys.modules["uvicorn"] = sys.modules["starlette"] = None
from sync_workers.cli import main
main(["web", "--no-restart"])
"""
    hearing.configure('url = "http://127.0.0.1:9/"')
    environment = {"SYNC_WORKERS_REDIS_URL": redis_url, "NOTION_TOKEN": "ntn_none"}
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False,
        env={"PYTHONPATH": ":".join(sys.path), **environment},
    )  # fmt: skip

    assert ended.returncode == 1
    assert "pip install 'sync-workers[web]'" in ended.stderr


def test_status_counts_the_events_of_each_connection(
    command: Command, scene: Scene, redis_client: Client
) -> None:
    webhooks = Webhooks(redis_client, "scratch")
    assert "Webhook events" not in command("status").out
    try:
        for what in ((RECEIVED,), (RECEIVED, OWN), (REFUSED,)):
            webhooks.count(*what)
        out = command("status").out
    finally:
        redis_client.ask("DEL", webhook_of("scratch", "counts"))

    assert "Webhook events" in out
    (line,) = [line for line in out.splitlines() if "scratch" in line]
    assert line.replace("│", " ").split()[-5:] == ["2", "0", "1", "0", "1"]
    assert scene.task in out
