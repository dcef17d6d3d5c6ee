"""A step whose slices and settlings are spans, and whose messages carry the trace on.

A slice holds records of many traces. Its span is the child of the newest record's trace, and is
linked to the others. The messages of a settling carry its span's ``traceparent``, so that JUDGE
goes on with COUNT's trace, FLEET with JUDGE's, and whoever reads the incidents with FLEET's.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from streamwatch.adapters.extras import needed
from streamwatch.adapters.tracing.tracer import EXTRA
from streamwatch.domain.messages import Message
from streamwatch.domain.records import Record, Slice
from streamwatch.steps.step import Outcome, Settled

MOST_LINKS = 64
TRACEPARENT = "traceparent"


class TracedStep:
    """A step with spans around it; everything else is the step's own.

    Args:
        step: COUNT, JUDGE or FLEET.
        tracer: of OpenTelemetry.
    """

    def __init__(self, step: Any, tracer: Any) -> None:
        self._step = step
        self._tracer = tracer
        self._trace = needed("opentelemetry.trace", EXTRA)
        self._propagator = needed(
            "opentelemetry.trace.propagation.tracecontext", EXTRA
        ).TraceContextTextMapPropagator()
        self._last: Any = None

    def __getattr__(self, name: str) -> Any:
        """Whatever else the step has."""
        return getattr(self._step, name)

    def process(self, state: Any, slice_: Slice, now_ms: int) -> Outcome:
        """Take a slice in, within a span."""
        contexts = self._contexts(slice_.records)
        parent = contexts[-1] if contexts else None
        with self._tracer.start_as_current_span(
            f"{self._step.name} {slice_.topic}",
            context=parent,
            kind=self._trace.SpanKind.CONSUMER,
            links=[self._trace.Link(_span_of(self._trace, one)) for one in contexts[:-1]],
            attributes={
                "messaging.system": "kafka",
                "messaging.operation.type": "process",
                "messaging.destination.name": slice_.topic,
                "messaging.destination.partition.id": str(slice_.partition),
                "messaging.batch.message_count": len(slice_.records),
                "messaging.kafka.offset": slice_.records[0].offset,
            },
        ) as span:
            outcome: Outcome = self._step.process(state, slice_, now_ms)
            for name in ("aggregated", "rejected", "dead_lettered"):
                span.set_attribute(f"streamwatch.{name}", getattr(outcome, name))
            span.set_attribute("streamwatch.rows", len(outcome.rows))
            self._last = self._trace.set_span_in_context(span)
        return outcome

    def settle(self, state: Any, fence: int, epoch: int, now_ms: int) -> Settled:
        """What is to be written, within a span whose trace the messages carry on."""
        with self._tracer.start_as_current_span(
            f"{self._step.name} settle",
            context=self._last,
            kind=self._trace.SpanKind.PRODUCER,
            attributes={"streamwatch.fence": fence},
        ) as span:
            settled: Settled = self._step.settle(state, fence, epoch, now_ms)
            span.set_attribute("streamwatch.changes", len(settled.changes))
            span.set_attribute("messaging.batch.message_count", len(settled.messages))
            carrier: dict[str, str] = {}
            self._propagator.inject(carrier)
        self._last = None
        settled.messages = [_carrying(message, carrier) for message in settled.messages]
        return settled

    def _contexts(self, records: Iterable[Record]) -> list[Any]:
        """The distinct traces of a slice's records, the newest last."""
        found = {
            text: carrier
            for record in records
            if (carrier := carried(record)) is not None
            for text in [carrier[TRACEPARENT]]
        }
        newest = list(found.values())[-MOST_LINKS:]
        contexts = [self._propagator.extract(carrier) for carrier in newest]
        return [one for one in contexts if _span_of(self._trace, one).is_valid]


def carried(record: Record) -> dict[str, str] | None:
    """The trace that a record belongs to, as its headers say; ``None`` for none."""
    headers = {
        name.lower(): value.decode("ascii", "replace")
        for name, value in getattr(record, "headers", ())
        if value is not None and name.lower() in (TRACEPARENT, "tracestate")
    }
    return headers if TRACEPARENT in headers else None


def _carrying(message: Message, carrier: Mapping[str, str]) -> Message:
    headers = tuple((name, text.encode()) for name, text in carrier.items())
    return msgspec.structs.replace(message, headers=(*message.headers, *headers))


def _span_of(trace: Any, context: Any) -> Any:
    return trace.get_current_span(context).get_span_context()
