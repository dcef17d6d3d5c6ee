import datetime as dt
import json
import sys
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from streamwatch.adapters.files.reader import read_file
from streamwatch.adapters.files.routes import Route, Routes
from streamwatch.adapters.files.source_line import SourceLine
from streamwatch.errors import ConfigurationError

pa: Any = import_module("pyarrow")
pq: Any = import_module("pyarrow.parquet")


def row_of(line: SourceLine) -> Any:
    return json.loads(line.value or b"")


def written(tmp_path: Path, columns: dict[str, Any], **options: Any) -> str:
    file = tmp_path / "shop.parquet"
    pq.write_table(pa.table(columns), file, **options)
    return str(file)


def test_values_keep_their_types_and_nulls_are_left_out(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {
            "shop": ["s", None],
            "height": [170.5, None],
            "quantity": [2, 3],
            "price": [Decimal("9.95"), None],
            "gift": [True, False],
        },
    )
    first, second = read_file(path, topic="purchase")
    assert row_of(first) == {
        "shop": "s", "height": 170.5, "quantity": 2, "price": 9.95, "gift": True,
    }  # fmt: skip
    assert row_of(second) == {"quantity": 3, "gift": False}
    assert (first.topic, first.arrived_ms, second.line) == ("purchase", -1, 2)


def test_times_become_rfc_3339_in_utc(tmp_path: Path) -> None:
    noon = dt.datetime(2026, 9, 1, 12, tzinfo=dt.UTC)
    path = written(
        tmp_path,
        {
            "aware": pa.array([noon], pa.timestamp("ms", "Europe/Berlin")),
            "naive": pa.array([noon.replace(tzinfo=None)], pa.timestamp("us")),
            "nano": pa.array([1_788_264_000_000_000_001], pa.timestamp("ns")),
            "day": pa.array([noon.date()]),
        },
    )
    (line,) = read_file(path, topic="purchase")
    assert row_of(line) == {
        "aware": "2026-09-01T12:00:00Z",
        "naive": "2026-09-01T12:00:00Z",
        "nano": "2026-09-01T12:00:00Z",
        "day": "2026-09-01",
    }


def test_row_groups_are_read_one_after_another_and_rows_routed(tmp_path: Path) -> None:
    path = written(tmp_path, {"InvoiceNo": ["1", "C2", "3"]}, row_group_size=1)
    routes = Routes((Route("return", "InvoiceNo", "C.*"), Route("purchase")), "event_id")
    lines = list(read_file(path, routes=routes))
    assert [line.topic for line in lines] == ["purchase", "return", "purchase"]
    assert row_of(lines[2])["event_id"] == "shop.parquet:3"


def test_a_file_that_is_no_parquet_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "shop.parquet"
    file.write_bytes(b"PAR1 and nothing more")
    with pytest.raises(ConfigurationError, match="is no Parquet file"):
        list(read_file(str(file), topic="purchase"))


def test_without_pyarrow_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, {"a": [1]})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'streamwatch\[parquet\]'"):
        list(read_file(path, topic="purchase"))
