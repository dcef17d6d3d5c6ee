"""What the steps say to each other, on the topics ``streamwatch.*``.

All messages are cumulative and versioned: a later one replaces an earlier one, an older one
is ignored, so that sending one twice changes nothing.
"""

import msgspec

from streamwatch.domain.acknowledgements import AcknowledgementKind
from streamwatch.domain.cells import Cell
from streamwatch.domain.readings import KpiKey

READINGS_TOPIC = "streamwatch.readings"
VERDICTS_TOPIC = "streamwatch.verdicts"
INCIDENTS_TOPIC = "streamwatch.incidents"


def prefixed(topic: str, prefix: str) -> str:
    """An internal topic's name on a cluster where it has another prefix.

    >>> prefixed(READINGS_TOPIC, "staging"), prefixed("purchase.dlq", "staging")
    ('staging.readings', 'purchase.dlq')
    """
    internal = (READINGS_TOPIC, VERDICTS_TOPIC, INCIDENTS_TOPIC)
    return prefix + topic.removeprefix("streamwatch") if topic in internal else topic


class Message(msgspec.Struct, frozen=True):
    """A message to publish once its flush is committed.

    ``partition`` is ``None`` where the key decides; ``timestamp`` is in milliseconds,
    ``None`` for now.
    """

    topic: str
    key: bytes | None
    value: bytes
    partition: int | None = None
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp: int | None = None


class Partial(msgspec.Struct, frozen=True, tag="partial"):
    """COUNT to JUDGE: the cells of one source partition, shop and hour, so far.

    Attributes:
        event_type, topic, partition: the source partition.
        shop: the shop.
        hour: start of the bucket, milliseconds since 1970 UTC.
        version: the partition's fence when the cells were settled; higher replaces lower.
        newest: newest event time that this partition has seen of the shop, milliseconds.
        cells: per segment (``all``, ``gender=female``, …).
        epoch: counts how often the topic was made anew; goes before ``version``.
    """

    event_type: str
    topic: str
    partition: int
    shop: str
    hour: int
    version: int
    newest: int
    cells: dict[str, Cell]
    epoch: int = 0


class Heartbeat(msgspec.Struct, frozen=True, tag="heartbeat"):
    """COUNT to every JUDGE: how far one source partition is.

    Attributes:
        next_offset: the fence.
        lag: records that wait in the partition behind the fence.
        clock: arrival time up to which the partition is read, milliseconds: of its last
            record, plus the time passed since then when nothing waits. A partition that is
            read live so stands at the wall clock, one that is replayed in the past.
        sent: wall clock when it was sent, milliseconds.
    """

    event_type: str
    topic: str
    partition: int
    next_offset: int
    lag: int
    clock: int
    sent: int
    epoch: int = 0


class Acknowledge(msgspec.Struct, frozen=True, tag="acknowledge"):
    """A person's word on an incident, to JUDGE (MessagePack) and to FLEET (JSON).

    Attributes:
        incident_id: the incident.
        kind: what was said, see `domain.acknowledgements`.
        key: the incident's KPI.
        since, until: its first bucket, and the last that was unusual; milliseconds.
        value, expected, score: of its worst bucket.
        at: when it was said, milliseconds.
    """

    incident_id: str
    kind: AcknowledgementKind
    key: KpiKey
    since: int
    until: int
    value: float
    expected: float
    score: float
    at: int


JudgeInput = Partial | Heartbeat | Acknowledge
