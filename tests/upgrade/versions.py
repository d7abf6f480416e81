"""Versions before and after this one, as workers of them are started."""

from __future__ import annotations

import os
import shutil
import subprocess
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
    shutil.copytree(
        ROOT / "sync_workers", folder / "sync_workers", ignore=shutil.ignore_patterns("__pycache__")
    )
    path = folder / "sync_workers" / "state.py"
    text = path.read_text()
    assert text.count("\nVERSION = 1\n") == 1
    path.write_text(text.replace("\nVERSION = 1\n", "\nVERSION = 2\n") + STEP)
    return folder


def start_from(on: Deployment, *paths: Path) -> None:
    """What is started from now on is of the version at the path; of this one without a path."""
    on.environment["PYTHONPATH"] = os.pathsep.join(map(str, (*paths, ROOT)))


def ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    assert process.wait(60) == 0
