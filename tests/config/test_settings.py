from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from sync_workers.errors import SettingsError
from sync_workers.settings import LogLevel, load_settings, unknown_variables

MEANT = "; did you mean 'SYNC_WORKERS_REDIS_URL'?"


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().startswith("SYNC_WORKERS_"):
            monkeypatch.delenv(name)


def test_without_variables_the_defaults_hold() -> None:
    settings = load_settings()

    assert settings.redis_url == "redis://localhost:6379/0"
    assert (settings.broker_url, settings.broker) == (None, settings.redis_url)
    assert settings.config == Path("sync.toml")
    assert settings.log_level is LogLevel.INFO
    assert settings.apply_slice == settings.slice == settings.lease == timedelta(seconds=60)
    assert settings.redelivery == timedelta(minutes=5)


def test_every_variable_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNC_WORKERS_REDIS_URL", "rediss://a:b@there:1/2")
    monkeypatch.setenv("SYNC_WORKERS_BROKER_URL", "redis://broker/0")
    monkeypatch.setenv("SYNC_WORKERS_CONFIG", "/etc/sync.toml")
    monkeypatch.setenv("SYNC_WORKERS_LOG_LEVEL", "Warning")
    monkeypatch.setenv("SYNC_WORKERS_LEASE", "90s")
    monkeypatch.setenv("SYNC_WORKERS_REDELIVERY", "10m")
    monkeypatch.setenv("SYNC_WORKERS_APPLY_SLICE", "5m 30s")

    settings = load_settings()

    assert settings.redis_url == "rediss://a:b@there:1/2"
    assert settings.broker == "redis://broker/0"
    assert settings.config == Path("/etc/sync.toml")
    assert settings.log_level is LogLevel.WARNING
    assert settings.lease == timedelta(seconds=90)
    assert settings.redelivery == timedelta(minutes=10)
    assert settings.apply_slice == timedelta(seconds=330)


def test_a_mere_number_is_a_slice_in_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNC_WORKERS_APPLY_SLICE", "30")
    assert load_settings().apply_slice == timedelta(seconds=30)


@pytest.mark.parametrize(
    ("text", "said"), [("soon", "is no interval"), ("0s", "too short"), ("4m", "at most 3m")]
)
def test_a_slice_is_an_interval_within_the_limits_of_a_phase(
    monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    monkeypatch.setenv("SYNC_WORKERS_APPLY_SLICE", text)
    with pytest.raises(SettingsError, match=f"SYNC_WORKERS_APPLY_SLICE .*{said}"):
        load_settings()


@pytest.mark.parametrize(("name", "least"), [("LEASE", "5s"), ("REDELIVERY", "10s")])
def test_a_wait_has_a_least(monkeypatch: pytest.MonkeyPatch, name: str, least: str) -> None:
    monkeypatch.setenv(f"SYNC_WORKERS_{name}", "4")
    with pytest.raises(SettingsError, match=f"SYNC_WORKERS_{name} should be at least {least}"):
        load_settings()


def test_a_short_redelivery_shortens_the_slice_that_nobody_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNC_WORKERS_REDELIVERY", "30s")
    assert load_settings().slice == timedelta(seconds=18)

    monkeypatch.setenv("SYNC_WORKERS_APPLY_SLICE", "60s")
    with pytest.raises(SettingsError, match="SYNC_WORKERS_APPLY_SLICE should be at most 18s"):
        load_settings()


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNC_WORKERS_CONFIG", "")

    assert load_settings().config == Path("sync.toml")


def test_unknown_variables_are_told_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNC_WORKERS_REDIS_ULR", "redis://x")
    monkeypatch.setenv("SYNC_WORKERS_CONFG", "x")

    with pytest.raises(SettingsError) as raised:
        load_settings()

    assert raised.value.problems == (
        "the environment variable SYNC_WORKERS_CONFG is no setting; did you mean 'SYNC_WORKERS_CONFIG'?",
        "the environment variable SYNC_WORKERS_REDIS_ULR is no setting" + MEANT,
    )


def test_variables_of_others_are_left_alone() -> None:
    assert unknown_variables({"SYNC_WORKER": "1", "MY_SYNC_WORKERS_X": "1", "sync_workers_config": "x"}) == []


def test_wrong_values_are_told_all_at_once_and_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNC_WORKERS_REDIS_URL", "password@localhost")
    monkeypatch.setenv("SYNC_WORKERS_LOG_LEVEL", "loud")
    monkeypatch.setenv("SYNC_WORKERS_X", "1")

    with pytest.raises(SettingsError) as raised:
        load_settings()

    unknown, url, level = raised.value.problems
    assert "SYNC_WORKERS_X is no setting" in unknown
    assert (
        url
        == "the environment variable SYNC_WORKERS_REDIS_URL should be a URL such as redis://localhost:6379/0"
    )
    assert level.startswith("the environment variable SYNC_WORKERS_LOG_LEVEL should be 'debug', 'info'")
    assert "password" not in str(raised.value)


def test_settings_do_not_show_urls_and_do_not_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNC_WORKERS_REDIS_URL", "redis://:hunter2@there")

    settings = load_settings()

    assert "hunter2" not in repr(settings)
    with pytest.raises(ValidationError):
        settings.config = Path("x")  # type: ignore[misc]
