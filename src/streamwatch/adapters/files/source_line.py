"""A line of a file, before anything has judged it."""

import msgspec


class SourceLine(msgspec.Struct, frozen=True, gc=False):
    """One line of a file with the topic that it belongs to.

    Attributes:
        topic: where `replay` sends it, and by which `watch` finds its source.
        arrived_ms: when it arrived, milliseconds since 1970 UTC; -1 when the file does not say.
        value: the payload, not judged yet; ``None`` is a tombstone.
        key: the key that it had in Kafka; ``None`` if the file does not say.
        line: number of its first line in the file, from 1 (of a Parquet file, its row).
    """

    topic: str
    arrived_ms: int
    value: bytes | None
    key: bytes | None
    line: int
