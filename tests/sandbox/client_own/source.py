"""The source distribution of the official Python client: from the package index, checked, unpacked."""

from __future__ import annotations

import hashlib
import os
import re
import tarfile
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

LOCK = Path(__file__).parents[3] / "requirements.lock"
INDEX = "https://pypi.org/simple"


def unpacked(cache: Path) -> Path:
    """The directory of the version that the lock names, with the hash that stands there.

    Where the index cannot be reached the test is skipped; in CI it fails.
    """
    version, hashes = _locked()
    name = f"notion_client-{version}"
    archive = cache / f"{name}.tar.gz"
    if not archive.exists():
        archive.write_bytes(_download(archive.name))
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


def _download(filename: str) -> bytes:
    index = (os.environ.get("PIP_INDEX_URL") or INDEX).rstrip("/")
    try:
        listing = _get(f"{index}/notion-client/")
        link = re.search(rf'href="([^"]*/{re.escape(filename)}[^"]*)"', listing.text)
        assert link is not None, f"{listing.url} has no {filename}"
        return _get(urljoin(str(listing.url), link[1])).content
    except httpx.HTTPError as error:
        reason = f"the package index cannot be asked for {filename}: {error}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


def _get(url: str) -> httpx.Response:
    return httpx.get(url, follow_redirects=True, timeout=30).raise_for_status()
