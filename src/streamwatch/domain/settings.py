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
    """

    bootstrap: str = "localhost:9092"
    group: str = "streamwatch"
    partitions: int = 8
    prefix: str = "streamwatch"
    session_timeout: int = 30_000


class FlushSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When state, rows and fence are written: whichever comes first.

    ``slow`` is how long a flush may take before taps shed rows, milliseconds.
    """

    interval: int = 1_000
    records: int = 50_000
    slow: int = 2_000


class AlertingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `streamwatch rules` writes into the files of Prometheus, Alertmanager and Grafana.

    Attributes:
        targets: the workers' addresses for Prometheus; empty stands for the one of
            ``metrics_host`` and ``metrics_port``.
        alertmanager: Alertmanager's address for Prometheus.
        grafana: Grafana's own address, for links to dashboards.
        prometheus: Prometheus's address for Grafana.
        runbooks: where the runbooks are served; an alert's is ``<runbooks>/<alert name>.md``.
        pipeline_shops, pipeline_share: so many shops, and such a share of the shops, depart
            in the same KPI and direction at once: the pipeline is the likely cause.
        lag: records behind that alert when they do not become fewer.
        receivers: ``page``, ``ticket``, ``client``, ``platform-page``, ``platform-ticket``,
            ``watchdog`` or the name of a stage → the webhook that is told.
    """

    targets: tuple[str, ...] = ()
    alertmanager: str = "127.0.0.1:9093"
    grafana: str = "http://127.0.0.1:3000"
    prometheus: str = "http://127.0.0.1:9090"
    runbooks: str = "http://127.0.0.1:8080/runbooks"
    pipeline_shops: int = 3
    pipeline_share: float = 0.2
    lag: int = 50_000
    receivers: dict[str, str] = {}


class WebhookSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the worker that runs FLEET posts incidents, as CloudEvents; no address, no posts.

    Attributes:
        timeout: how long one post may take, milliseconds.
    """

    url: str = ""
    timeout: int = 10_000


class WebSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where `streamwatch web` listens, and who may see and acknowledge.

    Attributes:
        host, port: where it listens; 0 for any free port. Beyond this machine it needs a
            token or ``user_header``.
        hosts: names under which browsers reach it, besides ``host`` and this machine's own.
        user_header: the header in which a reverse proxy names the user; empty for none.
        proxies: the proxies' addresses; the header is believed from these only.
        writers: the users that may acknowledge.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    hosts: tuple[str, ...] = ()
    user_header: str = ""
    proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    writers: tuple[str, ...] = ()


class AlertmanagerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The Alertmanager in which an acknowledged incident is silenced.

    Attributes:
        url: its address; empty for none.
        silence: how long a silence lasts unless `streamwatch web` renews it, milliseconds.
    """

    url: str = ""
    silence: int = 86_400_000


class StageSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stage of the user's own, between `normalise` and `segment`.

    Attributes:
        name: of the stage, in tables, metrics and messages.
        step: ``module:function``, see `stages.custom.Step`.
        after: the stage that it follows: ``normalise``, ``pseudonymise`` or another own one.
        events: only for these event types; empty for all.
    """

    name: str
    step: str
    after: str = "normalise"
    events: tuple[Literal["widget-event", "purchase", "return"], ...] = ()


class StageTopicSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stage that lives in another service: the Kafka topic that it writes to.

    Attributes:
        name: of the stage.
        topic: the topic.
        event: the event type whose fields its records hold.
        after: the stage that it follows, for order in tables and reports.
        types, fields: as in `SourceSettings`.
    """

    name: str
    topic: str
    event: Literal["widget-event", "purchase", "return"]
    after: str = "aggregate"
    types: Literal["strict", "lenient"] = "strict"
    fields: dict[str, FieldMapping] = {}


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
        metrics_port: where ``/metrics`` is served; 0 for any free port.
        taps: folder of the tap configuration.
        stages: the user's own stages.
        stage_topics: stages that live in other services.
        recorder: the flight recorder.
        alerting: what the files of Prometheus, Alertmanager and Grafana are made with.
        webhook: where incidents are posted.
        web: where the pages are served, and to whom.
        alertmanager: where acknowledged incidents are silenced.
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
    stages: tuple[StageSettings, ...] = ()
    stage_topics: tuple[StageTopicSettings, ...] = ()
    recorder: RecorderSettings = RecorderSettings()
    alerting: AlertingSettings = AlertingSettings()
    webhook: WebhookSettings = WebhookSettings()
    web: WebSettings = WebSettings()
    alertmanager: AlertmanagerSettings = AlertmanagerSettings()


class Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which records a tap takes: every given condition must hold.

    Attributes:
        shops: only these shops; empty for all.
        equals: field → value.
        ranges: numeric field → lowest and highest value.
        expression: a condition in words, such as ``height < 100 and shop in ('a', 'b')``.
    """

    shops: tuple[str, ...] = ()
    equals: dict[str, str] = {}
    ranges: dict[str, tuple[float, float]] = {}
    expression: str = ""


class ColumnShape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a tap writes one field.

    Attributes:
        rename: the column's name, instead of the field's.
        drop: the field is left out; the tap then writes all others.
        hash: of a text, its hash under the shop's key: equal texts stay equal within the shop.
        bucket: of a number, the lower end of the span of this width that it lies in.
    """

    rename: str | None = None
    drop: bool = False
    hash: bool = False
    bucket: float | None = None


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
        shapes: field → how it is written, where that is not as it is.
        rate: most events that are taken of a shop in a second of arrival, by each source
            partition; ``None`` for all.
        budget: bytes that are taken of a shop in a day of arrival (UTC), likewise.
        max_rows, max_bytes: of the rows in a table, the newest that are kept.
        on_slow: ``shed`` rows while the database is slow, or ``hold`` on to them.
    """

    name: str
    event: Literal["widget-event", "purchase", "return"]
    stages: tuple[str, ...]
    columns: tuple[str, ...] = ()
    filter: Filter = Filter()
    sample: float = 1.0
    retention: int = 30 * 86_400_000
    shapes: dict[str, ColumnShape] = {}
    rate: int | None = None
    budget: int | None = None
    max_rows: int | None = None
    max_bytes: int | None = None
    on_slow: Literal["shed", "hold"] = "shed"
