"""The shops' salts in the database: made on first use, exchanged to end all linking."""

import os
import time
from collections.abc import Callable

import msgspec
from sqlalchemy import Connection, Engine, delete, func, select, update

from streamwatch.adapters.sql.bulk import insert_into
from streamwatch.adapters.sql.engine import reading, writing
from streamwatch.adapters.sql.fit import fit_text
from streamwatch.adapters.sql.inspection import RECORDED_ROWS, SHOP_KEYS
from streamwatch.adapters.sql.store import wall_clock_ms
from streamwatch.adapters.sql.tables import REJECTS
from streamwatch.adapters.sql.tap_schema import stored_tap_tables
from streamwatch.errors import DatabaseError

SALT_BYTES = 32
RETRIES = 20
RETRY_SECONDS = 1.0


class SqlSalts:
    """Gives the salt of a shop; knows all that are stored, and asks for a new one only.

    Args:
        engine: the database.
        random: gives so many random bytes.
        now_ms: the wall clock.
    """

    def __init__(
        self,
        engine: Engine,
        random: Callable[[int], bytes] = os.urandom,
        now_ms: Callable[[], int] = wall_clock_ms,
    ) -> None:
        self._engine = engine
        self._random = random
        self._now_ms = now_ms
        self._known: dict[str, bytes] = {}
        self._state: tuple[int, int] = (-1, -1)

    def salt_of(self, shop: str) -> bytes:
        """The shop's salt; a new shop gets one, the same in every worker.

        While the database is away it is asked again for a while, since nothing may be written
        under another salt.

        Raises:
            DatabaseError: the database does not answer.
        """
        known = self._known.get(shop)
        if known is not None:
            return known
        for attempt in range(RETRIES):
            try:
                salt = self._stored(fit_text(shop))
            except DatabaseError:
                if attempt == RETRIES - 1:
                    raise
                time.sleep(RETRY_SECONDS)
            else:
                break
        self._known[shop] = salt
        return salt

    def refresh(self) -> bool:
        """Load all salts if any was exchanged elsewhere; says whether one was.

        Raises:
            DatabaseError: the database does not answer.
        """
        sums = select(func.count(), func.coalesce(func.sum(SHOP_KEYS.c.generation), 0))
        with reading(self._engine) as connection:
            count, generations = connection.execute(sums.select_from(SHOP_KEYS)).one()
            state = (int(count), int(generations))
            if state == self._state:
                return False
            rows = connection.execute(select(SHOP_KEYS.c.shop, SHOP_KEYS.c.salt)).all()
        found = {shop: bytes(salt) for shop, salt in rows}
        exchanged = any(found.get(fit_text(shop)) != salt for shop, salt in self._known.items())
        self._known, self._state = found, state
        return exchanged

    def _stored(self, shop: str) -> bytes:
        query = select(SHOP_KEYS.c.salt).where(SHOP_KEYS.c.shop == shop)
        with writing(self._engine) as connection:
            salt = connection.execute(query).scalar_one_or_none()
            if salt is None:
                new = insert_into(SHOP_KEYS, connection.dialect).values(
                    shop=shop, salt=self._random(SALT_BYTES), generation=1, since=self._now_ms()
                )
                connection.execute(new.on_conflict_do_nothing())
                salt = connection.execute(query).scalar_one()
        return bytes(salt)


class Erased(msgspec.Struct, frozen=True):
    """What an erasure did: whether the shop had a salt, and the rows deleted by table."""

    known: bool
    deleted: dict[str, int]


def rotate(engine: Engine, shop: str, now_ms: int, salt: bytes) -> bool:
    """Give a shop a new salt; from then on its shoppers get new pseudonyms.

    The old salt is gone: nobody finds the shopper of an old pseudonym again. Returns whether the
    shop had one.

    Raises:
        DatabaseError: the database does not answer.
    """
    new = {"salt": salt, "generation": SHOP_KEYS.c.generation + 1, "since": now_ms}
    with writing(engine) as connection:
        _for_good(connection)
        mine = update(SHOP_KEYS).where(SHOP_KEYS.c.shop == fit_text(shop)).values(new)
        return connection.execute(mine).rowcount == 1


def erase(engine: Engine, shop: str, now_ms: int, salt: bytes) -> Erased:
    """Forget a shop's key and delete the copies of its records; sums and verdicts stay.

    Raises:
        DatabaseError: the database does not answer.
    """
    known = rotate(engine, shop, now_ms, salt)
    deleted = {}
    for table in (*stored_tap_tables(engine), REJECTS, RECORDED_ROWS):
        with writing(engine) as connection:
            _for_good(connection)
            rows = connection.execute(delete(table).where(table.c.shop == fit_text(shop)))
            if rows.rowcount:
                deleted[table.name] = rows.rowcount
    return Erased(known, deleted)


def _for_good(connection: Connection) -> None:
    """SQLite leaves what it deletes in the file unless it is told to overwrite it."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
