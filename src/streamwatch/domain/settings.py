"""What ``streamwatch.yaml`` says, as plain frozen values; `adapters.settings` reads the file.

Times in the file are written as ``90s``, ``15m``, ``6h``, ``8d``; here they are milliseconds.
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
from streamwatch.domain.source_settings import (
    Rule,
    ShopSettings,
    SourceSettings,
    StageSettings,
    StageTopicSettings,
)


class CalendarDay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A day that is known beforehand to be unlike others.

    Attributes:
        date: the day, as in ``2026-12-25``.
        name: what it is.
        effect: ``holiday`` (volumes may be far lower), ``sale`` (far higher) or ``any``.
        until: the last day, where it is more than one.
        shops: only these; empty for all.
    """

    date: str
    name: str
    effect: Literal["holiday", "sale", "any"] = "holiday"
    until: str | None = None
    shops: tuple[str, ...] = ()


class JudgingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How strict the judging is.

    Attributes:
        threshold: standard deviations from which a reading is unusual.
        volume_effect: a volume's least relative departure, 0.3 = 30 %.
        mean_effect: a mean's least relative departure.
        share_effect: a missing, reject or mark rate's or a ratio's least departure, 0.02 = two
            points of a hundred.
        mix_effect: least population stability index of a mix beyond chance.
        pages_per_week: false incidents a week that the whole fleet may make; the more is
            judged, the more an incident must depart.
        calendar: days known beforehand.
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
    share_effect: float = 0.02
    mix_effect: float = 0.05
    pages_per_week: float = 5.0
    calendar: tuple[CalendarDay, ...] = ()


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
        tls: whether the connection is encrypted; the broker's certificate is always checked.
        ca_file: certificates of the authorities that are trusted; empty for the system's.
        certificate_file, key_file: our own certificate, where the broker asks for one.
        sasl: the mechanism of logging in; empty for none.
        user: who logs in.
        password_file: the file that holds the password and nothing else.
        schema_registry: address of a Confluent-compatible schema registry; empty for none.
    """

    bootstrap: str = "localhost:9092"
    group: str = "streamwatch"
    partitions: int = 8
    prefix: str = "streamwatch"
    session_timeout: int = 30_000
    tls: bool = False
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    sasl: Literal["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = ""
    user: str = ""
    password_file: str = ""
    schema_registry: str = ""


class FlushSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When state, rows and fence are written.

    Attributes:
        interval: time between two flushes, milliseconds.
        longest: the same at most where a flush would write many values for few records.
        records: after so many a flush comes at once, unless it is such a flush.
        slow: how long a flush may take before taps shed rows, milliseconds.
    """

    interval: int = 1_000
    longest: int = 180_000
    records: int = 50_000
    slow: int = 2_000


class RecorderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The flight recorder: recent records of every shop, in the memory of each worker.

    Attributes:
        every: of each shop, one record in so many milliseconds of arrival.
        memory: bytes that the recorded records may take.
    """

    every: int = 600_000
    memory: int = 32_000_000


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
        stuck_after: after so long something that must end is taken to hang, and the worker
            says so at ``/-/healthy``, milliseconds.
        metrics_port: where ``/metrics`` is served; 0 for any free port.
        taps: folder of the tap configuration.
        stages: the user's own stages.
        stage_topics: stages that live in other services.
        recorder: the flight recorder.
        alerting: what the files of Prometheus, Alertmanager and Grafana are made with.
        webhook: where incidents are posted.
        web: where the pages are served, and to whom.
        alertmanager: where Prometheus sends alerts, and acknowledged incidents are silenced.
        tracing: where traces go.
        lineage: where lineage goes.
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
    stuck_after: int = 120_000
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 9464
    taps: str = "tap_config"
    stages: tuple[StageSettings, ...] = ()
    stage_topics: tuple[StageTopicSettings, ...] = ()
    recorder: RecorderSettings = RecorderSettings()
    alerting: AlertingSettings = AlertingSettings()
    webhook: WebhookSettings = WebhookSettings()
    web: WebSettings = WebSettings()
    alertmanager: AlertmanagerSettings = AlertmanagerSettings()
    tracing: TracingSettings = TracingSettings()
    lineage: LineageSettings = LineageSettings()
