"""A line to the server that loses the reply to COMMIT: executed, and nobody is told."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass
class Line:
    """Forwards one connection at a time; once `cuts` is set, the reply to the next COMMIT is lost."""

    server: str
    listener: socket.socket
    cuts: bool = False

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    def run(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:  # closed: the test is over
                return
            with client, socket.socket(socket.AF_UNIX) as server:
                server.connect(self.server)
                ways = ((client, server), (server, client))
                threads = [threading.Thread(target=self.forward, args=ends) for ends in ways]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()

    def forward(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                # The server answers a COMMIT when it is done; that answer starts with the same word.
                if self.cuts and source.family is socket.AF_UNIX and b"COMMIT" in data:
                    break
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def line_to(server: str) -> Iterator[Line]:
    """A line to the server behind that socket, on a free port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        line = Line(server, listener)
        thread = threading.Thread(target=line.run)
        thread.start()
        try:
            yield line
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=20)
