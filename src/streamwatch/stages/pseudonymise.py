"""pseudonymise: the shopper's identity goes, a pseudonym that joins within one shop comes."""

from collections.abc import Callable
from hashlib import blake2b

from streamwatch.domain.refusals import Refusal
from streamwatch.stages.underway import Stage, Underway

PSEUDONYM_BYTES = 16
KEY_BYTES = 32
COLUMN = b"column"
"""Sets the hashes of columns apart from pseudonyms of the same text."""

MOST_SHOPS = 50_000
"""Shops whose keys are kept ready."""


SaltOf = Callable[[str], bytes]
"""The salt of a shop: made when it is first asked for, the same from then on."""


def shop_key(master_key: bytes, shop: str, salt: bytes = b"") -> bytes:
    """The key of one shop, from the master key and the shop's salt (keyed BLAKE2b, RFC 7693).

    Both are needed: without the salt, which can be forgotten for one shop alone, nobody finds
    the pseudonyms of that shop again.

    >>> shop_key(b"k" * 32, "shop-001") == shop_key(b"k" * 32, "shop-002")
    False
    """
    named = shop.encode("utf-8", "surrogatepass")
    material = named if not salt else len(named).to_bytes(4, "big") + named + salt
    return blake2b(material, key=master_key, digest_size=KEY_BYTES, person=b"shop").digest()


def no_salt(shop: str) -> bytes:  # noqa: ARG001
    """Every shop's salt where none are kept: the keys follow from the master key alone."""
    return b""


class ShopKeys:
    """The keys of all shops, each ready to hash with.

    Args:
        master_key: 16 to 64 bytes.
        salt_of: the salt of each shop; asked once for each shop until `forget`.
    """

    def __init__(self, master_key: bytes, salt_of: SaltOf = no_salt) -> None:
        self._master_key = master_key
        self._salt_of = salt_of
        self._pseudonyms: dict[str, blake2b] = {}
        self._columns: dict[str, blake2b] = {}

    def salt_by(self, salt_of: SaltOf) -> None:
        """From now on the salts come from here."""
        self._salt_of = salt_of
        self.forget()

    def forget(self) -> None:
        """Ask for the salts anew: some were exchanged."""
        self._pseudonyms.clear()
        self._columns.clear()

    def pseudonym(self, shop: str, shopper: str) -> str:
        """The shopper's pseudonym within the shop."""
        fresh = self._pseudonyms.get(shop)
        if fresh is None:
            fresh = self._ready(self._pseudonyms, shop, b"")
        hasher = fresh.copy()
        hasher.update(shopper.encode("utf-8", "surrogatepass"))
        return hasher.hexdigest()

    def column(self, shop: str, text: str) -> str:
        """The hash of a column's text: equal texts stay equal within the shop."""
        fresh = self._columns.get(shop)
        if fresh is None:
            fresh = self._ready(self._columns, shop, COLUMN)
        hasher = fresh.copy()
        hasher.update(text.encode("utf-8", "surrogatepass"))
        return hasher.hexdigest()

    def _ready(self, kept: dict[str, blake2b], shop: str, person: bytes) -> blake2b:
        if len(kept) >= MOST_SHOPS:
            kept.clear()
        key = shop_key(self._master_key, shop, self._salt_of(shop))
        kept[shop] = blake2b(key=key, digest_size=PSEUDONYM_BYTES, person=person)
        return kept[shop]


def compile_pseudonymise(keys: ShopKeys | bytes) -> Stage:
    """The pseudonymise stage, under the shops' keys or one master key of 16 to 64 bytes.

    It takes the shopper out of the record, and writes `Underway.pseudonym` if anybody looks.

    >>> from streamwatch.domain.events import Return
    >>> record = Underway({}).set_out(Return("a", "shop-001"), (1.0,), 0)
    >>> record.shopper = "jane"
    >>> compile_pseudonymise(b"k" * 32)(record)
    >>> record.shopper, len(record.pseudonym)
    (None, 32)
    """
    held = ShopKeys(keys) if isinstance(keys, bytes) else keys

    def pseudonymise(record: Underway) -> Refusal | None:
        if record.named and record.shopper:
            record.pseudonym = held.pseudonym(record.event.shop, record.shopper)
        record.shopper = None
        return None

    return pseudonymise
