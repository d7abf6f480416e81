"""A Flower beside a deployment, asked as its users ask it."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from sync_workers.sandbox.embedded import _free_port
from tests.conftest import wait_until
from tests.worker.deployment import Deployment

USER, PASSWORD = "operator", "planted-login-5309"


class Flower:
    """A Flower process; `ask` gives status and body of a page."""

    def __init__(self, on: Deployment, *, login: bool = True, **environment: str) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        if login:
            on.environment["SYNC_WORKERS_FLOWER_LOGIN"] = f"{USER}:{PASSWORD}"
        on.environment |= environment
        self.process: subprocess.Popen[bytes] = on.command("flower", "--port", str(self.port), "--no-restart")
        wait_until(lambda: self.ask("/healthcheck")[0] == 200, lambda: on.log(self.process), 60)

    def ask(
        self, path: str, login: str | None = f"{USER}:{PASSWORD}", data: dict[str, Any] | None = None
    ) -> tuple[int, str]:
        headers = {"Content-Type": "application/json"}
        if login is not None:
            headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
        body = None if data is None else json.dumps(data).encode()
        request = Request(self.url + path, body, headers)  # noqa: S310 - our own, on loopback
        try:
            with urlopen(request, timeout=10) as reply:  # noqa: S310 - likewise
                return reply.status, reply.read().decode(errors="replace")
        except HTTPError as error:
            return error.code, error.read().decode(errors="replace")
        except OSError:
            return 0, ""

    def tasks(self) -> dict[str, dict[str, Any]]:
        """What Flower knows of each message, by its id."""
        found: dict[str, dict[str, Any]] = json.loads(self.ask("/api/tasks?limit=1000")[1])
        return found

    def everything(self) -> dict[str, str]:
        """All pages that it has about this deployment."""
        paths = ["/", "/workers", "/tasks", "/broker", "/metrics", "/api/workers?refresh=1", "/api/tasks"]
        paths += ["/api/queues/length", "/api/task/types", "/about"]
        paths += [f"/task/{each}" for each in self.tasks()] + [
            f"/api/task/info/{each}" for each in self.tasks()
        ]
        paths += [f"/worker/{name}" for name in re.findall(r"[\w-]+@test", self.ask("/workers?json=1")[1])]
        return {path: self.ask(path)[1] for path in paths}
