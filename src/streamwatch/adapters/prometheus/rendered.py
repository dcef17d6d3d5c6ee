"""A gauge whose lines are ready, and the text of a registry that holds such gauges."""

from collections.abc import Callable, Iterable, Sequence

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

Encoder = Callable[[Collector], bytes]
"""A renderer of `prometheus_client`: the Prometheus text format or OpenMetrics."""


class RenderedGauge(Metric):
    """A gauge as blocks of finished lines; its samples are read from them when asked for."""

    def __init__(self, name: str, documentation: str, blocks: Sequence[bytes]) -> None:
        super().__init__(name, documentation, "gauge")
        self.blocks = blocks

    @property
    def head(self) -> bytes:
        """The two lines before the samples."""
        return f"# HELP {self.name} {self.documentation}\n# TYPE {self.name} gauge\n".encode()

    @property
    def samples(self) -> list[Sample]:
        """The samples, for readers that do not take the text."""
        text = b"".join((self.head, *self.blocks)).decode()
        return [one for family in text_string_to_metric_families(text) for one in family.samples]

    @samples.setter
    def samples(self, samples: list[Sample]) -> None:
        """`Metric` begins with an empty list; nothing is ever added to it."""


class _Families:
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def render(registry: CollectorRegistry, encoder: Encoder) -> bytes:
    """All metrics of a registry; what is rendered already is taken as it is."""
    parts: list[bytes] = []
    others: list[Metric] = []
    for family in registry.collect():
        if isinstance(family, RenderedGauge):
            parts.append(family.head)
            parts += family.blocks
        else:
            others.append(family)
    # OpenMetrics ends with a mark of its own, so the library's part comes last.
    return b"".join((*parts, encoder(_Families(others))))
