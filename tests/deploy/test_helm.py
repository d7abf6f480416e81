"""The Helm chart: rendered by Helm itself, and each manifest before Kubernetes' own schemas."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from sync_workers.settings import PREFIX
from tests.deploy.test_files import ROOT, SETTINGS, expect_command, says, tool

CHART = "deploy/helm/sync-workers"
KUBERNETES = ("1.27", "1.33")
CUSTOM = ("keda.sh/v1alpha1", "monitoring.coreos.com/v1")
"""Kinds that operators bring; their schemas are not at hand, so what they need is checked here by hand."""

APART = {
    "workers": {
        "all": None,
        **{
            phase: {
                "queues": [f"sync.{phase}"], "concurrency": 4,
                "autoscale": {"enabled": True, "min": 0, "max": 5, "signal": f"phases.{phase}.wanted"},
            }
            for phase in ("get", "diff", "apply")
        },
    }
}  # fmt: skip
ALL = {
    **APART,
    "web": {"enabled": True, "ingress": {"enabled": True, "host": "sync.example.org", "tlsSecret": "tls"}},
    "monitor": {"serviceMonitor": True, "rules": True},
    "image": {"repository": "registry.example.org/sync-workers", "digest": "sha256:" + "0" * 64},
    "networkPolicy": {
        "redis": {"to": [{"ipBlock": {"cidr": "10.0.0.7/32"}}], "port": 6380},
        "from": [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}],
        "services": {"ports": [443, 5432]},
    },
    "podAnnotations": {"a": "b"},
    "nodeSelector": {"kubernetes.io/arch": "amd64"},
}
VALUES: dict[str, dict[str, Any]] = {"as it is": {}, "phases apart": APART, "all": ALL}


def rendered(folder: Path, values: dict[str, Any]) -> list[dict[str, Any]]:
    path = folder / "values.yaml"
    path.write_text(json.dumps(values))
    made = subprocess.run(
        [tool("helm"), "template", "mine", CHART, "--namespace", "sync", "-f", str(path)],
        capture_output=True, text=True, timeout=60, check=True, cwd=ROOT,
    )  # fmt: skip
    return [found for found in yaml.safe_load_all(made.stdout) if found]


@pytest.fixture(params=VALUES)
def manifests(request: pytest.FixtureRequest, tmp_path: Path) -> list[dict[str, Any]]:
    return rendered(tmp_path, VALUES[request.param])


def of_kind(manifests: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in manifests if one["kind"] == kind}


def test_the_chart_has_no_flaw_that_helm_knows() -> None:
    code, told = says(tool("helm"), "lint", "--strict", CHART)
    assert code == 0, told


def test_every_manifest_is_valid_kubernetes(manifests: list[dict[str, Any]]) -> None:
    known = [one for one in manifests if one["apiVersion"] not in CUSTOM]
    assert len(known) > 8
    for one in known:
        for release in KUBERNETES:
            kubernetes_validate.validate(one, release, strict=True)


def test_a_manifest_with_a_mistake_is_found(tmp_path: Path) -> None:
    beat = of_kind(rendered(tmp_path, {}), "Deployment")["mine-beat"]
    beat["spec"]["template"]["spec"]["containers"][0]["readinessProb"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(beat, KUBERNETES[1], strict=True)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"wrokers": {}}, "wrokers"),
        ({"workers": {"all": {"queues": ["get"], "concurrency": 2}}}, "queues"),
        ({"existingSecret": ""}, "existingSecret"),
        ({"image": {"repository": "x", "digest": "sha256:short"}}, "digest"),
        ({"web": {"enabled": True, "ingress": {"enabled": True}}}, "which host name"),
    ],
)
def test_values_that_make_no_sense_are_refused(values: dict[str, Any], said: str, tmp_path: Path) -> None:
    path = tmp_path / "values.yaml"
    path.write_text(json.dumps(values))
    code, told = says(tool("helm"), "template", "mine", CHART, "-f", str(path))
    assert code != 0
    assert said in told


def test_every_pod_runs_a_command_of_ours_and_is_locked_in(manifests: list[dict[str, Any]]) -> None:
    deployments = of_kind(manifests, "Deployment")
    assert {"mine-beat", "mine-monitor", "mine-flower"} < set(deployments)
    for name, deployment in deployments.items():
        pod = deployment["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        expect_command(container["args"])
        assert "--no-restart" in container["args"], "Kubernetes restarts it"
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"livenessProbe", "readinessProbe", "startupProbe"} < container.keys(), name
        assert {one["name"] for one in container["env"] if one["name"].startswith(PREFIX)} <= SETTINGS
        grace = pod["terminationGracePeriodSeconds"]
        assert grace == (90 if "worker" in name else 30)


def test_secrets_are_references_and_stand_nowhere(manifests: list[dict[str, Any]]) -> None:
    assert of_kind(manifests, "Secret") == {}
    for deployment in of_kind(manifests, "Deployment").values():
        pod = deployment["spec"]["template"]["spec"]
        (volume,) = [one for one in pod["volumes"] if "secret" in one]
        assert {item["key"] for item in volume["secret"]["items"]} <= SETTINGS
        assert pod["containers"][0]["envFrom"] == [{"secretRef": {"name": "sync-workers-tokens"}}]


def test_every_component_of_several_pods_has_a_disruption_budget(manifests: list[dict[str, Any]]) -> None:
    budgets = of_kind(manifests, "PodDisruptionBudget")
    deployments = of_kind(manifests, "Deployment")
    several = {name for name, one in deployments.items() if one["spec"].get("replicas", 2) > 1}
    assert several <= set(budgets)
    for name, budget in budgets.items():
        labels = deployments[name]["spec"]["template"]["metadata"]["labels"]
        assert budget["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_what_kubernetes_has_no_schema_of_fits_what_it_is_about(tmp_path: Path) -> None:
    manifests = rendered(tmp_path, ALL)
    deployments = of_kind(manifests, "Deployment")
    scaled = of_kind(manifests, "ScaledObject")
    assert set(scaled) == {f"mine-worker-{phase}" for phase in ("get", "diff", "apply")}
    for name, one in scaled.items():
        assert one["spec"]["scaleTargetRef"] == {"name": name}
        assert "replicas" not in deployments[name]["spec"], "KEDA decides"
        (trigger,) = one["spec"]["triggers"]
        assert trigger["type"] == "metrics-api"
        assert trigger["metadata"]["url"] == "http://mine-monitor.sync:9464/scale"
        assert trigger["metadata"]["valueLocation"] == f"phases.{name.rpartition('-')[2]}.wanted"
        assert trigger["metadata"]["targetValue"] == "4", "slots of one worker"
    labels = of_kind(manifests, "Service")["mine-monitor"]["metadata"]["labels"]
    watched = of_kind(manifests, "ServiceMonitor")["mine-monitor"]["spec"]
    assert watched["selector"]["matchLabels"].items() <= labels.items()
    rules = of_kind(manifests, "PrometheusRule")["mine"]["spec"]
    assert rules == yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())
    policy = of_kind(manifests, "NetworkPolicy")["mine"]["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert {"port": 6380} in policy["egress"][1]["ports"]
