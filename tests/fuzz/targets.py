"""What is fuzzed: bytes of a record, of a tap file and of a filter; each says what became of them.

Every function returns ``""`` for an input that is right, and the reason for one that is refused.
Whatever it raises is a finding.
"""

from collections.abc import Callable
from datetime import UTC
from pathlib import Path

from streamwatch.adapters.settings.tap_files import load_taps
from streamwatch.domain.events import PURCHASE, RETURN, WIDGET_EVENT
from streamwatch.domain.records import FileRecord, Slice
from streamwatch.domain.refusals import STAGES
from streamwatch.domain.rows import RejectRow
from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import FieldMapping, Rule, SourceSettings
from streamwatch.domain.tap_settings import Filter, TapSettings
from streamwatch.errors import ConfigurationError
from streamwatch.steps.count import CountStep
from streamwatch.steps.sources import compile_sources
from streamwatch.taps.expression import parse
from streamwatch.taps.filter import compile_filter, filter_fields
from streamwatch.taps.tokens import ExpressionError

Target = Callable[[bytes], str]

NOW = 1_788_256_800_000
SETTINGS = Settings(
    sources=(
        SourceSettings("widget-event", "widget-event"),
        SourceSettings(
            "purchase",
            "purchase",
            types="lenient",
            fields={
                "shop": FieldMapping(path="client.shop"),
                "price": FieldMapping(path="price.amount"),
            },
        ),
    ),
    rules=(
        Rule("height-range", "widget-event", "height", range=(50, 250)),
        Rule("known-category", "widget-event", "category", allowed=("shirt", "shoe")),
        Rule("code", "purchase", "product", pattern="[a-z0-9-]{1,40}"),
    ),
)


def make_record_target() -> Target:
    """The whole way of a record through COUNT: strict and lenient, with taps at every stage."""
    taps = (
        TapSettings("widgets", "widget-event", STAGES, sample=1),
        TapSettings("purchases", "purchase", STAGES, sample=1),
    )
    sources = compile_sources(SETTINGS, taps, lambda _: UTC, b"k" * 32)
    steps = [CountStep(sources[topic], 0) for topic in ("widget-event", "purchase")]

    def record(data: bytes) -> str:
        reasons = []
        for step in steps:
            state = step.restore({})
            records = [FileRecord(0, data or None, NOW, b"key")]
            outcome = step.process(state, Slice(step.source.topic, 0, records), NOW)
            assert outcome.aggregated + outcome.rejected + outcome.dead_lettered == 1
            rejects = [row for row in outcome.rows if isinstance(row, RejectRow)]
            assert len(rejects) == outcome.rejected + outcome.dead_lettered
            assert all(row.reason and row.stage in STAGES for row in rejects)
            step.settle(state, 1, 0, NOW)
            reasons += [f"{row.stage}:{row.reason}" for row in rejects]
        return reasons[0] if len(reasons) == len(steps) else ""

    return record


def make_tap_target(folder: Path) -> Target:
    """A tap file: read, checked, and its filter compiled."""
    file = folder / "fuzzed.yaml"

    def tap(data: bytes) -> str:
        file.write_bytes(data)
        try:
            load_taps(folder, SETTINGS)
        except ConfigurationError as error:
            text = str(error)
            assert text.startswith(str(file)), text
            return text.splitlines()[0].partition(": ")[2][:30]
        return ""

    return tap


def make_filter_target() -> Target:
    """A filter's expression: parsed, compiled and asked about an event."""
    event_types = (WIDGET_EVENT, PURCHASE, RETURN)
    fields = [filter_fields(one) for one in event_types]
    events = [one.event("e", "s") for one in event_types]

    def filtered(data: bytes) -> str:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return "not UTF-8"
        reason = ""
        for event_type, known, event in zip(event_types, fields, events, strict=True):
            try:
                parse(text, known)
            except ExpressionError as error:
                reason = str(error)[:30]
                assert reason
                continue
            condition = compile_filter(Filter(expression=text), event_type)
            assert condition(event) in (True, False)
        return reason

    return filtered
