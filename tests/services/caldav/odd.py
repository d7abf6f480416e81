"""A server that answers as it is told, for what Radicale and Xandikos never do."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sync_workers.model import Record

PATH = "/home/work/"
TODO = "BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\nUID:1\r\nSUMMARY:Bread\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
BEFORE = Record("a.ics", {"summary": "Bread"}, version='"1"')


@dataclass
class Answer:
    status: int = 207
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: Mapping[str, str]
    body: str


class Odd:
    """Answers each method with the next of its answers, the last one for ever."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[Asked] = []
        odd = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline(65537)
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                headers = {name.lower(): value for name, value in self.headers.items()}
                odd.asked.append(Asked(str(self.command), self.path, headers, body))
                answers = odd.answers.get(str(self.command)) or [Answer(501)]
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
                content = answer.body.encode()
                self.send_response(answer.status)
                for name, value in {"Content-Type": "text/xml", **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
                self.wfile.flush()

            def log_message(self, *_args: Any) -> None:
                """Keep quiet."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self._thread.start()

    def answer(self, method: str, *answers: Answer) -> None:
        self.answers[method] = list(answers)

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def multistatus(*responses: str, token: str | None = None) -> Answer:
    end = "" if token is None else f"<d:sync-token>{token}</d:sync-token>"
    space = 'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"'
    return Answer(207, f"<d:multistatus {space}>{''.join(responses)}{end}</d:multistatus>")


def response(href: str, properties: str = "", status: int | None = None, part: int = 200) -> str:
    inner = f"<d:status>HTTP/1.1 {status} x</d:status>" if status is not None else ""
    if properties:
        state = f"<d:status>HTTP/1.1 {part} x</d:status>"
        inner += f"<d:propstat><d:prop>{properties}</d:prop>{state}</d:propstat>"
    return f"<d:response><d:href>{href}</d:href>{inner}</d:response>"


def calendar(token: str | None = "t0") -> str:
    kept = "" if token is None else f"<d:sync-token>{token}</d:sync-token>"
    return response(PATH, f"<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>{kept}")


def todo(name: str = "a.ics", etag: str = '"1"', text: str = TODO) -> str:
    kept = f"<d:getetag>{etag}</d:getetag>" if etag else ""
    return response(PATH + name, f"{kept}<c:calendar-data>{text}</c:calendar-data>")


def refusal(status: int, *reasons: str) -> Answer:
    space = 'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"'
    return Answer(status, f"<d:error {space}>{''.join(f'<{reason}/>' for reason in reasons)}</d:error>")
