"""A real HTTP server that gives prepared answers: for what no server here does by itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    body: Any


@dataclass(frozen=True)
class Answer:
    """What goes back.

    Attributes:
        body: JSON, or bytes as they are.
        cut: the connection closes after half the body.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False


class ScriptedServer:
    """Asks `reply` for each answer and keeps what was asked."""

    def __init__(self, reply: Callable[[Asked], Answer]) -> None:
        self.reply = reply
        self.asked: list[Asked] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@contextmanager
def scripted(reply: Callable[[Asked], Answer]) -> Iterator[ScriptedServer]:
    """A server on a free port in a thread, gone afterwards."""
    script = ScriptedServer(reply)
    thread = threading.Thread(target=script.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield script
    finally:
        script.server.shutdown()
        thread.join()
        script.server.server_close()


def _handler(script: ScriptedServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        wbufsize = -1

        def _answer(self) -> None:
            url = urlsplit(self.path)
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = Asked(self.command, url.path, parse_qs(url.query), json.loads(sent) if sent else None)
            script.asked.append(asked)
            answer = script.reply(asked)
            body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
            self.send_response_only(answer.status)  # without a Date of its own
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if answer.cut else body)

        do_GET = do_POST = do_PATCH = _answer  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_args: Any) -> None:
            """Keep the test's output clean."""

    return Handler
