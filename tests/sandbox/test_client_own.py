"""The tests that the official Python client ships for its endpoints, run against the sandbox."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.sandbox.client_own.excused import EXCUSED
from tests.sandbox.client_own.source import unpacked

ROOT = Path(__file__).parents[2]
FILES = ("test_client.py", "test_endpoints.py", "test_errors.py", "test_helpers.py")


@pytest.fixture(scope="module")
def source(request: pytest.FixtureRequest) -> Path:
    assert request.config.cache is not None
    return unpacked(request.config.cache.mkdir("notion-client"))


def test_the_clients_own_tests_pass_against_the_sandbox(source: Path, tmp_path: Path) -> None:
    # when
    result = tmp_path / "result.xml"
    command, environment = _command(source, result), _environment()
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    # then all of them passed but those that are excused, each of which exists
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    cases = ET.parse(result).iter("testcase")  # noqa: S314 - pytest wrote it
    outcomes = {case.attrib["name"]: _outcome(case) for case in cases}
    assert {name for name, outcome in outcomes.items() if outcome != "passed"} == set(EXCUSED)
    assert len(outcomes) > 150


def _command(source: Path, result: Path) -> list[str]:
    plugins = ["-p", "tests.sandbox.client_own.plugin", "-p", "no:cacheprovider"]
    settings = ["-c", os.devnull, "--rootdir", str(source), "-W", "ignore", f"--junitxml={result}"]
    files = [str(source / "tests" / name) for name in FILES]
    return [sys.executable, "-m", "pytest", "-q", "--show-capture=no", *plugins, *settings, *files]


def _environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "SYNC_WORKERS"))}
    return {**kept, "PYTHONPATH": str(ROOT)}


def _outcome(case: ET.Element) -> str:
    return next((child.tag for child in case if child.tag in {"skipped", "failure", "error"}), "passed")
