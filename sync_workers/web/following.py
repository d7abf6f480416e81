"""`Following`: the receiver goes by the task file as it is now, and notes that it lives."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from sync_workers.config import load_for
from sync_workers.config.watch import Watch
from sync_workers.errors import SettingsError, StateError
from sync_workers.redis.connect import Client
from sync_workers.redis.presence import NOTE_EVERY, Presence
from sync_workers.settings import Settings
from sync_workers.web.connections import Connection, connections_of

_log = logging.getLogger(__name__)


class Following:
    """A thread that looks for a changed task file.

    Args:
        name: of this receiver among the others.
        take_up: told of the connections of a task file without problems.
    """

    def __init__(
        self,
        settings: Settings,
        client: Client,
        name: str,
        take_up: Callable[[Mapping[str, Connection]], None],
    ) -> None:
        self._settings = settings
        self._take_up = take_up
        self._presence = Presence(client, "web", name)
        self._watch = Watch(settings.config)
        self._fingerprint = self._watch.take()
        self._problem = ""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="following", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Note that it ends."""
        self._stopped.set()
        self._thread.join(timeout=NOTE_EVERY.total_seconds())
        try:
            self._presence.leave()
        except StateError:
            _log.debug("Redis is away: the others find out that this process has gone")

    def look(self) -> None:
        """Take up a task file that changed; one with problems leaves the old one in force."""
        if not self._watch.has_changed():
            return
        found = self._watch.take()
        try:
            self._take_up(connections_of(load_for(self._settings)))
        except SettingsError as error:
            self._problem = "; ".join(error.problems)
            for line in error.problems:
                _log.error("the old connections stay in force: %s", line, extra={"action": "reload"})
        else:
            self._problem, self._fingerprint = "", found
            _log.info("the connections of task file %s", found, extra={"action": "reload"})

    def _run(self) -> None:
        while True:
            self.look()
            try:
                self._presence.note(self._fingerprint, self._problem)
            except StateError:
                _log.debug("Redis is away: it is not noted that this process lives")
            if self._stopped.wait(NOTE_EVERY.total_seconds()):
                return
