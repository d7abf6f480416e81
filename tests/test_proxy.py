from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest

from tests.conftest import wait_until
from tests.proxy import Kind, Proxy


class Echo:
    """A server that remembers each line it executed and answers `done: ` with it."""

    def __init__(self) -> None:
        self.executed: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = ("127.0.0.1", int(self._listener.getsockname()[1]))
        self._threads = [threading.Thread(target=self._take, daemon=True)]
        self._threads[0].start()

    def _take(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._threads.append(threading.Thread(target=self._serve, args=(client,), daemon=True))
                self._threads[-1].start()

    def _serve(self, client: socket.socket) -> None:
        with closing(client), client.makefile("rb") as lines, suppress(OSError):
            for line in lines:
                self.executed.append(line.rstrip())
                client.sendall(b"done: " + line.rstrip())

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(timeout=10)


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    with Proxy(echo.address) as started:
        yield started


def call(proxy: Proxy, request: bytes) -> bytes:
    """What comes back until the whole reply is there or the connection ends."""
    with closing(socket.create_connection(("127.0.0.1", proxy.port), timeout=0.5)) as client:
        client.sendall(request + b"\n")
        reply = b""
        while len(reply) < len(request) + 6:
            piece = client.recv(65536)
            if not piece:
                break
            reply += piece
        return reply


def test_it_forwards_and_counts(proxy: Proxy) -> None:
    assert call(proxy, b"GET 1") == b"done: GET 1"
    assert call(proxy, b"PUT 2") == b"done: PUT 2"
    assert (proxy.connections, proxy.sent, proxy.received, proxy.struck) == (2, 12, 22, 0)
    assert (proxy.count(b"PUT"), proxy.count()) == (1, 2)


def test_a_reset_request_never_arrives(proxy: Proxy, echo: Echo) -> None:
    proxy.fail(Kind.RESET, match=b"PUT")
    assert call(proxy, b"GET 1") == b"done: GET 1"
    with pytest.raises(ConnectionResetError):
        call(proxy, b"PUT 2")
    assert call(proxy, b"PUT 3") == b"done: PUT 3"
    assert echo.executed == [b"GET 1", b"PUT 3"]
    assert proxy.struck == 1


def test_a_cut_reply_was_executed(proxy: Proxy, echo: Echo) -> None:
    proxy.fail(Kind.CUT)
    with pytest.raises(ConnectionResetError):
        call(proxy, b"PUT 1")
    assert echo.executed == [b"PUT 1"]


def test_a_part_of_a_cut_reply_comes_through(proxy: Proxy, echo: Echo) -> None:
    proxy.fail(Kind.CUT, after=4)
    assert call(proxy, b"PUT 1") == b"done"
    assert echo.executed == [b"PUT 1"]
    assert proxy.received == 4


@pytest.mark.parametrize("kind", [Kind.BLACK_HOLE, Kind.CUT])
def test_a_request_in_two_pieces_is_one_request(proxy: Proxy, echo: Echo, kind: Kind) -> None:
    proxy.fail(kind, match=b"PUT", times=2)
    with closing(socket.create_connection(("127.0.0.1", proxy.port), timeout=0.5)) as client:
        client.sendall(b"PUT ")
        wait_until(proxy.count, "the first piece is there")
        client.sendall(b"PUT\n")
        with pytest.raises((TimeoutError, ConnectionResetError)):
            client.recv(10)
    assert (proxy.count(), proxy.struck) == (1, 1)
    assert bool(echo.executed) == (kind is Kind.CUT)


def test_a_swallowed_reply_hurts_only_its_own_request(proxy: Proxy) -> None:
    proxy.fail(Kind.LOSE)
    with closing(socket.create_connection(("127.0.0.1", proxy.port), timeout=5)) as client:
        client.sendall(b"PUT 1\n")
        wait_until(lambda: proxy.count() and not proxy.waiting, "the server answered")
        client.sendall(b"PUT 2\n")
        assert client.recv(100) == b"done: PUT 2"


@pytest.mark.parametrize("kind", [Kind.BLACK_HOLE, Kind.LOSE])
def test_silence_leaves_the_connection_open(proxy: Proxy, echo: Echo, kind: Kind) -> None:
    proxy.fail(kind)
    with pytest.raises(TimeoutError):
        call(proxy, b"PUT 1")
    assert echo.executed == ([b"PUT 1"] if kind is Kind.LOSE else [])


def test_a_delayed_reply_comes_late(proxy: Proxy) -> None:
    proxy.fail(Kind.DELAY, seconds=30)
    with pytest.raises(TimeoutError):
        call(proxy, b"PUT 1")
    proxy.fail(Kind.DELAY, seconds=0.01)
    assert call(proxy, b"PUT 1") == b"done: PUT 1"


def test_something_can_happen_between_a_request_and_its_reply(proxy: Proxy, echo: Echo) -> None:
    seen: list[list[bytes]] = []
    proxy.fail(Kind.CUT, after=100, then=lambda: seen.append(list(echo.executed)))
    assert call(proxy, b"PUT 1") == b"done: PUT 1"
    assert seen == [[b"PUT 1"]]


def test_it_refuses_and_listens_again_on_the_same_port(proxy: Proxy) -> None:
    call(proxy, b"GET 1")
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        call(proxy, b"GET 2")
    proxy.listen()
    assert call(proxy, b"GET 3") == b"done: GET 3"


def test_what_is_sent_while_nothing_flows_arrives_late(proxy: Proxy, echo: Echo) -> None:
    with closing(socket.create_connection(("127.0.0.1", proxy.port), timeout=5)) as open_before:
        open_before.sendall(b"GET 1\n")
        assert open_before.recv(100) == b"done: GET 1"
        proxy.stall()
        open_before.sendall(b"PUT 2\n")
        with pytest.raises(TimeoutError):
            call(proxy, b"PUT 3")
        assert echo.executed == [b"GET 1"]

        proxy.flow()
        assert open_before.recv(100) == b"done: PUT 2"
    wait_until(lambda: sorted(echo.executed) == [b"GET 1", b"PUT 2", b"PUT 3"], "the third arrives, too")
    assert call(proxy, b"GET 4") == b"done: GET 4"


def test_healed_it_forwards_again(proxy: Proxy) -> None:
    proxy.fail(Kind.RESET, times=5)
    proxy.heal()
    assert call(proxy, b"GET 1") == b"done: GET 1"


def test_nothing_is_left_when_it_ends(echo: Echo) -> None:
    with Proxy(echo.address) as started:
        started.fail(Kind.BLACK_HOLE)
        client = socket.create_connection(("127.0.0.1", started.port))
        client.sendall(b"PUT 1\n")
        wait_until(lambda: started.struck, "the request is swallowed")
    assert client.recv(10) == b""
    client.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "proxy"]
