"""A worker with traces and lineage on real Kafka: a producer's trace reaches the last step."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.integration.stage import Stage, wait_for
from tests.integration.truth import simulated

TRACE = "0af7651916cd43dd8448eb211c80319c"


@contextmanager
def collector() -> Iterator[tuple[str, list[Any]]]:
    spans: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = ExportTraceServiceRequest.FromString(body)
            for resource in request.resource_spans:
                for scope in resource.scope_spans:
                    spans.extend(scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/traces", spans
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def stage(tmp_path: Path, kafka: str, topic_name: Callable[[str], str]) -> Iterator[Stage]:
    database = f"sqlite:///{tmp_path}/own.db"
    with Stage(tmp_path, topic_name("traces"), kafka, database).closing() as made:
        yield made


def test_a_trace_goes_through_all_steps_and_closed_days_become_lineage(
    kafka: str, stage: Stage, tmp_path: Path
) -> None:
    with collector() as (endpoint, spans):
        variables = {
            "STREAMWATCH_TRACING_ENDPOINT": endpoint,
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
            ours = [span for span in spans if span.trace_id.hex() == TRACE]
            return {span.name.partition(" ")[0] for span in ours}

        wait_for(lambda: {"count", "judge"} <= names(), "the trace has reached JUDGE")
        assert worker.terminate() == 0
    lines = (tmp_path / "lineage.jsonl").read_text(encoding="utf-8").splitlines()
    jobs = {json.loads(line)["job"]["name"] for line in lines}
    assert {"widget-event.decode", "widget-event.normalise", "widget-event.judge"} <= jobs
