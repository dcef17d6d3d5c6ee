from tests.unit.sql.store_contract import StoreContract


class TestSqliteStore(StoreContract):
    """The whole contract on SQLite."""
