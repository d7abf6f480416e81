"""What the phases of one process share: the settings, the connection to Redis, the tasks."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache

from sync_workers.config.alerts import Alerts
from sync_workers.config.watch import Watch
from sync_workers.errors import SettingsError
from sync_workers.redis.connect import Client, connect
from sync_workers.registry import load, load_again
from sync_workers.runs.history import Kept
from sync_workers.runs.task import Task
from sync_workers.services.budget import PATIENCE
from sync_workers.settings import Settings, load_settings

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Process:
    """What phases work with.

    Attributes:
        slice: how long `apply`, or a long listing in `get`, works before it goes on as a new message.
        lease: as in `Settings`.
        queued: as in `Settings`.
        longest_wait: a service that asks for patience gets it: the run keeps its lease, so that no tick asks
            again meanwhile. A longer wait ends the run; its message would be delivered twice.
        patience: how long a phase sleeps at most until it is its turn to call a service.
        kept: how much of a task's history is kept.
    """

    client: Client
    tasks: Mapping[str, Task]
    slice: timedelta = timedelta(seconds=60)
    lease: timedelta = timedelta(seconds=60)
    queued: timedelta = timedelta(seconds=600)
    longest_wait: timedelta = timedelta(seconds=120)
    kept: Kept = Kept()
    patience: timedelta = PATIENCE

    @classmethod
    def of(cls, settings: Settings, tasks: Mapping[str, Task]) -> Process:
        """A process as the settings want it, with these tasks."""
        return cls(
            connect(settings.redis_url, settings.patience), tasks, settings.slice,
            settings.lease, settings.queued, settings.redelivery * LONGEST_WAIT, Kept.by(settings),
        )  # fmt: skip


LONGEST_WAIT = 0.4
"""Share of `redelivery` that a run waits for a service."""


class Here:
    """The one `Process` of this program, and the task file that it goes by.

    Attributes:
        fingerprint: of the task file and its modules, as the tasks were made of them.
        problem: why it does not go by what is there now; empty when it does.
    """

    def __init__(self, settings: Settings) -> None:
        self.problem = ""
        self._locks: dict[int, threading.Lock] = {}
        self._settings = settings
        self._watch = Watch(settings.config)
        self._watch.take()
        self._loaded = load(settings)
        self.fingerprint = self._watch.learn(self._loaded.modules)
        self._process = Process.of(settings, self._loaded.tasks)

    @property
    def alerts(self) -> Alerts:
        """When a person is told, and where, as `process` saw it last."""
        return self._loaded.alerts

    def process(self) -> Process:
        """With the tasks of the task file as it is now; one with problems leaves the old ones in force."""
        if self._watch.has_changed():
            # One thread takes it up, the others go on as they are. A child never meets a lock that one of its
            # parent's threads held when it was made.
            lock = self._locks.setdefault(os.getpid(), threading.Lock())
            if lock.acquire(blocking=False):
                try:
                    if self._watch.has_changed():  # unless another one has done so meanwhile
                        self._take_up()
                finally:
                    lock.release()
        return self._process

    def _take_up(self) -> None:
        self._watch.take(self._loaded.modules)
        try:
            loaded = load_again(self._settings, self._loaded)
        except SettingsError as error:
            self.problem = "; ".join(error.problems)
            for line in error.problems:
                _log.error("the old tasks stay in force: %s", line, extra={"action": "reload"})
        except Exception as error:  # noqa: BLE001 - a module is the user's own code and may raise anything
            self.problem = f"an imported module raised {type(error).__name__}"
            _log.exception("the old tasks stay in force: %s", self.problem, extra={"action": "reload"})
        else:
            self.problem, self._loaded = "", loaded
            self.fingerprint = found = self._watch.learn(loaded.modules)
            self._process = replace(self._process, tasks=loaded.tasks)
            _log.info("%d task(s) of task file %s", len(loaded.tasks), found, extra={"action": "reload"})


@cache
def here() -> Here:
    """What is here, made when first asked for; children of a worker inherit it.

    Raises:
        SettingsError: the settings, the task file or an imported module has problems.
    """
    return Here(load_settings())


def this_process() -> Process:
    """The one of this process, with the tasks of the task file as it is now.

    Raises:
        SettingsError: when first asked for, the settings, the task file or an imported module has problems.
    """
    return here().process()


def goes_by() -> tuple[str, str]:
    """The fingerprint of the task file that this process goes by, and why not by what is there now, if so."""
    this_process()
    return here().fingerprint, here().problem
