import gzip
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamwatch.adapters.files.json_lines import LONGEST_LINE
from streamwatch.adapters.files.opening import check_readable
from streamwatch.adapters.files.reader import read_file
from streamwatch.adapters.files.routes import Route, Routes
from streamwatch.adapters.files.source_line import SourceLine
from streamwatch.errors import ConfigurationError


def lines_of(tmp_path: Path, content: bytes, **options: Any) -> list[SourceLine]:
    file = tmp_path / "events.jsonl"
    file.write_bytes(content)
    return list(read_file(str(file), **options))


def test_an_envelope_says_topic_and_arrival_and_its_value_passes_untouched(tmp_path: Path) -> None:
    value = b'{ "shop" : "s",  "height":170.0 ,"note":"\xc3\xa9"}'
    content = b'{"topic":"purchase","arrived":1790000000000,"value":' + value + b"}\n"
    (line,) = lines_of(tmp_path, content)
    assert (line.topic, line.arrived_ms, line.value) == ("purchase", 1_790_000_000_000, value)
    assert line.line == 1


def test_a_null_in_an_envelope_is_a_tombstone(tmp_path: Path) -> None:
    (line,) = lines_of(tmp_path, b'{"topic":"return","arrived":1,"value":null}')
    assert line.value is None


def test_a_broken_envelope_keeps_the_topic_of_the_line_before(tmp_path: Path) -> None:
    content = b'{"topic":"return","arrived":1,"value":{}}\n{"topic":"return","arri\n'
    _, broken = lines_of(tmp_path, content)
    assert (broken.topic, broken.arrived_ms) == ("return", -1)
    assert broken.value == b'{"topic":"return","arri'


def test_an_object_with_one_more_key_is_no_envelope(tmp_path: Path) -> None:
    content = b'{"topic":"purchase","arrived":1,"value":{},"shop":"s"}\n'
    (line,) = lines_of(tmp_path, content, topic="widget-event")
    assert (line.topic, line.value) == ("widget-event", content.rstrip())


def test_a_named_topic_overrules_the_one_in_the_envelope(tmp_path: Path) -> None:
    content = b'{"topic":"purchase","arrived":1,"value":{}}\n'
    (line,) = lines_of(tmp_path, content, topic="purchase.again")
    assert (line.topic, line.arrived_ms, line.value) == ("purchase.again", 1, b"{}")


def test_blank_lines_are_left_out_but_counted(tmp_path: Path) -> None:
    lines = lines_of(tmp_path, b'{"a":1}\n\n   \r\n{"a":2}\r\n', topic="purchase")
    assert [(line.line, line.value) for line in lines] == [(1, b'{"a":1}'), (4, b'{"a":2}')]


def test_a_byte_order_mark_is_not_part_of_the_first_record(tmp_path: Path) -> None:
    (line,) = lines_of(tmp_path, b'\xef\xbb\xbf{"a":1}\n', topic="purchase")
    assert line.value == b'{"a":1}'


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    assert lines_of(tmp_path, b"") == []
    assert lines_of(tmp_path, b"\n \n") == []


def test_plain_lines_without_a_topic_are_refused_with_the_place_and_the_remedy(
    tmp_path: Path,
) -> None:
    with pytest.raises(ConfigurationError, match=r"events\.jsonl:2: .*--topic") as refusal:
        lines_of(tmp_path, b'\n{"a":1}\n')
    assert refusal.value.exit_code == 2


@pytest.mark.parametrize("start", [b'[{"a":1}]', b'[\n {"a":1}\n]'])
def test_a_json_array_is_refused_with_the_remedy(tmp_path: Path, start: bytes) -> None:
    with pytest.raises(ConfigurationError, match="one JSON array"):
        lines_of(tmp_path, start, topic="purchase")


def test_a_line_too_long_for_memory_is_cut_and_the_next_one_is_whole(tmp_path: Path) -> None:
    content = b'{"a":"' + b"x" * (LONGEST_LINE + 5) + b'"}\n{"b":1}\n'
    first, second = lines_of(tmp_path, content, topic="purchase")
    assert first.value == content[:LONGEST_LINE]
    assert (second.value, second.line) == (b'{"b":1}', 2)


def test_lines_that_are_no_json_pass_as_they_are(tmp_path: Path) -> None:
    nested = b"[" * 100_000
    content = b"\xff\xfe{}\n" + nested + b'\n{"a":1,"a":2}\nNaN'
    routes = Routes((Route("return", "a", "2"), Route("purchase")), line_id="event_id")
    lines = lines_of(tmp_path, content, routes=routes)
    assert [line.topic for line in lines] == ["purchase", "purchase", "return", "purchase"]
    assert [line.value for line in lines][:2] == [b"\xff\xfe{}", nested]


def test_a_line_id_is_added_only_where_it_lacks(tmp_path: Path) -> None:
    routes = Routes((Route("purchase"),), line_id="event_id")
    lines = lines_of(tmp_path, b'{"event_id":"own"}\n { "a": 1 }\n{}\n', routes=routes)
    assert [json.loads(line.value or b"") for line in lines] == [
        {"event_id": "own"},
        {"event_id": "events.jsonl:2", "a": 1},
        {"event_id": "events.jsonl:3"},
    ]


def test_gzip_is_told_by_its_bytes_and_not_by_its_name(tmp_path: Path) -> None:
    content = gzip.compress(b'{"a":1}\n{"a":2}\n')
    assert [line.value for line in lines_of(tmp_path, content, topic="t")] == [
        b'{"a":1}',
        b'{"a":2}',
    ]


def test_gzip_that_ends_early_is_one_sentence(tmp_path: Path) -> None:
    content = gzip.compress(b'{"a":1}\n' * 50_000)[:-200]
    with pytest.raises(ConfigurationError, match="damaged or ends early"):
        lines_of(tmp_path, content, topic="t")


@pytest.mark.parametrize(
    ("name", "message"), [("missing.jsonl", "no such file"), (".", "is a folder")]
)
def test_what_cannot_be_opened_is_one_sentence(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        list(read_file(str(tmp_path / name), topic="t"))


def test_a_file_of_an_unknown_kind_asks_for_its_format(tmp_path: Path) -> None:
    file = tmp_path / "events.log"
    file.write_bytes(b"a,b\n1,2\n")
    with pytest.raises(ConfigurationError, match="--format"):
        list(read_file(str(file), topic="t"))
    assert [line.value for line in read_file(str(file), form="csv", topic="t")] == [
        b'{"a":"1","b":"2"}'
    ]


def test_a_check_before_the_work_takes_nothing_out_of_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b'{"a":1}\n{"a":2}\n',))
    writer.start()
    check_readable([str(pipe), "-"])
    lines = list(read_file(str(pipe), topic="purchase"))
    writer.join(timeout=10)
    assert [line.line for line in lines] == [1, 2]


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=20))
def test_every_line_that_is_not_blank_comes_out_once_with_its_bytes(
    tmp_path_factory: pytest.TempPathFactory, texts: list[bytes]
) -> None:
    texts = [text.replace(b"\n", b"").strip() for text in texts]
    lines = lines_of(
        tmp_path_factory.mktemp("lines"),
        b'{"first":1}\n' + b"\n".join(texts),
        topic="purchase",
    )
    assert [line.value for line in lines][1:] == [text for text in texts if text]
