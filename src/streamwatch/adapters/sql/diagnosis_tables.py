"""The tables by which affected records are told from others, and values from usual ones."""

from sqlalchemy import JSON, Column, Index, Table
from sqlalchemy.dialects.postgresql import JSONB

from streamwatch.adapters.sql.tables import METADATA, REPLACE, count, number, text, time

GROUP_STATISTICS = Table(
    "group_statistics",
    METADATA,
    text("shop", "the shop", key=True),
    text("event_type", "widget-event, purchase or return", key=True),
    text("span", "hour or day", key=True),
    time("bucket", "start of the bucket", key=True),
    text("labels", "fields that the records are told apart by, joined by commas", key=True),
    text("value", "their values, likewise; ~other holds the rare ones", key=True),
    text("feature", "height, weight, price.EUR ...", key=True),
    count("n", "values counted"),
    number("mean", "their mean after the last stage"),
    count("changed", "records whose value our stages changed, all together"),
    number("mean_change", "mean change of those; NULL if none changed"),
    Index(None, "bucket"),
    comment="Every watched number by app version, and by gender and category",
    info=REPLACE,
)

DISTRIBUTIONS = Table(
    "distributions",
    METADATA,
    text("shop", "the shop", key=True),
    text("event_type", "widget-event, purchase or return", key=True),
    text("span", "hour or day", key=True),
    time("bucket", "start of the bucket", key=True),
    text("feature", "height, weight, price.EUR ...", key=True),
    count("n", "values counted"),
    Column(
        "bins",
        JSON().with_variant(JSONB(), "postgresql"),
        nullable=False,
        comment="bin -> values; bin i ends at (1.01 / 0.99) to the power of i",
    ),
    Index(None, "bucket"),
    comment="How the values of every watched number were distributed",
    info=REPLACE,
)
