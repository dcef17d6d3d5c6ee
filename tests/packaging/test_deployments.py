"""Compose and Kubernetes files: valid, closed to the outside, and true to what the programs do."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from streamwatch.adapters.settings.environment import unknown_variables
from streamwatch.adapters.settings.loading import load_settings
from streamwatch.adapters.settings.tap_files import load_tap_files
from streamwatch.cli.main import streamwatch

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = [name for name, one in SERVICES.items() if "streamwatch" in one["image"]]
KUBERNETES = ROOT / "deploy" / "kubernetes"
MANIFESTS = sorted(
    file
    for file in KUBERNETES.glob("base/*.yaml")
    if file.name not in {"kustomization.yaml", "streamwatch.yaml", "tap.yaml"}
)
ENDPOINTS = {"/-/healthy", "/-/ready", "/metrics"}


def documents() -> list[dict[str, Any]]:
    return [one for file in MANIFESTS for one in yaml.safe_load_all(file.read_text("utf-8"))]


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for one in documents():
        if "template" in one.get("spec", {}):
            yield one["metadata"]["name"], one["spec"]["template"]["spec"]


def containers() -> list[dict[str, Any]]:
    found = [pod.get("initContainers", []) + pod["containers"] for _, pod in pods()]
    return [container for group in found for container in group]


def refused(arguments: list[str]) -> str:
    """What is wrong with a command line of streamwatch; nothing is run."""
    command: click.Command = streamwatch
    context = click.Context(command)
    rest = list(arguments)
    while isinstance(command, click.Group) and rest:
        found = command.get_command(context, rest.pop(0))
        if found is None:
            return f"no such command in {arguments}"
        command, context = found, click.Context(found)
    try:
        command.make_parser(context).parse_args(args=rest)
    except click.UsageError as error:
        return error.format_message()
    return ""


# Compose


def test_the_compose_file_is_one(tools: Path) -> None:
    # Merge keys are resolved already, and variables take their defaults.
    plain = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", json.dumps(COMPOSE))
    assert "${" not in plain, "a variable without a default"
    check = "import sys, compose_spec; compose_spec.PyCompose.from_yaml(sys.stdin.read())"
    command = [str(tools / "python"), "-c", check]
    done = subprocess.run(command, input=plain, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_stack_is_complete() -> None:
    assert {"kafka", "postgres", "worker", "web", "prometheus", "alertmanager", "grafana"} <= {
        name for name, one in SERVICES.items() if "profiles" not in one
    }
    assert SERVICES["shops"]["profiles"] == ["shops"]


def test_every_port_is_bound_to_this_machine() -> None:
    ports = [port for one in SERVICES.values() for port in one.get("ports", [])]
    assert len(ports) >= 7
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_everything_that_is_mounted_is_there() -> None:
    mounts = [mount.split(":")[0] for one in SERVICES.values() for mount in one.get("volumes", [])]
    files = [ROOT / mount for mount in mounts if mount.startswith(".")]
    assert [str(file) for file in files if not file.exists()] == []
    named = {mount for mount in mounts if not mount.startswith(".")}
    assert named == set(COMPOSE["volumes"])


@pytest.mark.parametrize("name", OURS)
def test_our_containers_run_without_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert unknown_variables(service["environment"]) == []


def test_every_command_of_our_containers_exists() -> None:
    lines = [SERVICES[name]["command"] for name in ("worker", "web")]
    for name in ("setup", "shops"):
        script = SERVICES[name]["command"][0].replace("\\\n", " ")
        lines += [line.split()[1:] for line in script.splitlines() if line.strip()]
    assert len(lines) == 6
    assert [problem for line in lines if (problem := refused(line))] == []


def test_the_settings_of_the_stack_are_right() -> None:
    settings = load_settings(ROOT / "deploy" / "compose" / "streamwatch.yaml", {})
    assert settings.kafka.bootstrap == "kafka:19092"
    assert "kafka:19092" in SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert settings.alerting.targets == ("worker:9464",)


def test_prometheus_takes_the_files_of_the_stack(tmp_path: Path) -> None:
    shutil.copy(ROOT / "deploy" / "compose" / "prometheus.yml", tmp_path)
    shutil.copy(ROOT / "deploy" / "prometheus" / "streamwatch.rules.yml", tmp_path)
    check = ["promtool", "check", "config", str(tmp_path / "prometheus.yml")]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# Kubernetes


def test_the_manifests_are_valid(tools: Path) -> None:
    check = [str(tools / "kubernetes-validate"), "--strict", *map(str, MANIFESTS)]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    assert told.count("passed for resource") == len(documents())


def test_all_that_is_named_is_there() -> None:
    for file in KUBERNETES.glob("*/kustomization.yaml"):
        given = yaml.safe_load(file.read_text("utf-8"))
        named = [*given.get("resources", []), *given.get("components", [])]
        for generator in given.get("configMapGenerator", []):
            named += [entry.rpartition("=")[2] for entry in generator["files"]]
        assert [one for one in named if not (file.parent / one).exists()] == []


def test_everything_that_runs_and_guards_is_there() -> None:
    kinds = sorted(f"{one['kind']} {one['metadata']['name']}" for one in documents())
    assert kinds == [
        "Deployment streamwatch-web",
        "Job streamwatch-migrations",
        "NetworkPolicy streamwatch-migrations",
        "NetworkPolicy streamwatch-web",
        "NetworkPolicy streamwatch-worker",
        "PodDisruptionBudget streamwatch-web",
        "PodDisruptionBudget streamwatch-worker",
        "Service streamwatch-web",
        "Service streamwatch-worker",
        "ServiceAccount streamwatch",
        "StatefulSet streamwatch-worker",
    ]


def test_every_container_runs_without_rights_and_within_limits() -> None:
    for _, pod in pods():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
    for container in containers():
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert container["resources"]["requests"].keys() >= {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]


def test_every_container_calls_a_command_that_exists() -> None:
    lines = [container["args"] for container in containers()]
    assert sorted(line[0] for line in lines) == ["db", "topics", "web", "worker"]
    assert [problem for line in lines if (problem := refused(line))] == []
    variables = {entry["name"]: "" for one in containers() for entry in one["env"]}
    assert unknown_variables(variables) == []


def test_the_probes_ask_for_what_is_served() -> None:
    probes = [
        probe["httpGet"]
        for container in containers()
        for kind, probe in container.items()
        if kind.endswith("Probe") and "httpGet" in probe
    ]
    assert {probe["path"] for probe in probes} <= ENDPOINTS
    named = {port["name"] for container in containers() for port in container.get("ports", [])}
    assert {probe["port"] for probe in probes} <= named


@pytest.mark.parametrize("folder", ["base", "example"])
def test_the_settings_of_the_cluster_are_right(folder: str) -> None:
    settings = load_settings(KUBERNETES / folder / "streamwatch.yaml", {})
    mounted = {mount["mountPath"] for one in containers() for mount in one["volumeMounts"]}
    assert settings.taps in mounted
    assert settings.metrics_host == settings.web.host == "0.0.0.0"  # noqa: S104  as asserted


def test_the_tap_of_the_cluster_is_right(tmp_path: Path) -> None:
    shutil.copy(KUBERNETES / "base" / "tap.yaml", tmp_path / "widget-units.yaml")
    settings = load_settings(KUBERNETES / "base" / "streamwatch.yaml", {})
    assert [one.tap.name for one in load_tap_files(tmp_path, settings)] == ["widget-units"]


def test_the_generated_files_are_those_of_the_code(tmp_path: Path) -> None:
    script = [sys.executable, str(ROOT / "dev" / "deployments.py"), str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    subprocess.run(script, check=True, env=environment)
    made = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(made) == 3
    stale = [
        str(file.relative_to(tmp_path))
        for file in made
        if file.read_text() != (ROOT / "deploy" / file.relative_to(tmp_path)).read_text()
    ]
    assert stale == [], "run: make generated"


def test_the_rules_of_the_cluster_are_found_by_the_job_that_they_ask_for() -> None:
    monitor = yaml.safe_load((KUBERNETES / "monitoring" / "servicemonitor.yaml").read_text("utf-8"))
    rules = (KUBERNETES / "monitoring" / "prometheusrule.yaml").read_text("utf-8")
    label = monitor["spec"]["jobLabel"]
    base = yaml.safe_load((KUBERNETES / "base" / "kustomization.yaml").read_text("utf-8"))
    given = {key: value for one in base["labels"] for key, value in one["pairs"].items()}
    assert set(re.findall(r'job="(\w+)"', rules)) <= {given[label]}
