"""A TCP proxy between a client and a real server that makes a network's faults happen on purpose.

It tells what mocks cannot: whether a request never arrived, or was executed and its reply was lost.

    with Proxy(("127.0.0.1", port)) as proxy:
        proxy.fail(Kind.CUT, match=b"PUT ")    # the next PUT is executed, its reply is lost
        ...                                    # talk to proxy.port
        assert proxy.struck == 1

A fault strikes a request that begins with `match`: what a client sends until the server answers. That
finds the requests of every protocol whose client waits for a reply before it asks again.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Self

Address = tuple[str, int]
_SIZE = 65536


class Kind(StrEnum):
    """What happens to a request."""

    RESET = "reset"  # it never arrives: the connection is reset
    BLACK_HOLE = "black hole"  # it never arrives, and nobody says so
    DELAY = "delay"  # it is executed, and answered late
    CUT = "cut"  # it is executed, and the connection ends within or before its reply
    LOSE = "lose"  # it is executed, and nothing comes back over a connection that stays


@dataclass
class Fault:
    """One fault that waits for its request; see `Proxy.fail`."""

    kind: Kind
    match: bytes
    after: int
    seconds: float
    left: int
    then: Callable[[], object] | None


@dataclass(eq=False)
class _Connection:
    client: socket.socket
    server: socket.socket
    fault: Fault | None = None
    asked: bool = False  # a request is on its way: what the client sends now belongs to it
    passed: int = 0  # bytes of its reply that came through
    ended: threading.Lock = field(default_factory=threading.Lock)

    def end(self, *, reset: bool = False) -> None:
        """Close both ends, once; a reset throws away what the client has not read yet."""
        if not self.ended.acquire(blocking=False):
            return
        if reset:
            with suppress(OSError):
                self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # The thread that reads from an end keeps it open; shutting down its reading side wakes it.
        for end, how in ((self.server, socket.SHUT_RDWR), (self.client, _CLOSED[reset])):
            with suppress(OSError):
                end.shutdown(how)
            end.close()


_CLOSED = {False: socket.SHUT_RDWR, True: socket.SHUT_RD}


@dataclass
class Proxy:
    """Forwards everything to `target` until told otherwise.

    Attributes:
        port: where it listens on 127.0.0.1; it stays the same for the proxy's whole life.
        connections: how many it took.
        sent: bytes from clients that were forwarded.
        received: bytes from the server that were forwarded.
        struck: how many requests met a fault.
    """

    target: Address
    port: int = 0
    connections: int = 0
    sent: int = 0
    received: int = 0
    struck: int = 0
    _requests: list[bytes] = field(default_factory=list)
    _faults: list[Fault] = field(default_factory=list)
    _open: set[_Connection] = field(default_factory=set)
    _threads: list[threading.Thread] = field(default_factory=list)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _closing: threading.Event = field(default_factory=threading.Event)
    _flowing: threading.Event = field(default_factory=threading.Event)
    _listener: socket.socket | None = None

    def __enter__(self) -> Self:
        self._flowing.set()
        self.listen()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._closing.set()
        self._flowing.set()
        self.refuse()
        for thread in self._threads:
            thread.join(timeout=10)
            assert not thread.is_alive(), "a thread of the proxy is left"

    def fail(
        self,
        kind: Kind,
        *,
        match: bytes = b"",
        after: int = 0,
        seconds: float = 0,
        times: int = 1,
        then: Callable[[], object] | None = None,
    ) -> None:
        """Let the next requests that begin with `match` meet a fault.

        Args:
            after: for CUT, how many bytes of the reply come through first.
            seconds: for DELAY, how late the reply is.
            times: how many requests it strikes.
            then: called once the request was executed, before its reply goes on.
        """
        with self._lock:
            self._faults.append(Fault(kind, match, after, seconds, times, then))

    def heal(self) -> None:
        """Forget the faults that have not struck yet."""
        with self._lock:
            self._faults.clear()

    def count(self, match: bytes = b"") -> int:
        """How many requests began with these bytes, struck or not."""
        with self._lock:
            return sum(request.startswith(match) for request in self._requests)

    @property
    def waiting(self) -> bool:
        """Whether a request is on its way that the server has not answered."""
        with self._lock:
            return any(connection.asked for connection in self._open)

    def stall(self) -> None:
        """Let nothing through and tell nobody, as when packets are dropped on the way.

        What is sent meanwhile arrives late, after `flow`: a kernel sends it again until it is acknowledged,
        even where the sender has given up.
        """
        self._flowing.clear()

    def flow(self) -> None:
        """Let everything through again."""
        self._flowing.set()

    def refuse(self) -> None:
        """Refuse connections, and end those that are open."""
        with self._lock:
            listener, self._listener = self._listener, None
            ending = list(self._open)
        if listener is not None:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for connection in ending:
            connection.end()

    def listen(self) -> None:
        """Take connections, again or for the first time."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen()
        self.port = listener.getsockname()[1]
        self._listener = listener
        self._start(lambda: self._take(listener))

    def _start(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="proxy", daemon=True)
        with self._lock:
            self._threads.append(thread)
        thread.start()

    def _take(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self._flowing.wait()
            try:
                server = socket.create_connection(self.target, timeout=10)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            connection = _Connection(client, server)
            with self._lock:
                self.connections += 1
                self._open.add(connection)
            self._start(partial(self._pump, connection, self._forward_request))
            self._start(partial(self._pump, connection, self._forward_reply))

    def _pump(self, connection: _Connection, forward: Callable[[_Connection], bool]) -> None:
        with suppress(OSError):
            while forward(connection):
                pass
        with self._lock:
            self._open.discard(connection)
        connection.end()

    def _forward_request(self, connection: _Connection) -> bool:
        data = connection.client.recv(_SIZE)
        self._flowing.wait()
        if not data:
            return False
        if not connection.asked:
            with self._lock:
                self._requests.append(data)
                connection.fault = self._strike(data)
            connection.asked, connection.passed = True, 0
        fault = connection.fault
        if fault is not None and fault.kind is Kind.RESET:
            connection.end(reset=True)
            return False
        if fault is None or fault.kind is not Kind.BLACK_HOLE:
            with self._lock:
                self.sent += len(data)
            connection.server.sendall(data)
        return True

    def _strike(self, data: bytes) -> Fault | None:
        for fault in self._faults:
            if fault.left and data.startswith(fault.match):
                fault.left -= 1
                self.struck += 1
                return fault
        return None

    def _forward_reply(self, connection: _Connection) -> bool:
        data = connection.server.recv(_SIZE)
        self._flowing.wait()
        if not data:
            return False
        fault = connection.fault
        if fault is not None and fault.then is not None and connection.asked:
            fault.then()
        connection.asked = False
        if fault is not None and fault.kind is Kind.LOSE:
            return True
        if fault is not None and fault.kind is Kind.DELAY:
            self._closing.wait(fault.seconds)
            connection.fault = None
        ends = False
        if fault is not None and fault.kind is Kind.CUT:
            ends = connection.passed + len(data) >= fault.after
            data = data[: fault.after - connection.passed]
        connection.passed += len(data)
        with self._lock:  # counted first, so that what a client has is counted
            self.received += len(data)
        if data:
            connection.client.sendall(data)
        if ends:
            connection.end(reset=connection.passed == 0)
        return not ends
