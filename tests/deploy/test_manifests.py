"""The manifests for Kubernetes and Docker Compose use existing settings, paths, ports, images and users."""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.http.application import make_app

from todo_api import __version__
from todo_api.adapters.memory.repository import InMemoryTaskRepository
from todo_api.cli.serve import GRACE
from todo_api.main import create_app
from todo_api.settings import Settings

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
DOCKERFILE = (ROOT / "Dockerfile").read_text()
GUIDE = (ROOT / "docs" / "kubernetes.md").read_text()
MANIFESTS = {
    one["kind"]: one
    for one in chain.from_iterable(yaml.safe_load_all(path.read_text()) for path in KUBERNETES.iterdir())
}
CONFIGURED: dict[str, str] = MANIFESTS["ConfigMap"]["data"]
PODS = {kind: MANIFESTS[kind]["spec"]["template"] for kind in ("Deployment", "Job")}
SERVER = PODS["Deployment"]["spec"]["containers"][0]
LABELS = PODS["Deployment"]["metadata"]["labels"]
PORTS = {port["name"]: port["containerPort"] for port in SERVER["ports"]}
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
CLUSTER: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "citus" / "docker-compose.yml").read_text())["services"]
RESTARTED = {"db", "api", "coordinator", "worker-1", "worker-2", "api-1", "api-2", "proxy"}


def in_image(pattern: str) -> str:
    match = re.search(pattern, DOCKERFILE)
    assert match
    return match[1]


def settings_of(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Settings(_env_file=None)


def known_settings() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        yield name.upper()
        yield from (str(choice) for choice in getattr(field.validation_alias, "choices", ()))


def test_the_settings_exist_and_are_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = dict(re.findall(r"--from-literal=(\w+)='?([^' ]+)", GUIDE))
    assert secret.keys() == {"DATABASE_URL"}
    assert {*CONFIGURED, *secret} <= set(known_settings())
    create_app(settings_of(CONFIGURED | secret, monkeypatch))


@pytest.mark.parametrize("kind", PODS)
def test_pods_run_as_the_user_of_the_image_without_privileges(kind: str) -> None:
    pod = PODS[kind]["spec"]
    [container] = pod["containers"]
    assert container["image"].rpartition(":")[2] == __version__
    assert str(pod["securityContext"]["runAsUser"]) == in_image(r"--uid (\d+)")
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["envFrom"] == [
        {"configMapRef": {"name": MANIFESTS["ConfigMap"]["metadata"]["name"]}},
        {"secretRef": {"name": re.findall(r"create secret generic (\S+)", GUIDE)[0]}},
    ]
    assert container["resources"].keys() == {"requests", "limits"}


def test_migration_and_server_use_the_same_image() -> None:
    assert PODS["Job"]["spec"]["containers"][0]["image"] == SERVER["image"]


def test_probes_use_existing_paths() -> None:
    paths = make_app(InMemoryTaskRepository()).openapi()["paths"]
    probes = {name: SERVER[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert {name: probe["path"] for name, probe in probes.items()} == {
        "startup": "/health/live",
        "liveness": "/health/live",
        "readiness": "/health/ready",
    }
    assert all(probe["path"] in paths and probe["port"] == "http" for probe in probes.values())


def test_ports_match_the_image_and_the_settings() -> None:
    assert {str(PORTS["http"])} == {in_image(r"EXPOSE (\d+)"), in_image(r"PORT=(\d+)")}
    annotations = PODS["Deployment"]["metadata"]["annotations"]
    assert annotations["prometheus.io/port"] == CONFIGURED["METRICS_PORT"] == str(PORTS["metrics"])
    assert [port["targetPort"] for port in MANIFESTS["Service"]["spec"]["ports"]] == ["http"]


def test_selectors_find_the_server_and_not_the_migration() -> None:
    [spread] = PODS["Deployment"]["spec"]["topologySpreadConstraints"]
    assert spread["labelSelector"] == {"matchLabels": LABELS}
    for kind in ("Deployment", "PodDisruptionBudget"):
        assert MANIFESTS[kind]["spec"]["selector"] == {"matchLabels": LABELS}
    assert MANIFESTS["Service"]["spec"]["selector"] == LABELS
    assert PODS["Job"]["metadata"]["labels"] != LABELS


def test_a_rollout_keeps_all_pods_and_lets_requests_finish() -> None:
    assert MANIFESTS["Deployment"]["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    pause = SERVER["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert PODS["Deployment"]["spec"]["terminationGracePeriodSeconds"] > pause + GRACE


def test_the_guide_applies_every_manifest_in_order() -> None:
    applied = re.findall(r"apply -f (?:deploy/kubernetes/)(\S+)", GUIDE)
    assert applied == ["settings.yaml", "migrate.yaml", "todo-api.yaml"]
    assert sorted(applied) == sorted(path.name for path in KUBERNETES.iterdir())


@pytest.mark.parametrize(
    ("name", "service"), [*SERVICES.items(), *(pytest.param(*each, id=f"citus-{each[0]}") for each in CLUSTER.items())]
)
def test_compose_bounds_every_service(name: str, service: dict[str, Any]) -> None:
    assert service["restart"] == ("unless-stopped" if name in RESTARTED else "no")
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_compose_holds_no_secret() -> None:
    values = {name: value for one in SERVICES.values() for name, value in one.get("environment", {}).items()}
    assert values.pop("POSTGRES_PASSWORD_FILE").startswith("/")
    assert values.pop("BETTER_AUTH_SECRET") == "${BETTER_AUTH_SECRET:-}"
    assert [name for name in values if "PASSWORD" in name or "SECRET" in name] == []
    assert ":" not in values["DATABASE_URL"].partition("://")[2]


@pytest.mark.parametrize("service", [SERVICES["api"], CLUSTER["api-1"]], ids=["one server", "citus"])
def test_compose_uses_existing_settings(service: dict[str, Any]) -> None:
    of_libpq = {"PGPASSFILE"}
    assert set(service["environment"]) - of_libpq <= set(known_settings())


def test_compose_of_the_cluster_adds_each_worker_and_publishes_only_the_proxy() -> None:
    added = re.findall(r"citus_add_node\('([\w-]+)'", " ".join(CLUSTER["nodes"]["command"]))
    assert added == [name for name in CLUSTER if name.startswith("worker-")]
    assert set(added) <= CLUSTER["nodes"]["depends_on"].keys()
    assert [name for name, service in CLUSTER.items() if "ports" in service] == ["proxy"]


def test_compose_waits_for_the_server_to_stop() -> None:
    for service in (SERVICES["api"], CLUSTER["api-1"]):
        assert int(service["stop_grace_period"].removesuffix("s")) > GRACE
    assert SERVICES["migrate"]["environment"] == SERVICES["api"]["environment"]
    assert in_image(r"--uid (\d+)") in SERVICES["password"]["command"][0]
