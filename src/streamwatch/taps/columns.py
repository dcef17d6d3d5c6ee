"""Which columns a tap row has, by event type and stage: one list for files, tables and steps."""

from streamwatch.domain.events import EVENT_TYPES, EventType
from streamwatch.domain.refusals import STAGES
from streamwatch.domain.settings import TapSettings

EVERY_ROW = ("event_id", "shop", "occurred_at", "arrived_at", "topic", "partition", "offset", "tap")
"""What every tap row holds as an attribute of its own, so never as a column."""

IDENTITY = "shopper"
"""The one field that names a person; no stage has a column for it."""

ADDED: dict[str, dict[str, type]] = {
    "pseudonymise": {"pseudonym": str},
    "segment": {"bucket": int, "segments": str},
}
"""What a stage adds to the event's own fields: ``bucket`` is the start of the bucket in
milliseconds since 1970 UTC, ``segments`` their names joined by commas."""


def tap_columns(event_type: EventType, stage: str) -> dict[str, type]:
    """The columns of a tap after a built-in stage: name → ``str``, ``float`` or ``int``.

    They come in the order of the event's fields, then what the stages up to this one added.
    Left out are the shopper (never written), what every row holds anyway (`EVERY_ROW`), and
    from `normalise` on ``time``, which is ``occurred_at`` by then. Up to `validate`, ``time``
    is the text of what the client sent.

    Raises:
        ValueError: no built-in stage has that name.

    >>> from streamwatch.domain.events import RETURN
    >>> list(tap_columns(RETURN, "decode"))[:3], tap_columns(RETURN, "segment")["bucket"]
    (['time', 'order_id', 'product'], <class 'int'>)
    """
    passed = STAGES[: STAGES.index(stage) + 1]
    left_out = {"time", *EVERY_ROW} if "normalise" in passed else set(EVERY_ROW)
    columns: dict[str, type] = {
        name: float if name in event_type.numbers else str
        for name in event_type.event.__struct_fields__
        if name not in left_out
    }
    for name in passed:
        columns.update(ADDED.get(name, {}))
    return columns


def written_columns(tap: TapSettings, stage: str) -> tuple[str, ...]:
    """The columns that a tap writes after one of its stages: those it names, else all.

    >>> tap = TapSettings("returns", "return", ("decode",), columns=("reason",))
    >>> written_columns(tap, "decode")
    ('reason',)
    """
    there = tap_columns(EVENT_TYPES[tap.event], stage)
    return tuple(name for name in tap.columns or there if name in there)
