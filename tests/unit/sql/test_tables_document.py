from pathlib import Path

import pytest

from streamwatch.adapters.sql.tables import METADATA
from streamwatch.adapters.sql.tap_tables import TAP_TABLES

DOCUMENT = Path(__file__).parents[3] / "docs" / "tables.md"
SHARED = [table.name for table in METADATA.tables.values() if table not in TAP_TABLES.values()]


@pytest.mark.parametrize("name", SHARED)
def test_every_shared_table_is_documented_with_its_columns(name: str) -> None:
    section = DOCUMENT.read_text().split(f"### {name}\n")[1].split("\n##")[0]
    for column in METADATA.tables[name].columns:
        line = next(line for line in section.splitlines() if f"| `{column.name}`" in line)
        assert str(column.comment) in line


def test_every_column_of_the_tap_tables_is_documented() -> None:
    section = DOCUMENT.read_text().split("## Tap tables\n")[1].split("\n## ")[0]
    columns = {column.name for table in TAP_TABLES.values() for column in table.columns}
    assert len(columns) > 20
    assert {name for name in columns if f"`{name}`" not in section} == set()
