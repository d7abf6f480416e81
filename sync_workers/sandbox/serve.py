"""Run the sandbox: in a thread on a free port for tests and the demo, or until Ctrl-C."""

from __future__ import annotations

import contextlib
import socket
import threading
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sync_workers.errors import MissingExtraError, SyncError
from sync_workers.sandbox.notion import Notion

if TYPE_CHECKING:
    import uvicorn

STOP_WITHIN = 10  # seconds, for answers that are under way


class SandboxServer:
    """A context manager: inside, `url` is where the API answers (`{url}/v1/...`) and the page stands.

    Raises:
        MissingExtraError: when Starlette and uvicorn are not installed.
        SyncError: when the port cannot be had.
    """

    def __init__(self, notion: Notion | None = None, port: int = 0, host: str = "127.0.0.1") -> None:
        self.notion = notion or Notion()
        self._server = _make_server(self.notion)
        self._socket = _bind(host, port)
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{host}:{self.port}"
        self._thread = threading.Thread(target=self._run, name="sandbox", daemon=True)

    def __enter__(self) -> Self:
        # The socket listens already: a client that comes before the loop runs waits, and is answered.
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.notion.close()
        self._server.should_exit = True
        self._thread.join(STOP_WITHIN)
        self._socket.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])


def serve(port: int = 8787, host: str = "127.0.0.1", notion: Notion | None = None) -> None:
    """Answer until the process is told to stop."""
    server, bound = _make_server(notion or Notion()), _bind(host, port)
    with bound, contextlib.suppress(KeyboardInterrupt):  # raised again by uvicorn after it has stopped
        server.run(sockets=[bound])


def _make_server(notion: Notion) -> uvicorn.Server:
    try:
        import uvicorn

        from sync_workers.sandbox.app import make_app
        from sync_workers.sandbox.connections import Connections
    except ImportError as error:
        raise MissingExtraError("The sandbox", "sandbox") from error
    connections = Connections()
    config = uvicorn.Config(
        make_app(notion, connections),
        http=connections.protocol(),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        date_header=False,  # the answers of the API have the time of the sandbox
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


def _bind(host: str, port: int) -> socket.socket:
    # asyncio switches Nagle's algorithm off only where the protocol is named: else each answer takes 40 ms.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(128)
    except OSError as error:
        bound.close()
        message = f"the sandbox cannot listen on {host}:{port} ({error.strerror}): choose another port"
        raise SyncError(message) from error
    return bound
