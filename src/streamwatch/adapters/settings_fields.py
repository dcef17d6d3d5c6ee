"""What each field of the configuration means, and which values it may have.

The reader takes the bounds from here, the JSON Schema bounds and texts.
"""

from typing import Literal

import msgspec

from streamwatch.domain.settings import (
    FieldMapping,
    Filter,
    FlushSettings,
    JudgingSettings,
    KafkaSettings,
    Rule,
    Settings,
    ShopSettings,
    SourceSettings,
)
from streamwatch.taps.inline_tests import TapTest

Form = Literal["plain", "duration", "share"]
DAY = 86_400_000


class TapFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tap file as it is written."""

    event: Literal["widget-event", "purchase", "return"]
    after: tuple[str, ...]
    columns: tuple[str, ...] = ()
    filter: Filter = Filter()
    sample: float = 1.0
    retention: int = 30 * DAY
    tests: tuple[TapTest, ...] = ()


class Meaning(msgspec.Struct, frozen=True):
    """What a field means; ``low`` and ``high`` bound its numbers, in its own unit."""

    text: str
    form: Form = "plain"
    low: float | None = None
    high: float | None = None


def _duration(text: str, low: int, high: int) -> Meaning:
    return Meaning(text, "duration", low, high)


MEANINGS: dict[type[msgspec.Struct], dict[str, Meaning]] = {
    Settings: {
        "database": Meaning("SQLAlchemy address of the database: sqlite or postgresql"),
        "kafka": Meaning("the broker"),
        "sources": Meaning("the input topics; without any, the three default ones"),
        "rules": Meaning("what a valid record is"),
        "shops": Meaning("what is known of each shop; `default` serves all others"),
        "known_only": Meaning("refuse records of shops that are not listed"),
        "segments": Meaning("labels by which shops are cut, such as gender"),
        "currencies": Meaning("prices in any other currency are refused"),
        "judging": Meaning("how strict the judging is"),
        "flush": Meaning("when state, rows and fence are written: whichever comes first"),
        "horizon": _duration("records older than the shop's newest by more are refused",
                             3_600_000, 400 * DAY),
        "future": _duration("records dated later than their arrival by more are refused",
                            0, 30 * DAY),
        "metrics_host": Meaning("address on which /metrics is served"),
        "metrics_port": Meaning("port of /metrics; 0 for any free one", low=0, high=65_535),
        "taps": Meaning("folder of the tap configuration"),
    },
    KafkaSettings: {
        "bootstrap": Meaning("brokers as host:port, several joined by commas"),
        "group": Meaning("consumer group"),
        "partitions": Meaning("partitions of the readings topic", low=1, high=10_000),
        "prefix": Meaning("first part of the internal topics' names, such as staging"),
        "session_timeout": _duration("silence after which a worker is taken for dead",
                                     1_000, 1_800_000),
    },
    FlushSettings: {
        "interval": _duration("longest time between two flushes", 10, 600_000),
        "records": Meaning("most records between two flushes", low=1, high=10_000_000),
    },
    JudgingSettings: {
        "threshold": Meaning("standard deviations from which a reading is unusual",
                             low=1, high=100),
        "volume_effect": Meaning("a volume's least relative departure; 0.3 is 30 %",
                                 low=0, high=10),
        "mean_effect": Meaning("a mean's least relative departure; 0.01 is 1 %", low=0, high=10),
        "warmup_days": Meaning("daily readings before a baseline judges", low=1, high=3_650),
        "lateness": _duration("how long after its end a bucket is closed", 0, 30 * DAY),
        "hourly_from": Meaning("mean records an hour from which hours are judged too",
                               low=0, high=1e12),
    },
    SourceSettings: {
        "topic": Meaning("the Kafka topic"),
        "event": Meaning("the event type that it carries"),
        "types": Meaning("strict, or lenient to read numbers from text (CSV files need it)"),
        "fields": Meaning("field of the event → where it stands in the client's JSON"),
        "required": Meaning("fields that a record must have, besides event id, shop and time"),
    },
    FieldMapping: {
        "path": Meaning("the client's key, or keys joined by dots for a nested object"),
        "constant": Meaning("the value for every record, instead of a path"),
        "unit": Meaning("the unit of every value: cm, mm, m, in, ft, ft+in, kg, g, lb or st"),
        "unit_path": Meaning("where the record's own unit stands"),
    },
    Rule: {
        "name": Meaning("the reason code of a violation"),
        "event": Meaning("the event type that it is about"),
        "field": Meaning("the field that it is about"),
        "range": Meaning("lowest and highest value, in cm, kg, years, pieces or the currency"),
        "required": Meaning("the field must be there"),
        "allowed": Meaning("the only allowed values"),
        "pattern": Meaning("a regular expression that the whole text must match"),
        "below": Meaning("another numeric field that the value must not exceed"),
        "when": Meaning("applies only to records whose fields have these values"),
        "action": Meaning("reject the record, or only mark it: count it and keep it"),
    },
    ShopSettings: {"timezone": Meaning("IANA name of the shop's time zone")},
    Filter: {
        "shops": Meaning("only these shops; without any, all"),
        "equals": Meaning("field → the value that it must have"),
        "ranges": Meaning("numeric field → lowest and highest value"),
    },
    TapFile: {
        "event": Meaning("the event type"),
        "after": Meaning("after which stages a copy is taken"),
        "columns": Meaning("which fields; without any, all that hold no identity"),
        "filter": Meaning("which records; all conditions must hold"),
        "sample": Meaning("share of the events, the same ones at every stage; 1% or 0.01",
                          "share", 1e-9, 1),
        "retention": _duration("how long rows are kept", 60_000, 3_650 * DAY),
        "tests": Meaning("events, and whether the filter takes them"),
    },
    TapTest: {
        "name": Meaning("what the test says"),
        "event": Meaning("fields of an event of the tap's type"),
        "taken": Meaning("whether the filter takes the event; the sample is left aside"),
        "columns": Meaning("values that the row must hold"),
    },
}  # fmt: skip
"""Struct → its fields → what they mean."""
