from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pytest

from sync_workers.errors import SettingsError
from sync_workers.settings import LONGEST_SLICE, Settings
from sync_workers.worker.process import LONGEST_WAIT
from sync_workers.worker.queues import PHASES
from sync_workers.worker.settings import (
    HARD_LIMIT,
    SOFT_LIMIT,
    celery_settings,
    celery_url,
)


def test_a_phase_ends_before_its_message_is_delivered_again() -> None:
    assert LONGEST_WAIT < LONGEST_SLICE < SOFT_LIMIT < HARD_LIMIT < 1
    for settings in (Settings(), Settings(redelivery=timedelta(seconds=10), lease=timedelta(seconds=5))):
        assert settings.slice <= settings.redelivery * LONGEST_SLICE
        assert settings.patience < settings.lease < settings.redelivery < settings.queued


def test_nothing_but_json_is_spoken() -> None:
    settings = celery_settings(Settings(redis_url="redis://localhost/1"))
    assert settings["accept_content"] == ["json"]
    assert {settings[f"{what}_serializer"] for what in ("task", "result", "event")} == {"json"}


def test_each_phase_has_a_queue_of_its_own() -> None:
    settings = celery_settings(Settings(redis_url="redis://localhost/1"))
    plain_and_urgent = [name for phase in PHASES for name in (phase, f"{phase}.urgent")]
    assert [queue.name for queue in settings["task_queues"]] == plain_and_urgent
    routes = {name: route["queue"] for name, route in settings["task_routes"].items()}
    assert routes == {phase: phase for phase in PHASES} | {"sync.enqueue": "sync.get.urgent"}


def test_the_broker_may_be_another_redis_than_the_one_of_the_state() -> None:
    settings = celery_settings(Settings(redis_url="redis+cluster://a:1", broker_url="redis://b:2/3"))
    assert settings["broker_url"] == settings["result_backend"] == "redis://b:2/3"


def test_a_cluster_as_broker_is_refused_with_the_remedy() -> None:
    with pytest.raises(SettingsError, match="SYNC_WORKERS_BROKER_URL"):
        celery_settings(Settings(redis_url="redis+cluster://a:1"))


@pytest.mark.parametrize(
    ("ours", "celerys", "options"),
    [
        ("redis://u:p@a:1/2", "redis://u:p@a:1/2", {}),
        ("rediss://a:1/2", "rediss://a:1/2?ssl_cert_reqs=required", {}),
        ("rediss://a:1/2?ssl_ca_certs=x", "rediss://a:1/2?ssl_ca_certs=x&ssl_cert_reqs=required", {}),
        ("rediss://a:1/2?ssl_cert_reqs=none", "rediss://a:1/2?ssl_cert_reqs=none", {}),
        ("unix:///run/redis.sock?db=2", "redis+socket:///run/redis.sock?db=2", {}),
        (
            "sentinel://:p@a:1,b:2/3?master=tasks",
            "sentinel://:p@a:1/3;sentinel://:p@b:2/3",
            {"master_name": "tasks"},
        ),
        ("sentinel://a:1", "sentinel://a:1/0", {"master_name": "mymaster"}),
    ],
)
def test_our_urls_are_said_in_celerys_words(ours: str, celerys: str, options: dict[str, str]) -> None:
    assert celery_url(ours) == (celerys, options)


def test_importing_the_app_reads_no_settings_and_connects_to_nothing() -> None:
    program = "import sync_workers.worker.app, sync_workers.worker.tasks, beat_schedule.app"
    ended = subprocess.run(
        [sys.executable, "-c", program],
        env={"SYNC_WORKERS_REDIS_URL": "nonsense", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
