"""Which share of the events a tap takes: the same events at every stage, in every worker.

An event's hash is the first 8 bytes of the unkeyed BLAKE2b of its id in UTF-8, read as a
big-endian whole number. It depends on nothing but the id: not on the process, the machine or
the tap, so samples of different size contain each other, and rows of two stages can be joined.
"""

import math
from hashlib import blake2b

_begin = blake2b(digest_size=8).copy
"""A copy of a hasher costs half of a new one."""

HASHES = 2**64
"""How many hashes there are; every hash is below it."""


def event_hash(event_id: str) -> int:
    """A 64-bit number for an event id, evenly spread.

    >>> event_hash("a") == event_hash("a"), event_hash("a") < HASHES
    (True, True)
    """
    hasher = _begin()
    hasher.update(event_id.encode("utf-8", "surrogatepass"))
    return int.from_bytes(hasher.digest(), "big")


def digest_of(threshold: int) -> bytes | None:
    """A threshold as `is_beyond` takes it; ``None`` if no event is beyond it."""
    return None if threshold >= HASHES else threshold.to_bytes(8, "big")


def is_beyond(event_id: str, digest: bytes) -> bool:
    """Whether an event's hash is not below a threshold; the quick way, for every record.

    >>> is_beyond("a", bytes(8)), is_beyond("a", bytes([255]) * 8)
    (True, False)
    """
    hasher = _begin()
    hasher.update(event_id.encode("utf-8", "surrogatepass"))
    return hasher.digest() >= digest


def sample_threshold(share: float) -> int:
    """The hash below which an event belongs to a share of 0 to 1 of all events.

    >>> sample_threshold(1.0) == HASHES, sample_threshold(0.0)
    (True, 0)
    """
    return math.ceil(share * HASHES)


def sampled(event_id: str, share: float) -> bool:
    """Whether an event belongs to a share of 0 to 1 of all events.

    >>> sum(sampled(f"event-{n}", 0.25) for n in range(1000)) in range(200, 300)
    True
    """
    return event_hash(event_id) < sample_threshold(share)
