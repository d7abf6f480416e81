"""An upgrade to a version in which what is stored has another form, while workers of this one still work."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sync_workers.errors import OtherVersionError, StateError
from sync_workers.model import Side
from sync_workers.redis.keys import Keys
from sync_workers.redis.lease import Lease, Taken
from sync_workers.redis.state_store import RedisStore, load, put_decision
from sync_workers.remarks import Decision
from sync_workers.report import Trigger
from sync_workers.state import Change
from sync_workers.state_file.files import write
from tests.conftest import wait_until
from tests.upgrade.versions import ended, next_version, other_form, start_from
from tests.worker.deployment import Deployment, deployed

pytestmark = pytest.mark.system

READ = "from sync_workers.redis.connect import connect; from sync_workers.redis.state_store import load"
READ_FILE = "from pathlib import Path; from sync_workers.state_file.files import read"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path) as deployment:
        yield deployment


def part(on: Deployment, *records: str) -> None:
    """Note records that are not to be copied, as a run of this version does."""
    lease = Lease(on.client, "todo", "by-hand")
    taken = lease.take(Trigger.LOCAL, first=True)
    assert isinstance(taken, Taken)
    change = Change(unlinked={(Side.OTHER, record): True for record in records})
    RedisStore(on.client, "todo", "by-hand", taken.fence).commit(None, change)
    on.client.ask("DEL", on.keys.lease, on.keys.current)


def version(on: Deployment) -> bytes:
    stored: bytes = on.client.ask("HGET", on.keys.meta, "version")
    return stored


def unlinked(on: Deployment) -> set[bytes]:
    return set(on.client.ask("HKEYS", Keys("todo").part("unlinked")))


def told_of_file(on: Deployment, path: Path) -> str:
    """A file with an exported state, likewise."""
    return on.program(f"{READ_FILE}; print(read(Path({str(path)!r})).unlinked)")


def told(on: Deployment) -> str:
    """The state as a program of the version in force reads it, without a lease."""
    return on.program(f"{READ}; print(load(connect({on.redis.url!r}), 'todo').unlinked)")


def test_the_first_run_of_a_newer_version_brings_the_state_up_to_date(
    here: Deployment, tmp_path: Path
) -> None:
    # Given: a state of this version.
    newer = next_version(tmp_path / "next")
    this = here.worker()
    here.task.put("notion", Name="kept", Done=False)
    assert here.enqueue(wait=60)["outcome"] == "done"
    ended(this)
    part(here, "parted")
    links = here.client.ask("HGETALL", here.keys.part("links"))
    state = load(here.client, "todo")
    assert state is not None
    write(exported := tmp_path / "state.json", state)

    # When: the next version looks at it, and then runs.
    start_from(here, newer)
    assert "parted of 1" in told(here)
    assert "parted of 1" in told_of_file(here, exported)
    assert (version(here), unlinked(here)) == (b"1", {b"other:parted"}), "who only reads changes nothing"
    here.worker()
    report = here.enqueue(wait=60)

    # Then: it is of that version, all of it, and nothing was written to a service.
    assert (report["outcome"], report["counts"]) == ("done", {})
    assert (version(here), unlinked(here)) == (b"2", {b"other:parted of 1"})
    assert here.client.ask("HGETALL", here.keys.part("links")) == links
    assert here.client.ask("KEYS", f"{here.keys.prefix}:state:*:staged") == []
    assert here.enqueue(wait=60)["counts"] == {}
    assert unlinked(here) == {b"other:parted of 1"}, "once"


def test_an_older_worker_hands_runs_of_a_newer_state_to_a_newer_worker(
    here: Deployment, tmp_path: Path
) -> None:
    # Given: a state of the next version, and a worker of this one alone.
    newer = next_version(tmp_path / "next")
    here.task.put("notion", Name="old", Done=False)
    start_from(here, newer)
    first = here.worker()
    assert here.enqueue(wait=60)["outcome"] == "done"
    ended(first)
    assert version(here) == b"2"
    start_from(here)
    older = here.worker()
    here.task.put("other", summary="both", done=True)
    with pytest.raises(OtherVersionError, match="upgrade sync-workers here"):
        load(here.client, "todo")
    decision = Decision(use=Side.NOTION, seen={}, at=datetime.now(UTC))
    with pytest.raises(StateError, match="upgrade sync-workers here"):
        put_decision(here.client, "todo", ("n", "Name"), decision)

    # When: a run comes to it, and only then a worker of the next version is there.
    run = here.enqueue()
    wait_until(lambda: "not known here (only 1)" in here.log(older), "the run is handed over", 60)
    assert here.runs.report(run) is None
    start_from(here, newer)
    here.worker()

    # Then: that one ends it, and no other run fails either while both are there.
    assert here.report(run)["outcome"] == "done"
    expected = [("both", True), ("old", False)]
    assert here.task.shown("notion") == here.task.shown("other") == expected
    assert here.enqueue(wait=90)["counts"] == {}
    assert set(here.runs.counters()) == {"done"}
    assert older.poll() is None


def test_a_run_whose_snapshot_a_worker_cannot_read_is_ended_by_one_that_can(
    here: Deployment, tmp_path: Path
) -> None:
    # Given: a worker of this version that reads both sides, and one of another version for the rest.
    here.worker("-Q", "sync.get.urgent")
    start_from(here, other_form(tmp_path / "other"))
    other = here.worker("-Q", "sync.diff.urgent,sync.apply.urgent")
    here.task.put("notion", Name="new", Done=False)

    # When: the run has come to that one, and only then a worker of this version is there.
    run = here.enqueue()
    wait_until(lambda: "another version" in here.log(other), "the run is handed over", 60)
    start_from(here)
    here.worker("-Q", "sync.diff.urgent,sync.apply.urgent")

    # Then: it goes on with the run, and nothing is done twice.
    assert here.report(run)["outcome"] == "done"
    assert here.task.shown("notion") == here.task.shown("other") == [("new", False)]
    assert set(here.runs.counters()) == {"done"}
