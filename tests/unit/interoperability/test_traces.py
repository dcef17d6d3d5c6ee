"""OpenTelemetry: a producer's trace goes through the steps, and out with their messages."""

import json
from collections.abc import Iterator
from datetime import UTC
from typing import Any

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind
from tests.receiver import receiver

from streamwatch.adapters.interoperability import interoperable
from streamwatch.adapters.tracing.traced import MOST_LINKS, TracedStep
from streamwatch.adapters.tracing.tracer import make_provider, tracer_of
from streamwatch.domain.interoperability_settings import TracingSettings
from streamwatch.domain.records import FileRecord, Record, Slice
from streamwatch.domain.settings import JudgingSettings, Settings
from streamwatch.runner.memory import MemoryStore
from streamwatch.steps.count import CountStep
from streamwatch.steps.judge import JudgeStep
from streamwatch.steps.sources import compile_sources

NOW_MS = 1_772_366_400_000
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


def traceparent(number: int) -> str:
    return f"00-{number:032x}-{number:016x}-01"


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracer(spans: InMemorySpanExporter) -> Iterator[Any]:
    provider = make_provider(TracingSettings(endpoint="http://127.0.0.1:9"), spans)
    yield tracer_of(provider)
    provider.shutdown()


def flushed(tracer: Any, spans: InMemorySpanExporter) -> list[Any]:
    tracer.span_processor.force_flush()
    return list(spans.get_finished_spans())


def record(offset: int, parent: str | None, value: bytes | None = None) -> Record:
    body = {"event_id": f"e-{offset}", "shop": "s", "time": NOW_MS, "height": 170}
    headers = () if parent is None else (("traceparent", parent.encode()),)
    return FileRecord(offset, value or json.dumps(body).encode(), NOW_MS, b"k", headers)


def counting(tracer: Any) -> Any:
    source = compile_sources(Settings(), (), lambda _: UTC, b"k" * 32)["widget-event"]
    return TracedStep(CountStep(source, 0), tracer)


def test_a_producers_trace_goes_on_through_count_and_judge(
    tracer: Any, spans: InMemorySpanExporter
) -> None:
    count: Any = counting(tracer)
    state = count.restore({})
    count.process(state, Slice("widget-event", 0, [record(0, PARENT)]), NOW_MS)
    settled = count.settle(state, 1, 0, NOW_MS)
    (message,) = settled.messages
    carried = dict(message.headers)["traceparent"].decode()
    assert carried.split("-")[1] == TRACE

    judge: Any = TracedStep(JudgeStep(JudgingSettings(), lambda _: UTC), tracer)
    readings = [FileRecord(0, message.value, NOW_MS, message.key, message.headers)]
    judge.process(judge.restore({}), Slice("streamwatch.readings", 0, readings), NOW_MS)

    processed, settling, judged = flushed(tracer, spans)
    assert {f"{span.context.trace_id:032x}" for span in (processed, settling, judged)} == {TRACE}
    assert (processed.name, processed.kind) == ("count widget-event", SpanKind.CONSUMER)
    assert (settling.name, settling.kind) == ("count settle", SpanKind.PRODUCER)
    assert settling.parent.span_id == processed.context.span_id
    assert judged.parent.span_id == settling.context.span_id
    assert processed.attributes["streamwatch.aggregated"] == 1
    assert processed.attributes["messaging.destination.name"] == "widget-event"


def test_a_slice_of_many_traces_is_linked_to_the_others(
    tracer: Any, spans: InMemorySpanExporter
) -> None:
    count: Any = counting(tracer)
    parents = [traceparent(number) for number in range(1, 100)]
    records = [record(place, parent) for place, parent in enumerate([*parents, None, "junk"])]
    count.process(count.restore({}), Slice("widget-event", 0, records), NOW_MS)
    (span,) = flushed(tracer, spans)
    assert f"{span.context.trace_id:032x}" in parents[-1]
    assert 0 < len(span.links) < MOST_LINKS
    assert f"{span.links[-1].context.trace_id:032x}" in parents[-2]


def test_a_dead_letter_belongs_to_the_trace_of_its_record(tracer: Any) -> None:
    count: Any = counting(tracer)
    records = [record(0, PARENT, b"junk"), record(1, None, b"junk")]
    outcome = count.process(count.restore({}), Slice("widget-event", 0, records), NOW_MS)
    first, second = (dict(message.headers) for message in outcome.messages)
    assert first["traceparent"] == PARENT.encode()
    assert "traceparent" not in second


def test_spans_are_posted_to_the_configured_collector_at_the_end() -> None:
    with receiver(read=len) as to:
        settings = Settings(tracing=TracingSettings(endpoint=f"{to.url}/v1/traces"))
        with interoperable(settings, MemoryStore()) as (_, around):
            source = compile_sources(settings, (), lambda _: UTC, b"k" * 32)["widget-event"]
            step = around(CountStep(source, 0))
            step.process(step.restore({}), Slice("widget-event", 0, [record(0, None)]), NOW_MS)
    assert [post.path for post in to.posts if post.body] == ["/v1/traces"]


def test_nothing_is_put_around_a_step_unless_it_is_asked_for() -> None:
    store = MemoryStore()
    source = compile_sources(Settings(), (), lambda _: UTC, b"k" * 32)["widget-event"]
    step = CountStep(source, 0)
    with interoperable(Settings(), store) as (told, around):
        assert around(step) is step
        assert told is store
