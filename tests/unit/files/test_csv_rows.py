import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamwatch.adapters.files.csv_rows import LONGEST_CELL
from streamwatch.adapters.files.reader import read_file
from streamwatch.adapters.files.routes import Route, Routes
from streamwatch.adapters.files.source_line import SourceLine
from streamwatch.domain.refusals import Refusal
from streamwatch.domain.source_settings import SourceSettings
from streamwatch.errors import ConfigurationError
from streamwatch.stages.decode import compile_decode

ROUTES = Routes((Route("return", "InvoiceNo", "C.*"), Route("purchase")), line_id="event_id")


def lines_of(tmp_path: Path, content: bytes, **options: Any) -> list[SourceLine]:
    file = tmp_path / "shop.csv"
    file.write_bytes(content)
    return list(read_file(str(file), **(options or {"topic": "purchase"})))


def row_of(line: SourceLine) -> Any:
    return json.loads(line.value or b"")


def rows_of(tmp_path: Path, content: bytes, **options: Any) -> list[Any]:
    return [row_of(line) for line in lines_of(tmp_path, content, **options)]


def is_dead_letter(value: bytes | None) -> bool:
    found = compile_decode(SourceSettings("purchase", "purchase"))(value)
    return isinstance(found, Refusal) and found.kind == "dead-letter"


def test_rows_become_objects_of_text_without_empty_cells(tmp_path: Path) -> None:
    assert rows_of(tmp_path, b"a,b,c\n1,,x\n\n,2,\n") == [{"a": "1", "c": "x"}, {"b": "2"}]


def test_rows_are_routed_and_get_the_id_of_their_line(tmp_path: Path) -> None:
    lines = lines_of(tmp_path, b"InvoiceNo,Country\n536365,France\nC1,France\n", routes=ROUTES)
    assert [line.topic for line in lines] == ["purchase", "return"]
    assert row_of(lines[1])["event_id"] == "shop.csv:3"
    assert [line.line for line in lines] == [2, 3]


def test_a_line_break_within_quotes_stays_in_its_cell_and_lines_are_counted_on(
    tmp_path: Path,
) -> None:
    first, second = lines_of(tmp_path, b'a,b\r\n"x\r\ny",1\r\nz,2\r\n')
    assert row_of(first) == {"a": "x\r\ny", "b": "1"}
    assert (first.line, second.line) == (2, 4)


def test_a_byte_order_mark_is_not_part_of_the_first_column(tmp_path: Path) -> None:
    assert rows_of(tmp_path, b"\xef\xbb\xbfa,b\n1,2\n") == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize("delimiter", [b";", b"\t", b"|"])
def test_the_delimiter_is_told_from_the_first_line(tmp_path: Path, delimiter: bytes) -> None:
    content = b"a,b\n1,2\n".replace(b",", delimiter)
    assert rows_of(tmp_path, content) == [{"a": "1", "b": "2"}]


def test_bytes_that_are_no_utf8_make_a_dead_letter_of_their_row_only(tmp_path: Path) -> None:
    before, bad, after = lines_of(tmp_path, b"a,b\n1,2\n\xa35,2\n3,\xc2\xa34\n")
    assert bad.value == b"\xa35,2"
    assert is_dead_letter(bad.value)
    assert row_of(before) == {"a": "1", "b": "2"}
    assert row_of(after) == {"a": "3", "b": "£4"}


def test_a_row_with_too_many_cells_is_a_dead_letter_as_its_values_have_slipped(
    tmp_path: Path,
) -> None:
    bad, good = lines_of(tmp_path, b"a,b\nLyon, France,2\n1,2\n")
    assert bad.value == b"Lyon, France,2"
    assert is_dead_letter(bad.value)
    assert row_of(good) == {"a": "1", "b": "2"}


def test_a_short_row_lacks_its_last_cells(tmp_path: Path) -> None:
    assert rows_of(tmp_path, b"a,b\n1\n") == [{"a": "1"}]


def test_a_quote_that_is_never_closed_swallows_no_more_than_a_cell_may_hold(tmp_path: Path) -> None:
    content = b'a,b\n"open,1\n' + b"x,y\n" * (LONGEST_CELL // 2)
    first, *others = lines_of(tmp_path, content)
    assert is_dead_letter(first.value)
    assert row_of(others[-1]) == {"a": "x", "b": "y"}
    assert others[-1].line == content.count(b"\n")


def test_empty_files_and_files_of_column_names_only_have_no_rows(tmp_path: Path) -> None:
    assert lines_of(tmp_path, b"") == []
    assert lines_of(tmp_path, b"a,b\n") == []


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"shop\.csv:1: the column a stands there twice"):
        lines_of(tmp_path, b"a,b,a\n1,2,3\n")


def test_a_csv_file_without_a_topic_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="--routes FILE"):
        lines_of(tmp_path, b"a\n1\n", routes=None)


def test_a_gzipped_file_is_told_by_the_name_within(tmp_path: Path) -> None:
    file = tmp_path / "shop.csv.gz"
    file.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    (line,) = read_file(str(file), topic="purchase")
    assert line.value == b'{"a":"1","b":"2"}'


@given(st.binary(max_size=200))
def test_no_bytes_whatever_stop_the_reading(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("csv")
    lines = lines_of(folder, b"a,b\n" + content)
    assert all(line.topic == "purchase" and line.value is not None for line in lines)


@given(st.lists(st.tuples(*[st.text(st.characters(codec="utf-8"), min_size=1)] * 2), max_size=9))
def test_what_a_csv_writer_wrote_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    content = "\n".join(["a,b", *quoted]).encode()
    found = rows_of(tmp_path_factory.mktemp("csv"), content)
    assert found == [{"a": a, "b": b} for a, b in rows]
