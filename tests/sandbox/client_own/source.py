"""The source distribution of the official Python client: from the package index, checked, unpacked."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

LOCK = Path(__file__).parents[3] / "requirements.lock"


def unpacked(cache: Path) -> Path:
    """The directory of the version that the lock names, with the hash that stands there.

    Where the index cannot be reached the test is skipped; in CI it fails.
    """
    version, hashes = _locked()
    name = f"notion_client-{version}"
    archive = cache / f"{name}.tar.gz"
    if not archive.exists():
        _download(version, archive)
    assert hashlib.sha256(archive.read_bytes()).hexdigest() in hashes, f"{archive} is not the locked one"
    with tarfile.open(archive) as packed:
        packed.extractall(cache, filter="data")
    return cache / name


def _locked() -> tuple[str, set[str]]:
    found = re.search(
        r"^notion-client==(\S+) \\\n((?: +--hash=sha256:\w+.*\n)+)", LOCK.read_text(), re.MULTILINE
    )
    assert found is not None
    return found[1], set(re.findall(r"sha256:(\w+)", found[2]))


def _download(version: str, archive: Path) -> None:
    """By pip, which knows how this machine reaches its index."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    wanted = ["--no-binary", "notion-client", f"notion-client=={version}", "--dest", str(archive.parent)]
    done = subprocess.run([*command, *wanted], capture_output=True, text=True, check=False)
    if done.returncode == 0 and archive.exists():
        return
    reason = f"the package index does not give {archive.name}: {done.stderr.strip()[-300:]}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
