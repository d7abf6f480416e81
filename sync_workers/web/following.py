"""`Following`: the receiver goes by the task file as it is now."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from sync_workers.config import load_for
from sync_workers.config.watch import Watch
from sync_workers.errors import SettingsError
from sync_workers.settings import Settings
from sync_workers.web.connections import Connection, connections_of

_log = logging.getLogger(__name__)


class Following:
    """Looks for a changed task file; used by one thread.

    Args:
        watch: that was taken before the file was read for the first time.
        take_up: told of the connections of a task file without problems.
    """

    def __init__(
        self, settings: Settings, watch: Watch, take_up: Callable[[Mapping[str, Connection]], None]
    ) -> None:
        self._settings = settings
        self._take_up = take_up
        self._watch = watch
        self._fingerprint = watch.fingerprint
        self._problem = ""

    def look(self) -> tuple[str, str]:
        """Take up a task file that changed; one with problems leaves the old one in force.

        Gives the fingerprint of what it goes by, and what is wrong with a newer one.
        """
        if self._watch.has_changed():
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
        return self._fingerprint, self._problem
