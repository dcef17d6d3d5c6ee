"""A worker that was told nothing yet, and its registry."""

import pytest
from prometheus_client import CollectorRegistry

from streamwatch.adapters.prometheus.collector import Build, WorkerMetrics


@pytest.fixture(name="registry")
def _registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture(name="metrics")
def _metrics(registry: CollectorRegistry) -> WorkerMetrics:
    return WorkerMetrics(registry, Build("1.2.3", "3.11.9", "0.15.3"))
