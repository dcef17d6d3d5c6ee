"""Which share of the events a tap takes: the same events at every stage, in every worker.

An event's hash is the CRC-32 of its id in UTF-8 (RFC 1952, as in zlib), times `SPREAD`, modulo
2**64 (Knuth, The Art of Computer Programming 3, 6.4: multiplicative hashing). It depends on
nothing but the id: not on the process, the machine or the tap, so samples of different size
contain each other, and rows of two stages can be joined. It is taken of every event wherever a
tap samples, and a cryptographic hash takes three times as long.
"""

import math
from collections.abc import Sequence
from zlib import crc32

import numpy as np

HASHES = 2**64
"""How many hashes there are; every hash is below it."""

SPREAD = 0x9E3779B97F4A7C15
"""2**64 over the golden ratio: a CRC alone is linear, so that numbered ids would follow it."""

_MASK = HASHES - 1
_SPREAD = np.uint64(SPREAD)


def event_hash(event_id: str) -> int:
    """A 64-bit number for an event id, evenly spread.

    >>> event_hash("a") == event_hash("a"), event_hash("a") < HASHES
    (True, True)
    """
    try:
        written = event_id.encode()
    except UnicodeEncodeError:  # half of a surrogate pair; asking for it always takes twice as long
        written = event_id.encode("utf-8", "surrogatepass")
    return crc32(written) * SPREAD & _MASK


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


def places_in_sample(event_ids: Sequence[str], threshold: int) -> list[int]:
    """The places of those whose hash is below a threshold, in their order.

    It says of each what `event_hash` says, in two thirds of the time.

    >>> places_in_sample(["event-1", "event-2"], HASHES)
    [0, 1]
    """
    if threshold >= HASHES:
        return list(range(len(event_ids)))
    if threshold <= 0:
        return []
    try:
        checksums = np.fromiter(map(crc32, map(str.encode, event_ids)), np.uint64, len(event_ids))
    except UnicodeEncodeError:
        found = enumerate(map(event_hash, event_ids))
        return [place for place, hashed in found if hashed < threshold]
    places: list[int] = np.flatnonzero(checksums * _SPREAD < np.uint64(threshold)).tolist()
    return places
