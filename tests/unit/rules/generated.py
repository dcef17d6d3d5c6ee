"""The generated files, and what is in them; for the tests beside this."""

from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry

from streamwatch.adapters.prometheus.collector import Build, WorkerMetrics
from streamwatch.adapters.prometheus.partitions import PartitionStatus
from streamwatch.adapters.rule_files import Content
from streamwatch.domain.accounting import Accounting
from streamwatch.domain.alerting_settings import AlertingSettings
from streamwatch.domain.gauges import HELPS
from streamwatch.domain.records import PartitionId
from streamwatch.domain.settings import Settings
from streamwatch.rules.alertmanager import (
    CONFIGURATION,
    ROUTE_TESTS,
    alertmanager_configuration,
    route_tests,
)
from streamwatch.rules.grafana import grafana_files
from streamwatch.rules.prometheus import all_alerts, prometheus_files

ROOT = Path(__file__).parents[3]
RUNBOOKS = ROOT / "docs" / "runbooks"
NAMES = sorted({alert.name for alert in all_alerts(Settings())})
PARTS = ("What it means", "What to look at", "What to do", "How it can be wrong")
STRICT = Settings(
    alerting=AlertingSettings(
        targets=("one:9464", "two:9464"),
        pipeline_shops=7,
        pipeline_share=0.55,
        lag=0,
        runbooks="https://wiki.example/runbooks/",
        receivers={
            "page": "http://pager.example/a",
            "normalise": "http://team.example/b",
            "own-stage": "http://team.example/c",
        },
    )
)


def alertmanager_files(settings: Settings) -> dict[str, Content]:
    return {
        CONFIGURATION: alertmanager_configuration(settings),
        ROUTE_TESTS: route_tests(settings),
    }


def files_of(kind: str, settings: Settings) -> dict[str, Content]:
    if kind == "prometheus":
        return dict(prometheus_files(settings))
    return dict(grafana_files(settings)) if kind == "grafana" else alertmanager_files(settings)


def expressions(content: Content | object) -> Iterator[str]:
    """Every ``expr`` in a document, however deep."""
    if isinstance(content, dict):
        for key, value in content.items():
            if key == "expr":
                yield str(value)
            else:
                yield from expressions(value)
    elif isinstance(content, list):
        for value in content:
            yield from expressions(value)


def exported() -> set[str]:
    registry = CollectorRegistry()
    metrics = WorkerMetrics(registry, Build("1", "3", "0"))
    place = PartitionId("count", "purchase", 0)
    metrics.observed([PartitionStatus(place, 0, 0, 0, Accounting(), 1, 0)])
    names = set(HELPS)
    for family in registry.collect():
        ends = {"counter": ("_total",), "info": ("_info",), "histogram": ("_bucket", "_count")}
        names.update(family.name + end for end in ends.get(family.type, ("",)))
    return names
