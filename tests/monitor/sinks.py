"""What alerts are sent to in tests: a real HTTP server and a real SMTP server, which may refuse."""

from __future__ import annotations

import base64
import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class HttpSink:
    """Keeps what was posted; answers with `status`."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[dict[str, Any]] = []
        self.tokens: list[str | None] = []
        self.url = ""

    def told(self) -> list[str]:
        """Each incident with what was told of it, in the order of its arrival."""
        return [
            f"{one['kind']} {one['task']} {one['state']}" for body in self.got for one in body["incidents"]
        ]


@contextmanager
def http_sink() -> Iterator[HttpSink]:
    sink = HttpSink()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if sink.status == 200:
                sink.got.append(json.loads(body))
                sink.tokens.append(self.headers["Authorization"])
            self.send_response(sink.status)
            if sink.status == 302:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        def do_GET(self) -> None:
            raise AssertionError("a redirect was followed")

        def log_message(self, *_args: Any) -> None:
            """Nothing to tell."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    sink.url = f"http://127.0.0.1:{server.server_port}/hook-secret"
    try:
        yield sink
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class SmtpSink(socketserver.StreamRequestHandler):
    """One mail a connection; takes PLAIN as login."""

    mails: list[str]
    logins: list[str]
    refuses: bool
    tls: ssl.SSLContext | None

    def handle(self) -> None:
        self.say("220 here")
        self.talk()

    def talk(self) -> None:
        while line := self.rfile.readline().decode().strip():
            word, _, rest = line.partition(" ")
            if word.upper() == "EHLO":
                secured = isinstance(self.connection, ssl.SSLSocket)
                self.say(f"250-here\r\n250 {'AUTH PLAIN' if secured or not self.tls else 'STARTTLS'}")
            elif word.upper() == "STARTTLS" and self.tls:
                self.say("220 go on")
                try:
                    self.connection = self.tls.wrap_socket(self.connection, server_side=True)
                except ssl.SSLError:
                    return  # it is not trusted
                self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
            elif word.upper() == "AUTH":
                self.logins.append(base64.b64decode(rest.split()[1]).decode())
                self.say("235 welcome")
            elif word.upper() == "DATA":
                self.say("354 go on")
                lines = iter(self.rfile.readline, b".\r\n")
                self.mails.append(b"".join(lines).decode())
                self.say("250 kept")
            elif word.upper() == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("550 no" if self.refuses and word.upper() == "RCPT" else "250 fine")

    def finish(self) -> None:
        super().finish()
        self.connection.close()  # the server closes only what it accepted itself

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def smtp_sink(
    *, refuses: bool = False, tls: ssl.SSLContext | None = None
) -> Iterator[tuple[int, list[str], list[str]]]:
    """Gives its port, the mails that it got and the logins."""
    mails: list[str] = []
    logins: list[str] = []
    handler = type("Sink", (SmtpSink,), {"mails": mails, "logins": logins, "refuses": refuses, "tls": tls})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.server_address[1], mails, logins
        finally:
            server.shutdown()
            thread.join()
