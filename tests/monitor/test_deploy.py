"""The alert rules and the dashboard in deploy/: by promtool, and against what the monitor really exports."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from sync_workers.cli import app
from sync_workers.monitor.collector import exposition
from sync_workers.monitor.serve import REDIS_UP
from sync_workers.monitor.view import Calls, View
from sync_workers.redis.budget import Usage
from sync_workers.redis.queues import Taken, Waiting
from sync_workers.redis.totals import Totals
from sync_workers.schedule import Schedule
from sync_workers.services.budget import Account

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES, RULES_TEST = DEPLOY / "prometheus" / "alerts.yml", DEPLOY / "prometheus" / "alerts_test.yml"
DASHBOARD = DEPLOY / "grafana" / "dashboard.json"
OF_PROMETHEUS = {"job", "instance", "pod", "namespace"}

NOW = datetime(2026, 11, 26, tzinfo=UTC)
VIEW = View(
    {
        "todo": Totals(
            {
                ("runs", "beat", "done"): 2,
                ("phases", "get"): 2,
                ("phase_seconds", "get"): 0.5,
                ("operations", "other", "create", "done"): 1,
                ("conflicts", "held"): 1,
                ("held", ""): 1,
                ("calls", "other"): 3,
                ("lease_waits", ""): 1,
                ("lease_wait_seconds", ""): 0.5,
            },
            {"dropped": 1},
            NOW, NOW, NOW, paused="person", now=NOW,
        )
    },
    {"todo": Schedule(every=timedelta(minutes=5))},
    {"sync.get": Waiting(2, timedelta(seconds=3))},
    {"sync.get": Taken(1, 0)},
    {"work": Calls(Account("kind:x", 180), Usage(20, 0))},
)  # fmt: skip
"""Something of everything, so that each metric has a sample with its labels."""


def promtool(*command: str, given: str | None = None) -> None:
    """Skips at home, fails in CI, where it is not installed."""
    if shutil.which("promtool") is None:
        why = "promtool is missing: apt-get install prometheus"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    ended = subprocess.run(
        ["promtool", *command], input=given, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def exported() -> dict[str, set[str]]:
    """The labels of each metric by its name, as a scrape has them."""
    families = text_string_to_metric_families(exposition(VIEW) + REDIS_UP.format(1))
    return {sample.name: set(sample.labels) for family in families for sample in family.samples}


def rules() -> dict[str, dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def test_the_rules_are_rules_and_do_what_their_tests_say() -> None:
    promtool("check", "rules", str(RULES))
    promtool("test", "rules", str(RULES_TEST))


def test_the_metrics_are_named_as_prometheus_wants_it() -> None:
    promtool("check", "metrics", given=exposition(VIEW) + REDIS_UP.format(1))


def test_every_rule_is_tested_when_it_begins_and_when_it_does_not() -> None:
    checks: dict[str, list[Any]] = {}
    for case in yaml.safe_load(RULES_TEST.read_text())["tests"]:
        for check in case["alert_rule_test"]:
            checks.setdefault(check["alertname"], []).append(check["exp_alerts"])

    assert checks.keys() == rules().keys()
    assert [name for name, expected in checks.items() if not any(expected) or all(expected)] == []


def test_the_docs_name_every_rule() -> None:
    page = (DEPLOY.parent / "docs" / "monitoring.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(Sync\w+)` \|", page, re.MULTILINE) == list(rules())


def test_every_rule_says_what_is_wrong_and_which_command_comes_next() -> None:
    commands = {command.name for command in app.registered_commands}
    for name, rule in rules().items():
        assert rule["annotations"].keys() == {"summary", "description", "command"}, name
        program, command = rule["annotations"]["command"].split()[:2]
        assert program == "redis-cli" or (program == "sync-workers" and command in commands), name
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}, name


def expressions() -> Iterator[tuple[str, str]]:
    """Each question to Prometheus, with what it is shown as."""
    for rule in rules().values():
        yield rule["expr"], ""
    dashboard = json.loads(DASHBOARD.read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"], target["legendFormat"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["definition"], ""


def test_rules_and_dashboard_ask_only_for_metrics_and_labels_that_are_there() -> None:
    known, labels = exported(), OF_PROMETHEUS.union(*exported().values())
    for expression, shown in expressions():
        assert set(re.findall(r"sync_workers_\w+", expression)) <= known.keys(), expression
        for metric, name in re.findall(r"(sync_workers_\w+)\{(\w+)=", expression):
            assert name in known[metric], expression
        grouped = ", ".join(re.findall(r"(?:by|without|on) \(([^)]*)\)", expression)).split(", ")
        assert {*grouped, *re.findall(r"\{\{(\w+)}}", shown)} - {""} <= labels, expression


def test_the_dashboard_shows_all_metrics_but_those_of_single_use() -> None:
    asked = {name for text, _ in expressions() for name in re.findall(r"sync_workers_\w+", text)}

    assert exported().keys() - asked == {
        f"sync_workers_{name}"
        for name in (
            "calls_total", "run_follows", "history_entries", "webhook_waiting", "calls_limit",
            "calls_in_window",
        )
    }  # fmt: skip


def test_the_dashboard_is_grafanas_and_its_expressions_are_those_of_prometheus(tmp_path: Path) -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    asking = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    assert all(panel["datasource"]["uid"] == "${datasource}" for panel in asking)
    spots = [
        (place["x"] + right, place["y"] + down)
        for place in (panel["gridPos"] for panel in dashboard["panels"])
        for right in range(place["w"])
        for down in range(place["h"])
    ]
    assert len(set(spots)) == len(spots), "panels lie on each other"
    assert max(x for x, _ in spots) < 24

    asked = [target["expr"].replace("$__rate_interval", "5m") for p in asking for target in p["targets"]]
    as_rules = [{"record": f"panel:{number}", "expr": text} for number, text in enumerate(asked)]
    (tmp_path / "panels.yml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": as_rules}]}))
    promtool("check", "rules", str(tmp_path / "panels.yml"))
