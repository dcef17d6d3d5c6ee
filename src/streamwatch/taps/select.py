"""Which share of the events a tap takes: the same events at every stage, in every worker.

An event's hash is the first 8 bytes of the unkeyed BLAKE2b of its id in UTF-8, read as a
big-endian whole number. It depends on nothing but the id: not on the process, the machine or
the tap, so samples of different size contain each other, and rows of two stages can be joined.
"""

import math
from hashlib import blake2b

HASHES = 2**64
"""How many hashes there are; every hash is below it."""


def event_hash(event_id: str) -> int:
    """A 64-bit number for an event id, evenly spread.

    >>> event_hash("a") == event_hash("a"), event_hash("a") < HASHES
    (True, True)
    """
    digest = blake2b(event_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


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
