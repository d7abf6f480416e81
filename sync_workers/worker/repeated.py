"""`Repeated`: what a worker does now and then within its consumer's own loop, where a channel may be used."""

from __future__ import annotations

from abc import abstractmethod
from datetime import timedelta
from typing import Any, ClassVar

from celery import bootsteps


class Repeated(bootsteps.StartStopStep):  # type: ignore[misc] # Celery has no types
    """A step of the consumer that acts once in a while, as long as the broker is connected."""

    requires = ("celery.worker.consumer.tasks:Tasks",)
    every: ClassVar[timedelta]

    @abstractmethod
    def act(self, consumer: Any) -> None:
        """Do it, without waiting for anybody: messages are taken by the same loop."""

    def start(self, consumer: Any) -> None:
        self._timer = consumer.timer.call_repeatedly(self.every.total_seconds(), self.act, (consumer,))

    def stop(self, _consumer: Any) -> None:
        self._timer.cancel()
