from tests.unit.sql.query_contract import QueryContract


class TestSqliteQueries(QueryContract):
    """The whole contract on SQLite."""
