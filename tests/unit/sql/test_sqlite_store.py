from tests.unit.sql.rows_contract import RowsContract
from tests.unit.sql.store_contract import StoreContract


class TestSqliteStore(StoreContract):
    """The whole contract on SQLite."""


class TestSqliteRows(RowsContract):
    """The whole contract on SQLite."""
