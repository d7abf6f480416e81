"""Which version a state in Redis is of, and what to do about one that cannot be read here."""

from __future__ import annotations

from sync_workers.errors import OtherVersionError, StateError
from sync_workers.redis.keys import Keys
from sync_workers.state import VERSION, is_known, known_versions


def version_of(stored: bytes | None) -> int:
    """The version that is stored; 0, which there never was, where none can be read."""
    return int(stored) if stored and stored.isdigit() else 0


def expect_known(task: str, stored: bytes | None) -> None:
    """Make sure that a state of the stored version can be read here.

    Raises:
        OtherVersionError: a newer version wrote it.
        StateError: it is of a version that is not known here.
    """
    version = version_of(stored)
    if version > VERSION:
        raise newer(task, f"version {version}")
    if not is_known(version):
        raise StateError(_told(task, "a version"))


def newer(task: str, version: str) -> OtherVersionError:
    """What is said about the state of a newer version."""
    return OtherVersionError(_told(task, version))


def _told(task: str, version: str) -> str:
    return (
        f"the state of task {task} in Redis is of {version} that is not known here "
        f"(only {known_versions()}): upgrade sync-workers here, or stop the newer workers, delete the keys "
        f"{Keys(task).prefix}:state:* and import a backup with `sync-workers state import`"
    )
