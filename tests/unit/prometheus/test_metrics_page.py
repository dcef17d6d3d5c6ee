import re
from pathlib import Path

from prometheus_client import CollectorRegistry

from streamwatch.adapters.prometheus.collector import MAX_SERIES, MIN_GROUP, Build, WorkerMetrics
from streamwatch.adapters.prometheus.partitions import PartitionStatus
from streamwatch.domain.accounting import Accounting
from streamwatch.domain.gauges import HELPS
from streamwatch.domain.records import PartitionId

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"


def _names() -> set[str]:
    registry = CollectorRegistry()
    metrics = WorkerMetrics(registry, Build("1", "3", "0"))
    place = PartitionId("count", "purchase", 0)
    metrics.observed([PartitionStatus(place, 0, 0, 0, Accounting(), 1, 0)])
    names = set(HELPS)
    for family in registry.collect():
        assert family.documentation.endswith("."), family.name
        ends = {"counter": "_total", "info": "_info"}
        names.add(family.name + ends.get(family.type, ""))
    return names


def test_the_page_names_every_metric_and_no_other() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert set(re.findall(r"`(streamwatch_[a-z_]+)`", text)) == _names()


def test_the_page_tells_the_limits_as_they_are() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert f"at most {MAX_SERIES:,} series" in text
    assert f"fewer than {MIN_GROUP} records" in text
