"""What ``streamwatch.yaml`` says, as plain frozen values; `adapters.settings` reads the file.

Times in the file are written as ``90s``, ``15m``, ``6h``, ``8d``; here they are milliseconds.
"""

from typing import Literal

import msgspec


class FieldMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a field of the event stands in the client's JSON.

    Attributes:
        path: key, or keys joined by dots for a nested object; default: the field's own name.
        constant: the value for every record, instead of a path.
        unit: the unit of every value, for a numeric feature without a unit field.
        unit_path: where the record's own unit stands.
    """

    path: str | None = None
    constant: str | float | None = None
    unit: str | None = None
    unit_path: str | None = None


class SourceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One input topic.

    Attributes:
        topic: the Kafka topic.
        event: ``widget-event``, ``purchase`` or ``return``.
        types: ``strict``, or ``lenient`` to read numbers from text (CSV files need it).
        fields: field of the event → where it stands; unnamed fields stand under their name.
        required: fields that a record must have, besides event id, shop and time.
    """

    topic: str
    event: Literal["widget-event", "purchase", "return"]
    types: Literal["strict", "lenient"] = "strict"
    fields: dict[str, FieldMapping] = {}
    required: tuple[str, ...] = ()


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule by a domain expert about one field; exactly one kind is set.

    Attributes:
        name: the reason code of a violation.
        event: the event type that it is about.
        field: the field that it is about.
        range: lowest and highest value, in cm, kg, years, pieces or the currency.
        required: the field must be there.
        allowed: the only allowed values.
        pattern: a regular expression that the whole text must match.
        below: another numeric field that the value must not exceed.
        when: applies only to records whose fields have these values (``category: kids``).
        action: ``reject`` the record, or only ``mark`` it: count it and keep it.
    """

    name: str
    event: Literal["widget-event", "purchase", "return"]
    field: str
    range: tuple[float, float] | None = None
    required: bool = False
    allowed: tuple[str, ...] | None = None
    pattern: str | None = None
    below: str | None = None
    when: dict[str, str] = {}
    action: Literal["reject", "mark"] = "reject"


class ShopSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of one shop beforehand; an entry ``default`` serves all others."""

    timezone: str = "UTC"


class JudgingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How strict the judging is.

    Attributes:
        threshold: standard deviations from which a reading is unusual.
        volume_effect: a volume's least relative departure, 0.3 = 30 %.
        mean_effect: a mean's least relative departure.
        warmup_days: daily readings before a baseline judges.
        lateness: how long after its end a bucket is closed, milliseconds.
        hourly_from: mean records an hour from which hours are judged as well as days.
    """

    threshold: float = 4.5
    volume_effect: float = 0.35
    mean_effect: float = 0.015
    warmup_days: int = 14
    lateness: int = 3_600_000
    hourly_from: float = 20.0


class KafkaSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The broker.

    Attributes:
        bootstrap: ``host:port``, several joined by commas.
        group: consumer group of the workers.
        partitions: partitions of the readings topic when streamwatch creates it.
        prefix: first part of the internal topics' names, so that several streamwatch can
            share a cluster.
        session_timeout: after so much silence a worker is taken for dead and its partitions
            go to others, milliseconds.
    """

    bootstrap: str = "localhost:9092"
    group: str = "streamwatch"
    partitions: int = 8
    prefix: str = "streamwatch"
    session_timeout: int = 30_000


class FlushSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When state, rows and fence are written: whichever comes first."""

    interval: int = 1_000
    records: int = 50_000


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file.

    Attributes:
        database: an SQLAlchemy address.
        sources: the input topics; empty stands for the three default ones.
        rules: what a valid record is.
        shops: what is known of shops; ``known_only`` refuses any other.
        segments: labels by which shops are cut (``gender`` gives ``gender=female`` …).
        currencies: prices in any other are refused.
        horizon: records older than the shop's newest by more are refused, milliseconds.
        future: records dated later than their arrival by more are refused, milliseconds.
        metrics_port: where ``/metrics`` is served; 0 for any free port.
        taps: folder of the tap configuration.
    """

    database: str = "sqlite:///streamwatch.db"
    kafka: KafkaSettings = KafkaSettings()
    sources: tuple[SourceSettings, ...] = (
        SourceSettings("widget-event", "widget-event"),
        SourceSettings("purchase", "purchase"),
        SourceSettings("return", "return"),
    )
    rules: tuple[Rule, ...] = ()
    shops: dict[str, ShopSettings] = {}
    known_only: bool = False
    segments: tuple[str, ...] = ("gender", "category")
    currencies: tuple[str, ...] = ("EUR", "USD", "GBP", "CHF")
    judging: JudgingSettings = JudgingSettings()
    flush: FlushSettings = FlushSettings()
    horizon: int = 8 * 86_400_000
    future: int = 3_600_000
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 9464
    taps: str = "tap_config"


class Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which records a tap takes: every given condition must hold.

    Attributes:
        shops: only these shops; empty for all.
        equals: field → value.
        ranges: numeric field → lowest and highest value.
    """

    shops: tuple[str, ...] = ()
    equals: dict[str, str] = {}
    ranges: dict[str, tuple[float, float]] = {}


class TapSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One tap point.

    Attributes:
        name: the file's name without its ending.
        event: the event type.
        stages: after which stages.
        columns: which fields; empty for all that hold no identity.
        filter: which records.
        sample: share of the events, chosen by a hash of the event id, so that the same
            events are taken at every stage and in every worker.
        retention: how long rows are kept, milliseconds.
    """

    name: str
    event: Literal["widget-event", "purchase", "return"]
    stages: tuple[str, ...]
    columns: tuple[str, ...] = ()
    filter: Filter = Filter()
    sample: float = 1.0
    retention: int = 30 * 86_400_000
