"""The tables that all shops and event types share; `tap_tables` holds the others.

``Table.info`` says what `bulk.write` does with a row whose key is there already.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

from streamwatch.adapters.sql.timestamps import Timestamp

METADATA = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

KEEP: dict[str, Any] = {"conflict": "keep"}
REPLACE: dict[str, Any] = {"conflict": "replace"}


def text(name: str, comment: str, *, nullable: bool = False, key: bool = False) -> Column[str]:
    """A text column."""
    return Column(name, Text, nullable=nullable, primary_key=key, comment=comment)


def added(name: str, comment: str) -> Column[str]:
    """A text column that came later: empty in rows from before."""
    return Column(name, Text, nullable=False, server_default="", comment=comment)


def integer(name: str, comment: str, *, key: bool = False) -> Column[int]:
    """A small whole number."""
    return Column(name, Integer, nullable=False, primary_key=key, comment=comment)


def count(name: str, comment: str, *, key: bool = False) -> Column[int]:
    """A whole number that may pass two billion, such as an offset or a count."""
    return Column(name, BigInteger, nullable=False, primary_key=key, comment=comment)


def number(name: str, comment: str) -> Column[float]:
    """A floating-point number; NULL stands for unknown."""
    return Column(name, Double, nullable=True, comment=comment)


def time(name: str, comment: str, *, nullable: bool = False, key: bool = False) -> Column[int]:
    """A moment in UTC."""
    return Column(name, Timestamp, nullable=nullable, primary_key=key, comment=comment)


FENCES = Table(
    "fences",
    METADATA,
    text("step", "count, judge or fleet", key=True),
    text("topic", "Kafka topic, or file", key=True),
    integer("partition", "partition number", key=True),
    count("next_offset", "the next offset that the stored state does not yet include"),
    integer("epoch", "counts how often the topic was deleted and made anew"),
    text("topic_id", "Kafka's id of the topic; empty if unknown"),
    time("updated_at", "when the fence last moved"),
    comment="How far each step has read each partition; moves with the state it belongs to",
)

STATES = Table(
    "states",
    METADATA,
    text("step", "count, judge or fleet", key=True),
    text("topic", "Kafka topic, or file", key=True),
    integer("partition", "partition number", key=True),
    text("key", "what the state is about, usually a shop", key=True),
    Column("value", LargeBinary, nullable=False, comment="versioned msgpack"),
    time("updated_at", "when it was written"),
    comment="The state of each step: one row for each partition and shop",
    info=REPLACE,
)

ACCOUNTING = Table(
    "accounting",
    METADATA,
    text("step", "the step that counted", key=True),
    text("topic", "Kafka topic, or file", key=True),
    integer("partition", "partition number", key=True),
    integer("epoch", "counts how often the topic was deleted and made anew", key=True),
    count("first_offset", "where reading began"),
    count("next_offset", "the next offset to read"),
    count("records_in", "records delivered"),
    count("aggregated", "records counted in the cells"),
    count("rejected", "records refused, see the table rejects"),
    count("dead_lettered", "undecodable records, see the dead-letter topic"),
    count("duplicates", "records delivered again, and skipped"),
    count("gaps", "offsets that the broker does not have"),
    comment="Where every record went: records_in = aggregated + rejected + dead_lettered "
    "+ duplicates, and records_in - duplicates + gaps = next_offset - first_offset",
    info=REPLACE,
)

REJECTS = Table(
    "rejects",
    METADATA,
    text("topic", "Kafka topic, or file", key=True),
    integer("partition", "partition number", key=True),
    integer("epoch", "counts how often the topic was deleted and made anew", key=True),
    count("record_offset", "the record's offset in the partition", key=True),
    text("event_type", "widget-event, purchase or return"),
    text("kind", "reject, or dead-letter when not even its fields can be read"),
    text("stage", "the stage that refused it"),
    text("reason", "short code, such as wrong-type or the name of a rule"),
    text("field", "the field that it is about; empty if none"),
    text("event_id", "the client's own id of the event", nullable=True),
    text("shop", "the shop", nullable=True),
    time("occurred_at", "event time, where it could be read", nullable=True),
    time("arrived_at", "when it reached the broker", nullable=True),
    text("payload", "the record as received, redacted"),
    Index(None, "shop", "arrived_at"),
    Index(None, "reason", "arrived_at"),
    comment="Records that were refused, and why",
    info=KEEP,
)

VERDICTS = Table(
    "verdicts",
    METADATA,
    text("shop", "the shop", key=True),
    text("event_type", "the event type that the KPI is taken from", key=True),
    text("kpi", "volume, mean.height, mean.price.EUR ...", key=True),
    text("segment", "all, or a cut such as gender=female", key=True),
    text("span", "hour or day", key=True),
    time("bucket", "start of the bucket", key=True),
    number("value", "the reading"),
    count("n", "records it rests on"),
    text("state", "warming, usual or unusual"),
    number("score", "signed deviation in standard deviations of the prediction"),
    number("expected", "what was expected; NULL while warming"),
    number("lower", "lower end of the expected band"),
    number("upper", "upper end of the expected band"),
    text("reason", "why, in words"),
    integer("version", "counts the judgements of this bucket; a higher one replaces"),
    time("judged_at", "when it was judged"),
    Index(None, "bucket"),
    comment="What the baselines said about each reading",
    info={"conflict": "replace", "version": "version"},
)

STAGE_STATISTICS = Table(
    "stage_statistics",
    METADATA,
    text("shop", "the shop", key=True),
    text("event_type", "widget-event, purchase or return", key=True),
    text("span", "hour or day", key=True),
    time("bucket", "start of the bucket", key=True),
    text("stage", "the stage after which it was measured", key=True),
    text("feature", "height, weight, price.EUR ...", key=True),
    count("n", "values seen"),
    number("mean", "their mean"),
    number("variance", "their sample variance"),
    count("missing", "records that lacked the value"),
    count("changed", "records whose value this stage changed"),
    number("mean_change", "mean change of those; NULL if none changed"),
    Index(None, "bucket"),
    comment="Every watched number after every stage: where it shifts first, the fault came in",
    info=REPLACE,
)

INCIDENTS = Table(
    "incidents",
    METADATA,
    text("id", "shop/event type/kpi/segment/span/direction@first bucket", key=True),
    text("shop", "the shop"),
    text("event_type", "the event type that the KPI is taken from"),
    text("kpi", "volume, mean.height, mean.price.EUR ..."),
    text("segment", "all, or a cut such as gender=female"),
    text("span", "hour or day"),
    text("direction", "low or high"),
    text("status", "open or closed"),
    time("since", "start of the first unusual bucket"),
    time("until", "start of the first usual bucket after it; NULL while open", nullable=True),
    time("last_bucket", "the newest bucket that was judged"),
    number("value", "the reading in the worst bucket so far"),
    number("expected", "what was expected there"),
    number("lower", "lower end of the band there"),
    number("upper", "upper end of the band there"),
    number("score", "signed deviation there, in standard deviations"),
    count("buckets", "how many buckets were unusual"),
    text("reason", "why, in words"),
    integer("revision", "counts the changes; a higher one replaces"),
    time("updated_at", "when it last changed"),
    added("origin", "client, the stage where it came in, or undetermined; empty if not looked for"),
    added("origin_reason", "the numbers behind the origin, in words"),
    added("hypothesis", "what may have been done to the values; empty if nothing can be named"),
    added("part_of", "id of the incident that covers this one; empty if it stands for itself"),
    added("acknowledged", "what a person said of it last; empty if nothing"),
    Index(None, "status", "shop"),
    Index(None, "since"),
    Index(None, "shop", "since"),
    Index(None, "kpi", "since"),
    comment="Lasting departures of a shop from its own normal",
    info={"conflict": "replace", "version": "revision"},
)

ACKNOWLEDGEMENTS = Table(
    "acknowledgements",
    METADATA,
    Column(
        "id",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
        comment="counts up",
    ),
    text("incident_id", "the incident"),
    text("kind", "expected, client-error, new-trend or false-alarm"),
    text("note", "free text, may be empty"),
    text("who", "the person, as far as it is known"),
    time("at", "when it was said"),
    text("silence", "id of the silence in Alertmanager; empty without one"),
    time("silenced_until", "when that silence ends unless it is renewed", nullable=True),
    Index(None, "incident_id"),
    comment="What people said about incidents; rows are only ever added",
)
