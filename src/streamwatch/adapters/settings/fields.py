"""What each field of the configuration means, and which values it may have.

The reader takes the bounds from here, the JSON Schema bounds and texts.
"""

from typing import Literal

import msgspec

from streamwatch.domain.alerting_settings import (
    AlertingSettings,
    AlertmanagerSettings,
    WebhookSettings,
    WebSettings,
)
from streamwatch.domain.interoperability_settings import LineageSettings, TracingSettings
from streamwatch.domain.settings import (
    CalendarDay,
    FlushSettings,
    JudgingSettings,
    KafkaSettings,
    RecorderSettings,
    Settings,
)
from streamwatch.domain.source_settings import (
    FieldMapping,
    Rule,
    ShopSettings,
    SourceSettings,
    StageSettings,
    StageTopicSettings,
)
from streamwatch.domain.tap_settings import ColumnShape, Filter
from streamwatch.taps.inline_tests import TapTest

Form = Literal["plain", "duration", "share", "size"]
DAY = 86_400_000


class TapColumn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column as a tap file names it: alone, or with how it is written."""

    name: str
    shape: ColumnShape = ColumnShape()


class TapFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tap file as it is written."""

    event: Literal["widget-event", "purchase", "return"]
    after: tuple[str, ...]
    columns: tuple[TapColumn, ...] = ()
    filter: Filter = Filter()
    sample: float = 1.0
    rate: int | None = None
    budget: int | None = None
    retention: int = 30 * DAY
    max_rows: int | None = None
    max_bytes: int | None = None
    on_slow: Literal["shed", "hold"] = "shed"
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
        "stuck_after": _duration("a step or a call of the database that lasts longer hangs: "
                                 "/-/healthy says so", 1_000, 3_600_000),
        "metrics_host": Meaning("address on which /metrics is served"),
        "metrics_port": Meaning("port of /metrics; 0 for any free one", low=0, high=65_535),
        "taps": Meaning("folder of the tap configuration"),
        "stages": Meaning("stages of your own, between the built-in ones"),
        "stage_topics": Meaning("stages that live in other services: the topics they write to"),
        "recorder": Meaning("the flight recorder"),
        "alerting": Meaning("what `streamwatch rules` makes its files with"),
        "webhook": Meaning("where incidents are posted"),
        "web": Meaning("where the pages are served, and to whom"),
        "alertmanager": Meaning("where alerts go, and acknowledged incidents are silenced"),
        "tracing": Meaning("OpenTelemetry traces of the worker"),
        "lineage": Meaning("OpenLineage events about the stages"),
    },
    AlertingSettings: {
        "targets": Meaning("the workers as host:port; without any, metrics_host and metrics_port"),
        "grafana": Meaning("Grafana's address, for links to dashboards"),
        "prometheus": Meaning("Prometheus's address, for Grafana"),
        "pages": Meaning("where `streamwatch web` is reached, for links to incidents"),
        "runbooks": Meaning("where the runbooks are served"),
        "pipeline_shops": Meaning("shops that depart alike, from which it is the pipeline",
                                  low=2, high=1_000_000),
        "pipeline_share": Meaning("share of all shops that must depart alike as well",
                                  "share", 1e-6, 1),
        "lag": Meaning("records behind that alert when they do not become fewer",
                       low=0, high=1e12),
        "receivers": Meaning("page, ticket, client, platform-page, platform-ticket, watchdog or "
                             "the name of a stage → the webhook that Alertmanager calls"),
    },
    StageSettings: {
        "name": Meaning("the stage's name in tables and metrics"),
        "step": Meaning("module:function that takes an event and its time"),
        "after": Meaning("a built-in stage but the last, or another own one"),
        "events": Meaning("only for these event types; without any, all"),
    },
    StageTopicSettings: {
        "name": Meaning("the stage's name in tables and metrics"),
        "topic": Meaning("the Kafka topic"),
        "event": Meaning("the event type whose fields its records hold"),
        "after": Meaning("the stage that it follows"),
        "types": Meaning("strict, or lenient to read numbers from text"),
        "fields": Meaning("field of the event → where it stands in the record"),
        "format": Meaning("how records are written: json, avro, json-schema, protobuf or "
                          "cloudevents"),
        "schema": Meaning("a schema file, for records that name none of a registry"),
        "message": Meaning("of a Protobuf schema file, the message's full name"),
    },
    RecorderSettings: {
        "every": _duration("of each shop one record in this time is kept", 0, 30 * DAY),
        "memory": Meaning("bytes that the recorded records may take", "size", 0, 10**12),
    },
    WebhookSettings: {
        "url": Meaning("http or https address; without one, nothing is posted"),
        "timeout": _duration("how long one post may take", 100, 300_000),
    },
    WebSettings: {
        "host": Meaning("address on which `streamwatch web` listens"),
        "port": Meaning("its port; 0 for any free one", low=0, high=65_535),
        "hosts": Meaning("names under which browsers reach it, such as streamwatch.example"),
        "user_header": Meaning("header in which a reverse proxy names the user"),
        "proxies": Meaning("addresses of the proxies; the header is believed from these only"),
        "writers": Meaning("users that may acknowledge"),
    },
    AlertmanagerSettings: {
        "url": Meaning("Alertmanager's http or https address; without one, nothing is silenced"),
        "silence": _duration("how long a silence lasts unless `streamwatch web` renews it",
                             600_000, 30 * DAY),
    },
    TracingSettings: {
        "endpoint": Meaning("http or https address that takes OTLP traces; without one, none"),
        "sample": Meaning("share of the traces that are kept", "share", 0, 1),
    },
    LineageSettings: {
        "to": Meaning("http or https address, or a file; without one, none"),
        "namespace": Meaning("of the jobs and the stages' datasets"),
    },
    KafkaSettings: {
        "bootstrap": Meaning("brokers as host:port, several joined by commas"),
        "group": Meaning("consumer group"),
        "partitions": Meaning("partitions of the readings topic", low=1, high=10_000),
        "prefix": Meaning("first part of the internal topics' names, such as staging"),
        "session_timeout": _duration("silence after which a worker is taken for dead",
                                     1_000, 1_800_000),
        "tls": Meaning("encrypt the connection and check the broker's certificate"),
        "ca_file": Meaning("certificates that are trusted; without it, the system's"),
        "certificate_file": Meaning("our own certificate, where the broker asks for one"),
        "key_file": Meaning("the key of our own certificate"),
        "sasl": Meaning("how we log in: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; without it, not"),
        "user": Meaning("who logs in"),
        "password_file": Meaning("the file that holds the password and nothing else"),
        "schema_registry": Meaning("http or https address of a schema registry, if any"),
    },
    FlushSettings: {
        "interval": _duration("time between two flushes", 10, 600_000),
        "longest": _duration("time between flushes that write much for few records",
                             10, 600_000),
        "records": Meaning("most records between two flushes", low=1, high=10_000_000),
        "slow": _duration("how long a flush may take before taps shed rows", 10, 600_000),
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
        "share_effect": Meaning("least departure of a missing, reject or mark rate or of a "
                                "ratio; 0.02 is two points of a hundred", low=0, high=1),
        "mix_effect": Meaning("least population stability index of a mix beyond chance",
                              low=0, high=100),
        "pages_per_week": Meaning("false incidents a week that the whole fleet may make",
                                  low=0.001, high=1e6),
        "calendar": Meaning("days known beforehand to be unlike others"),
    },
    CalendarDay: {
        "date": Meaning("the day, as in 2026-12-25, in the shop's own zone"),
        "name": Meaning("what it is"),
        "effect": Meaning("holiday: far fewer records; sale: far more; any: either"),
        "until": Meaning("the last day, where it is more than one"),
        "shops": Meaning("only these shops; without any, all"),
    },
    SourceSettings: {
        "topic": Meaning("the Kafka topic"),
        "event": Meaning("the event type that it carries"),
        "types": Meaning("strict, or lenient to read numbers from text (CSV files need it)"),
        "fields": Meaning("field of the event → where it stands in the client's JSON"),
        "required": Meaning("fields that a record must have, besides event id, shop and time"),
        "format": Meaning("how records are written: json, avro, json-schema, protobuf or "
                          "cloudevents"),
        "schema": Meaning("a schema file, for records that name none of a registry"),
        "message": Meaning("of a Protobuf schema file, the message's full name"),
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
        "expression": Meaning("a condition in words: height < 100 and shop in ('a', 'b')"),
    },
    ColumnShape: {
        "rename": Meaning("the column's name, instead of the field's"),
        "drop": Meaning("leave this field out, and write all others"),
        "hash": Meaning("write a text's hash under the shop's key"),
        "bucket": Meaning("write the lower end of the span of this width", low=1e-9, high=1e12),
    },
    TapFile: {
        "event": Meaning("the event type"),
        "after": Meaning("after which stages a copy is taken"),
        "columns": Meaning("which fields and how; without any, all that hold no identity"),
        "filter": Meaning("which records: a condition in words, or keys that must all hold"),
        "sample": Meaning("share of the events, the same ones at every stage; 1% or 0.01",
                          "share", 1e-9, 1),
        "rate": Meaning("most events of a shop that are taken in a second of their arrival",
                        low=1, high=1_000_000),
        "budget": Meaning("bytes of a shop that are taken in a day of their arrival",
                          "size", 1, 10**15),
        "retention": _duration("how long rows are kept", 60_000, 3_650 * DAY),
        "max_rows": Meaning("rows of a table that are kept, the newest", low=1, high=10**12),
        "max_bytes": Meaning("bytes of a table that are kept, the newest rows",
                             "size", 1, 10**15),
        "on_slow": Meaning("shed rows while the database is slow, or hold on to them"),
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
