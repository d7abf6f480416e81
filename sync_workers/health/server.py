"""`Server`: a few pages over HTTP, from a thread of its own."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar, Self, TypeAlias

from sync_workers.errors import SettingsError, SyncError

_log = logging.getLogger(__name__)

OK, NOT_FOUND, BROKEN, UNAVAILABLE = 200, 404, 500, 503

LONGEST = 10.0
"""Seconds that a request may take to arrive."""


@dataclass(frozen=True, slots=True)
class Page:
    """What is answered."""

    body: str
    status: int = OK
    kind: str = "text/plain; charset=utf-8"

    @classmethod
    def of(cls, data: Mapping[str, Any], *, is_well: bool = True) -> Self:
        """As JSON; a probe only reads whether it is well."""
        return cls(json.dumps(data) + "\n", OK if is_well else UNAVAILABLE, "application/json")


Pages: TypeAlias = Mapping[str, Callable[[], Page]]


class Server:
    """Serves pages while it is entered; one that raises a SyncError is answered by 503.

    Raises:
        SettingsError: on entering, the port cannot be had.
    """

    def __init__(self, host: str, port: int, pages: Pages) -> None:
        handler = type("Handler", (_Handler,), {"pages": pages})
        server = _SixServer if ":" in host else _Server
        try:
            self._server = server((host, port), handler)
        except OSError as error:
            reason = error.strerror or str(error)
            raise SettingsError(f"cannot listen on {host}:{port} ({reason}): choose another port") from error
        self._thread = threading.Thread(target=self._server.serve_forever, name="pages", daemon=True)

    @property
    def port(self) -> int:
        """The one that was asked for, or a free one where that was 0."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True


class _SixServer(_Server):
    import socket

    address_family = socket.AF_INET6


class _Handler(BaseHTTPRequestHandler):
    pages: ClassVar[Pages] = {}
    timeout = LONGEST
    server_version, sys_version = "sync-workers", ""

    def do_GET(self) -> None:
        make = self.pages.get(self.path.partition("?")[0])
        page = Page("", NOT_FOUND) if make is None else _made(make)
        body = page.body.encode()
        self.send_response(page.status)
        self.send_header("Content-Type", page.kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: Any) -> None:
        """Probes come every few seconds: nothing to tell."""


def _made(make: Callable[[], Page]) -> Page:
    try:
        return make()
    except SyncError as error:
        return Page(f"{error}\n", UNAVAILABLE)
    except Exception:  # noqa: BLE001 - whoever asks gets an answer
        _log.exception("a page could not be made")
        return Page("", BROKEN)
