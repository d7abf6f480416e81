"""Ask the workers for a run, and wait for its report where wanted.

What became of a run is read from its own report in Redis, never from a Celery result: those can be lost for
good in an outage.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import closing
from datetime import timedelta
from typing import Any, Literal, overload

from kombu.exceptions import OperationalError

from sync_workers.errors import LaterError, RedisUnreachableError
from sync_workers.model import ID, Side
from sync_workers.redis.connect import Client, check, connect, place
from sync_workers.redis.looks import Looks
from sync_workers.redis.runs_store import RunsStore, new_run_id
from sync_workers.registry import load_tasks, pick
from sync_workers.report import Trigger
from sync_workers.settings import load_settings
from sync_workers.worker.delivery import Delivery

ASK_EVERY = timedelta(seconds=0.1)
REMIND_EVERY = timedelta(seconds=10)
"""A run that was asked for while another worked is started by that one. If it died before, nobody does until
the next run of the task; whoever waits starts it then, and twice is harmless."""


@overload
def enqueue(
    name: str, *, full: bool = False, records: Iterable[ID] = (), wait: Literal[False] | None = None
) -> ID: ...


@overload
def enqueue(
    name: str, *, full: bool = False, records: Iterable[ID] = (), wait: Literal[True] | float | timedelta
) -> dict[str, Any]: ...


def enqueue(
    name: str,
    *,
    full: bool = False,
    records: Iterable[ID] = (),
    wait: bool | float | timedelta | None = None,
) -> ID | dict[str, Any]:
    """Ask the workers to run a task now.

    Args:
        name: of a task in the task file, in one of its imported modules, or registered in this process.
        full: compare everything anew, even where a change feed could tell what changed.
        records: ids of Notion records. The run asks Notion for these alone, by their ids, where what the
            other records were is known well enough; else it is a run like any other.
        wait: None returns at once; True waits until the run ended, a number or duration at most so long.

    Returns:
        The run's id, or, when waited for, the summary of its report: `outcome`, `counts`, `failures`, ...
        A request that came while another run worked gets the report of the run that answers it.

    Raises:
        SettingsError: there is no such task; names the nearest.
        RedisUnreachableError: Redis or the broker does not answer.
        LaterError: the run has not ended in that time; it goes on.
    """
    settings = load_settings()
    task = pick(load_tasks(settings), name)
    client = connect(settings.redis_url)
    try:
        check(client)
        run = new_run_id()
        looks = _to_look_at(client, task.name, records)
        start(task.name, run, full=full, looks=looks, tenant=task.sync_tenant)
        if wait is None or wait is False:
            return run
    finally:
        client.close()
    # A Redis that restarts meanwhile is waited for, as the run itself does.
    with closing(connect(settings.redis_url, settings.patience)) as patient:
        return wait_for(patient, task.name, run, _seconds(wait), task.sync_tenant)


def _to_look_at(client: Client, name: str, records: Iterable[ID]) -> bool:
    """Keep what is to be looked at before the run that does it is asked for; False when it is nothing."""
    ids = [records] if isinstance(records, str) else list(records)
    Looks(client, name).add(Side.NOTION, ids)
    return bool(ids)


def start(
    name: str,
    run: ID,
    *,
    full: bool = False,
    looks: bool = False,
    trigger: Trigger = Trigger.AD_HOC,
    tenant: str = "",
) -> None:
    """Send the chain of a run; raises RedisUnreachableError when the broker does not answer.

    `looks`: it only has to use the looks (`redis.looks`) that were added before.
    """
    from sync_workers.worker.tasks import run_chain

    try:
        run_chain(Delivery(name, run, trigger, full, looks, tenant)).apply_async(retry=False)
    except OperationalError as error:
        where = place(load_settings().broker)
        raise RedisUnreachableError(
            f"the broker at {where} does not take the request; start it, or set SYNC_WORKERS_BROKER_URL"
        ) from error


def wait_for(client: Client, name: str, run: ID, seconds: float | None, tenant: str = "") -> dict[str, Any]:
    """The summary of a run, or of the one that answers for it, once it ended.

    Raises:
        LaterError: it has not ended in that time.
    """
    runs = RunsStore(client, name)
    begun = time.monotonic()
    reminded = begun
    while (report := runs.report(run)) is None:
        now = time.monotonic()
        if seconds is not None and now - begun > seconds:
            raise LaterError(
                f"task {name}: run {run} has not ended within {seconds:g} s and goes on; "
                "'sync-workers status' shows it, if workers run"
            )
        if now - reminded > REMIND_EVERY.total_seconds():
            reminded = now
            _remind(runs, name, tenant)
        time.sleep(ASK_EVERY.total_seconds())
    return report


def _remind(runs: RunsStore, name: str, tenant: str) -> None:
    waiting = runs.following() if runs.lease() is None else None
    if waiting is not None:
        start(name, waiting, tenant=tenant)


def _seconds(wait: bool | float | timedelta) -> float | None:
    if wait is True:
        return None
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)
