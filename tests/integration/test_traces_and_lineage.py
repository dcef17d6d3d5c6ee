"""A worker with traces and lineage on real Kafka: a producer's trace reaches the last step."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.integration.stage import Stage, wait_for
from tests.integration.truth import simulated
from tests.receiver import receiver

TRACE = "0af7651916cd43dd8448eb211c80319c"


def spans_of(body: bytes) -> list[Any]:
    """The spans of a post."""
    request = ExportTraceServiceRequest.FromString(body)
    scopes = [scope for resource in request.resource_spans for scope in resource.scope_spans]
    return [span for scope in scopes for span in scope.spans]


@pytest.fixture
def stage(tmp_path: Path, kafka: str, topic_name: Callable[[str], str]) -> Iterator[Stage]:
    database = f"sqlite:///{tmp_path}/own.db"
    with Stage(tmp_path, topic_name("traces"), kafka, database).closing() as made:
        yield made


def test_a_trace_goes_through_all_steps_and_closed_days_become_lineage(
    kafka: str, stage: Stage, tmp_path: Path
) -> None:
    with receiver(read=spans_of) as to:
        variables = {
            "STREAMWATCH_TRACING_ENDPOINT": f"{to.url}/v1/traces",
            "STREAMWATCH_LINEAGE_TO": str(tmp_path / "lineage.jsonl"),
        }
        stage.send(simulated(shops=3, days=5, largest=200, bad_every=0))
        worker = stage.start_worker(variables)
        stage.wait_until_read()
        producer = KafkaProducer(bootstrap_servers=kafka)
        parent = f"00-{TRACE}-b7ad6b7169203331-01".encode()
        event = {"event_id": "x", "shop": "shop-001", "time": "2026-09-06T10:00:00Z"}
        producer.send(
            stage.topic("purchase"),
            json.dumps(event).encode(),
            headers=[("traceparent", parent)],
            timestamp_ms=1_788_696_000_000,
        ).get(30)
        producer.close()

        def names() -> set[str]:
            spans = [span for post in to.posts for span in post.body]
            return {one.name.partition(" ")[0] for one in spans if one.trace_id.hex() == TRACE}

        wait_for(lambda: {"count", "judge"} <= names(), "the trace has reached JUDGE")
        assert worker.terminate() == 0
    lines = (tmp_path / "lineage.jsonl").read_text(encoding="utf-8").splitlines()
    jobs = {json.loads(line)["job"]["name"] for line in lines}
    assert {"widget-event.decode", "widget-event.normalise", "widget-event.judge"} <= jobs
