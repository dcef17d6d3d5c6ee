"""pseudonymise: the shopper's identity goes, a pseudonym that joins within one shop comes."""

from collections.abc import Callable
from hashlib import blake2b

import msgspec

from streamwatch.domain.events import Event
from streamwatch.stages.normalise import Normalised

PSEUDONYM_BYTES = 16
KEY_BYTES = 32


class Pseudonymised(msgspec.Struct, frozen=True, gc=False):
    """A record that names nobody any more.

    Attributes:
        event: the event, which holds no shopper.
        pseudonym: 32 hexadecimal digits, the same for a shopper within one shop;
            ``None`` if the record named no shopper.
        occurred, marks: as in `Normalised`.
    """

    event: Event
    pseudonym: str | None
    occurred: int
    marks: tuple[str, ...]


Pseudonymise = Callable[[Normalised], Pseudonymised]


def shop_key(master_key: bytes, shop: str) -> bytes:
    """The key of one shop, derived from the master key (keyed BLAKE2b, RFC 7693).

    >>> shop_key(b"k" * 32, "shop-001") == shop_key(b"k" * 32, "shop-002")
    False
    """
    return blake2b(shop.encode(), key=master_key, digest_size=KEY_BYTES, person=b"shop").digest()


def compile_pseudonymise(master_key: bytes) -> Pseudonymise:
    """The pseudonymise stage under one master key of 16 to 64 bytes."""
    keyed: dict[str, blake2b] = {}

    def pseudonymise(normalised: Normalised) -> Pseudonymised:
        event, shopper = normalised.event, normalised.shopper
        pseudonym = None
        if shopper:
            fresh = keyed.get(event.shop)
            if fresh is None:
                key = shop_key(master_key, event.shop)
                fresh = keyed[event.shop] = blake2b(key=key, digest_size=PSEUDONYM_BYTES)
            hasher = fresh.copy()
            hasher.update(shopper.encode())
            pseudonym = hasher.hexdigest()
        return Pseudonymised(event, pseudonym, normalised.occurred, normalised.marks)

    return pseudonymise
