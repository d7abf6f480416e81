"""`Alerting`: the thread of a monitor that tells people what is wrong, once over all monitors."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sync_workers.config.alerts import Alerts
from sync_workers.errors import StateError, SyncError
from sync_workers.monitor.incidents import incidents
from sync_workers.monitor.sending import send
from sync_workers.monitor.view import View
from sync_workers.redis.alerts import FIRST_WAIT, QUIET, Message, delivered, lead, note, take
from sync_workers.redis.connect import Client

_log = logging.getLogger(__name__)

LOOK_EVERY = timedelta(seconds=10)

LEAD = timedelta(seconds=30)
"""So long after the monitor died that sends alerts another one takes over."""


class Alerting:
    """Looks every few seconds, while it is this monitor's turn, and sends what there is to tell.

    Args:
        view: what Redis says now.
        alerts: what the task file says now.
        name: of this monitor, for people.
        quiet: after how long without it an incident is over.
        first_wait: how soon a message that was not taken is tried again.
    """

    def __init__(
        self,
        client: Client,
        view: Callable[[], View],
        alerts: Callable[[], Alerts],
        name: str,
        *,
        quiet: timedelta = QUIET,
        first_wait: timedelta = FIRST_WAIT,
    ) -> None:
        self._quiet, self._first_wait = quiet, first_wait
        self._client, self._view, self._alerts = client, view, alerts
        self._lead = lead(client, name, LEAD)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alerting", daemon=True)

    @property
    def is_alive(self) -> bool:
        """Whether somebody still looks."""
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Leave it to another monitor."""
        self._stopped.set()
        self._thread.join(timeout=LOOK_EVERY.total_seconds())
        try:
            self._lead.leave()
        except StateError:
            _log.debug("Redis is away: another monitor sends alerts in a while")

    def look(self) -> None:
        """Tell what there is to tell, if it is this monitor's turn.

        Raises:
            StateError: Redis does not answer; nothing is lost, the next look tells it.
        """
        alerts = self._alerts()
        if not alerts.receivers or not self._lead.keep():
            return
        note(self._lead, incidents(self._view(), alerts.rules), list(alerts.receivers), self._quiet)
        messages: dict[str, list[Message]] = {}
        for message in take(self._client, self._first_wait):
            messages.setdefault(message.receiver, []).append(message)
        # At the same time, so that one which does not answer keeps no other one waiting.
        with ThreadPoolExecutor(len(messages) or 1) as pool:
            list(pool.map(lambda each: self._tell(alerts, *each), messages.items()))

    def _tell(self, alerts: Alerts, name: str, messages: Sequence[Message]) -> None:
        receiver = alerts.receivers.get(name)
        if receiver is None:
            _log.warning("%d alert(s) for %s dropped: it is no receiver any more", len(messages), name)
        else:
            try:
                send(receiver, messages)
            except SyncError as error:
                told = f"alerts.to.{name}: {error}; {len(messages)} alert(s) are tried again later"
                _log.error(told, extra={"action": "alert"})
                return
            _log.info("alerts.to.%s: told of %s", name, _kinds(messages), extra={"action": "alert"})
        delivered(self._client, messages)

    def _run(self) -> None:
        while True:
            try:
                self.look()
            except SyncError as error:
                _log.warning("no look at what is wrong: %s", error)
            if self._stopped.wait(LOOK_EVERY.total_seconds()):
                return


def _kinds(messages: Iterable[Message]) -> str:
    return ", ".join(f"{one.incident.key} {one.change}" for one in messages)
