"""Fences, states, accounting, rejects, verdicts, stage statistics and incidents.

A migration never changes once it is released, so it repeats what it needs and imports
nothing of the current tables.
"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "fences",
    "states",
    "accounting",
    "rejects",
    "verdicts",
    "stage_statistics",
    "incidents",
)


def upgrade() -> None:
    """Create the tables."""
    _create_fences()
    _create_states()
    _create_accounting()
    _create_rejects()
    _create_verdicts()
    _create_stage_statistics()
    _create_incidents()


def downgrade() -> None:
    """Drop them, with all that they hold."""
    for name in reversed(TABLES):
        op.drop_table(name)


def _text(name: str, comment: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable, comment=comment)


def _integer(name: str, comment: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False, comment=comment)


def _count(name: str, comment: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False, comment=comment)


def _number(name: str, comment: str) -> sa.Column[float]:
    return sa.Column(name, sa.Double(), nullable=True, comment=comment)


def _bytes(name: str, comment: str) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(), nullable=False, comment=comment)


def _time(name: str, comment: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, comment=comment)


def _create_fences() -> None:
    op.create_table(
        "fences",
        _text("step", "count, judge or fleet"),
        _text("topic", "Kafka topic, or file"),
        _integer("partition", "partition number"),
        _count("next_offset", "the next offset that the stored state does not yet include"),
        _integer("epoch", "counts how often the topic was deleted and made anew"),
        _text("topic_id", "Kafka's id of the topic; empty if unknown"),
        _time("updated_at", "when the fence last moved"),
        sa.PrimaryKeyConstraint("step", "topic", "partition", name=op.f("pk_fences")),
        comment="How far each step has read each partition; moves with the state it belongs to",
    )


def _create_states() -> None:
    op.create_table(
        "states",
        _text("step", "count, judge or fleet"),
        _text("topic", "Kafka topic, or file"),
        _integer("partition", "partition number"),
        _text("key", "what the state is about, usually a shop"),
        _bytes("value", "versioned msgpack"),
        _time("updated_at", "when it was written"),
        sa.PrimaryKeyConstraint("step", "topic", "partition", "key", name=op.f("pk_states")),
        comment="The state of each step: one row for each partition and shop",
    )


def _create_accounting() -> None:
    op.create_table(
        "accounting",
        _text("step", "the step that counted"),
        _text("topic", "Kafka topic, or file"),
        _integer("partition", "partition number"),
        _integer("epoch", "counts how often the topic was deleted and made anew"),
        _count("first_offset", "where reading began"),
        _count("next_offset", "the next offset to read"),
        _count("records_in", "records delivered"),
        _count("aggregated", "records counted in the cells"),
        _count("rejected", "records refused, see the table rejects"),
        _count("dead_lettered", "undecodable records, see the dead-letter topic"),
        _count("duplicates", "records delivered again, and skipped"),
        _count("gaps", "offsets that the broker does not have"),
        sa.PrimaryKeyConstraint("step", "topic", "partition", "epoch", name=op.f("pk_accounting")),
        comment="Where every record went: records_in = aggregated + rejected + dead_lettered "
        "+ duplicates, and records_in - duplicates + gaps = next_offset - first_offset",
    )


def _create_rejects() -> None:
    op.create_table(
        "rejects",
        _text("topic", "Kafka topic, or file"),
        _integer("partition", "partition number"),
        _integer("epoch", "counts how often the topic was deleted and made anew"),
        _count("record_offset", "the record's offset in the partition"),
        _text("event_type", "widget-event, purchase or return"),
        _text("kind", "reject, or dead-letter when not even its fields can be read"),
        _text("stage", "the stage that refused it"),
        _text("reason", "short code, such as wrong-type or the name of a rule"),
        _text("field", "the field that it is about; empty if none"),
        _text("event_id", "the client's own id of the event", nullable=True),
        _text("shop", "the shop", nullable=True),
        _time("occurred_at", "event time, where it could be read", nullable=True),
        _time("arrived_at", "when it reached the broker", nullable=True),
        _text("payload", "the record as received, redacted"),
        sa.PrimaryKeyConstraint(
            "topic", "partition", "epoch", "record_offset", name=op.f("pk_rejects")
        ),
        comment="Records that were refused, and why",
    )
    op.create_index(op.f("ix_rejects_reason_arrived_at"), "rejects", ["reason", "arrived_at"])
    op.create_index(op.f("ix_rejects_shop_arrived_at"), "rejects", ["shop", "arrived_at"])


def _create_verdicts() -> None:
    op.create_table(
        "verdicts",
        _text("shop", "the shop"),
        _text("event_type", "the event type that the KPI is taken from"),
        _text("kpi", "volume, mean.height, mean.price.EUR ..."),
        _text("segment", "all, or a cut such as gender=female"),
        _text("span", "hour or day"),
        _time("bucket", "start of the bucket"),
        _number("value", "the reading"),
        _count("n", "records it rests on"),
        _text("state", "warming, usual or unusual"),
        _number("score", "signed deviation in standard deviations of the prediction"),
        _number("expected", "what was expected; NULL while warming"),
        _number("lower", "lower end of the expected band"),
        _number("upper", "upper end of the expected band"),
        _text("reason", "why, in words"),
        _integer("version", "counts the judgements of this bucket; a higher one replaces"),
        _time("judged_at", "when it was judged"),
        sa.PrimaryKeyConstraint(
            "shop", "event_type", "kpi", "segment", "span", "bucket", name=op.f("pk_verdicts")
        ),
        comment="What the baselines said about each reading",
    )
    op.create_index(op.f("ix_verdicts_bucket"), "verdicts", ["bucket"])


def _create_stage_statistics() -> None:
    op.create_table(
        "stage_statistics",
        _text("shop", "the shop"),
        _text("event_type", "widget-event, purchase or return"),
        _text("span", "hour or day"),
        _time("bucket", "start of the bucket"),
        _text("stage", "the stage after which it was measured"),
        _text("feature", "height, weight, price.EUR ..."),
        _count("n", "values seen"),
        _number("mean", "their mean"),
        _number("variance", "their sample variance"),
        _count("missing", "records that lacked the value"),
        _count("changed", "records whose value this stage changed"),
        _number("mean_change", "mean change of those; NULL if none changed"),
        sa.PrimaryKeyConstraint(
            "shop",
            "event_type",
            "span",
            "bucket",
            "stage",
            "feature",
            name=op.f("pk_stage_statistics"),
        ),
        comment="Every watched number after every stage: where it shifts first, the fault came in",
    )
    op.create_index(op.f("ix_stage_statistics_bucket"), "stage_statistics", ["bucket"])


def _create_incidents() -> None:
    op.create_table(
        "incidents",
        _text("id", "shop/event type/kpi/segment/span/direction@first bucket"),
        _text("shop", "the shop"),
        _text("event_type", "the event type that the KPI is taken from"),
        _text("kpi", "volume, mean.height, mean.price.EUR ..."),
        _text("segment", "all, or a cut such as gender=female"),
        _text("span", "hour or day"),
        _text("direction", "low or high"),
        _text("status", "open or closed"),
        _time("since", "start of the first unusual bucket"),
        _time("until", "start of the first usual bucket after it; NULL while open", nullable=True),
        _time("last_bucket", "the newest bucket that was judged"),
        _number("value", "the reading in the worst bucket so far"),
        _number("expected", "what was expected there"),
        _number("lower", "lower end of the band there"),
        _number("upper", "upper end of the band there"),
        _number("score", "signed deviation there, in standard deviations"),
        _count("buckets", "how many buckets were unusual"),
        _text("reason", "why, in words"),
        _integer("revision", "counts the changes; a higher one replaces"),
        _time("updated_at", "when it last changed"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
        comment="Lasting departures of a shop from its own normal",
    )
    op.create_index(op.f("ix_incidents_status_shop"), "incidents", ["status", "shop"])
