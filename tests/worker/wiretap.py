"""Hears every command that is sent to a Redis, so that a test can look for what must not be there."""

from __future__ import annotations

import base64
import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis import Redis


@contextmanager
def tapped(url: str) -> Iterator[list[str]]:
    """The commands so far, in the order of Redis; complete when the block has ended."""
    heard: list[str] = []
    token = secrets.token_hex(8)
    client: Any = Redis.from_url(url)
    listening = threading.Event()

    def listen() -> None:
        with client.monitor() as monitor:
            listening.set()
            for command in monitor.listen():
                heard.append(command["command"])
                if token in command["command"]:
                    return

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    assert listening.wait(10)
    try:
        yield heard
    finally:
        client.echo(token)
        thread.join(10)
        client.close()


def spoken(command: str) -> str:
    """A command with the bodies of Celery's messages in it made readable."""
    bodies = re.findall(r'"body": "([A-Za-z0-9+/=]+)"', command)
    return " ".join([command, *(base64.b64decode(body).decode(errors="replace") for body in bodies)])
