"""The tables about the inspection itself: shops' salts, loaded taps, recorded rows."""

from sqlalchemy import JSON, Column, Index, LargeBinary, Table
from sqlalchemy.dialects.postgresql import JSONB

from streamwatch.adapters.sql.tables import KEEP, METADATA, REPLACE, count, integer, text, time

SHOP_KEYS = Table(
    "shop_keys",
    METADATA,
    text("shop", "the shop", key=True),
    Column("salt", LargeBinary, nullable=False, comment="random; a new one ends all linking"),
    integer("generation", "counts the salts that the shop has had"),
    time("since", "when this salt was made"),
    comment="The salt of every shop's pseudonym key; whoever may read it and has the master key "
    "can find a shopper's pseudonym",
    info=KEEP,
)

TAP_VERSIONS = Table(
    "tap_versions",
    METADATA,
    text("worker", "host and process", key=True),
    text("version", "names the tap files by which the worker takes rows"),
    text("offered", "names the tap files that are in the folder"),
    time("loaded_at", "when the worker loaded its taps"),
    time("seen_at", "when the worker last said so"),
    text("error", "why what is in the folder is not used; empty if it is"),
    comment="Which taps every worker uses",
    info=REPLACE,
)

RECORDED_ROWS = Table(
    "recorded_rows",
    METADATA,
    text("incident_id", "the incident, or freeze/ and who asked", key=True),
    text("topic", "Kafka topic, or file", key=True),
    integer("partition", "partition number", key=True),
    integer("epoch", "counts how often the topic was deleted and made anew", key=True),
    count("record_offset", "the record's offset in the partition", key=True),
    text("stage", "the stage after which it was seen", key=True),
    text("event_type", "widget-event, purchase or return"),
    text("shop", "the shop"),
    text("event_id", "the client's own id of the event"),
    time("occurred_at", "event time", nullable=True),
    time("arrived_at", "when it reached the broker", nullable=True),
    Column(
        "fields",
        JSON().with_variant(JSONB(), "postgresql"),
        nullable=False,
        comment="the fields of the event, without identity",
    ),
    Index(None, "shop", "arrived_at"),
    comment="What the flight recorder held of a shop when its incident opened",
    info=KEEP,
)

FREEZES = Table(
    "freezes",
    METADATA,
    text("id", "freeze/shop@time", key=True),
    text("shop", "the shop"),
    time("asked_at", "when it was asked for"),
    comment="Asked for by hand: write down what the flight recorder holds of a shop",
    info=KEEP,
)
