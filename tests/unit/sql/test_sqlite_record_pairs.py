from tests.unit.sql.record_pairs_contract import RecordPairsContract


class TestSqliteRecordPairs(RecordPairsContract):
    """The whole contract on SQLite."""
