"""`Totals`: what is counted of a task over all its runs, and how it stands with it now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sync_workers.redis import scripts
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import Keys


@dataclass(frozen=True, slots=True)
class Totals:
    """Numbers of one task; those of runs only ever grow, as long as Redis keeps its data.

    Attributes:
        counted: what `Report.totals` names, and `lease_waits` with `lease_wait_seconds`: requests that had to
            wait for another run.
        counters: ticks `dropped`, `skipped` and so on; see `RunsStore.counters`.
        last_run, last_success: when a run ended, and when one ended that read both sides and did its work.
        begun: when the run began that has the lease.
        following: whether one more run was asked for.
        paused: by whom the task is paused; empty when it is not.
        held: records with conflicts that wait for a person.
        quarantined: records that failed and are left alone for a while.
        plans: refused plans that wait for a person.
        links: records that are linked.
        history: operations in the history.
        webhook: what webhook events want and no run was asked for yet.
        now: by Redis' clock.
    """

    counted: Mapping[tuple[str, ...], float] = field(default_factory=dict)
    counters: Mapping[str, int] = field(default_factory=dict)
    last_run: datetime | None = None
    last_success: datetime | None = None
    begun: datetime | None = None
    following: bool = False
    paused: str = ""
    held: int = 0
    quarantined: int = 0
    plans: int = 0
    links: int = 0
    history: int = 0
    webhook: int = 0
    now: datetime = datetime.fromtimestamp(0, UTC)

    def of(self, name: str) -> Iterator[tuple[tuple[str, ...], float]]:
        """What is counted under a name: the rest of each name, and the number."""
        for whole, number in self.counted.items():
            if whole[0] == name:
                yield whole[1:], number


def totals(client: Client, task: str) -> Totals:
    """What is counted of a task; raises StateError where Redis does not answer."""
    return totals_of(client, (task,))[task]


def totals_of(client: Client, tasks: Iterable[str]) -> dict[str, Totals]:
    """What is counted of each task, each at one moment; raises StateError where Redis does not answer."""
    names = list(tasks)
    found = client.run_each(scripts.TOTALS, [_keys(Keys(name)) for name in names])
    return {name: _totals(flat) for name, flat in zip(names, found, strict=True)}


def _keys(keys: Keys) -> tuple[str, ...]:
    return (
        keys.totals, keys.counters, keys.lease, keys.current, keys.following, keys.paused,
        keys.part("held"), keys.part("quarantine"), keys.plans, keys.part("links"), keys.history,
        keys.webhook("waiting"),
    )  # fmt: skip


def _totals(flat: list[bytes]) -> Totals:
    found = {_text(name): value for name, value in zip(flat[::2], flat[1::2], strict=True)}
    counted = {tuple(n.split("|")): float(v) for n, v in found.items() if "|" in n and _is_counted(n)}
    return Totals(
        counted,
        {n.removeprefix("counter|"): int(v) for n, v in found.items() if not _is_counted(n) and "|" in n},
        _moment(found.get("last_run")), _moment(found.get("last_success")), _moment(found.get("begun")),
        bool(found["following"]), _text(found.get("paused", b"")),
        int(found["held"]), int(found["quarantined"]), int(found["plans"]), int(found["links"]),
        int(found["history"]), int(found["webhook"]),
        datetime.fromtimestamp(int(found["now"]) / 1000, UTC),
    )  # fmt: skip


def _is_counted(name: str) -> bool:
    return not name.startswith("counter|")


def _moment(milliseconds: bytes | None) -> datetime | None:
    return None if milliseconds is None else datetime.fromtimestamp(int(milliseconds) / 1000, UTC)


def _text(value: bytes) -> str:
    return value.decode()
