"""Versions before and after this one, as workers of them are started."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.worker.deployment import ROOT, Deployment

LAST = Path(__file__).with_name("sync_workers-0.1.0-py3-none-any.whl")
"""The last version, without the parts that workers do not need."""

STEP = """
def _name_the_version(raw: dict[str, Any]) -> dict[str, Any]:
    told = {side: [f"{one} of 1" for one in ids] for side, ids in raw.get("unlinked", {}).items()}
    return {**raw, "unlinked": told}

UPGRADES[1] = _name_the_version
"""


def next_version(folder: Path) -> Path:
    """This version with another form of the state, in which unlinked records are called otherwise."""
    return _changed(folder, "state.py", {"\nVERSION = 1\n": "\nVERSION = 2\n"}, STEP)


def other_form(folder: Path) -> Path:
    """This version with another form of what a run hands on between its phases."""
    changes = {'f"${name}"': 'f"$2{name}"', 'tag.removeprefix("$")': 'tag.removeprefix("$2")'}
    return _changed(folder, "runs/codec.py", changes)


def _changed(folder: Path, name: str, changes: Mapping[str, str], more: str = "") -> Path:
    """This version with one file changed."""
    shutil.copytree(
        ROOT / "sync_workers", folder / "sync_workers", ignore=shutil.ignore_patterns("__pycache__")
    )
    path = folder / "sync_workers" / name
    text = path.read_text()
    for old, new in changes.items():
        assert old in text, f"{old} is not in {name} any more"
        text = text.replace(old, new)
    path.write_text(text + more)
    return folder


def start_from(on: Deployment, *paths: Path) -> None:
    """What is started from now on is of the version at the path; of this one without a path."""
    on.environment["PYTHONPATH"] = os.pathsep.join(map(str, (*paths, ROOT)))


def ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    assert process.wait(60) == 0
