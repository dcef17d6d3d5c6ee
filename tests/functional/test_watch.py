"""`streamwatch watch` as a user runs it: a file in, and what became of every line."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from sqlalchemy import create_engine, text

from streamwatch.cli.main import main

MONDAY_MS = 1_772_409_600_000
"""2026-03-02, UTC."""
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class Answer(msgspec.Struct, frozen=True):
    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.out)
        return answer

    def counts(self, topic: str) -> tuple[int, int, int, int]:
        """Lines counted, rejected, dead-lettered and seen before."""
        found = self.json["accounting"][topic]
        assert found["adds_up"]
        names = ("aggregated", "rejected", "dead_lettered", "duplicates")
        counted, rejected, dead, before = (found[name] for name in names)
        assert found["records_in"] == counted + rejected + dead + before
        return counted, rejected, dead, before


Watch = Callable[..., Answer]


@pytest.fixture(name="watch")
def _watch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Watch:
    """The command in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("STREAMWATCH_")]:
        monkeypatch.delenv(name)

    def run(*arguments: str) -> Answer:
        with pytest.raises(SystemExit) as ended:
            main(["watch", *arguments])
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Answer(ended.value.code, out, err)

    return run


def envelope(topic: str, value: Mapping[str, Any] | None, arrived: int = MONDAY_MS) -> bytes:
    return json.dumps({"topic": topic, "arrived": arrived, "value": value}).encode()


def widget(number: int, **changed: Any) -> dict[str, Any]:
    event = {"event_id": f"w-{number}", "shop": "shop-001", "time": MONDAY_MS, "height": 170.0}
    return {**event, **changed}


def purchase(number: int, **changed: Any) -> dict[str, Any]:
    event = {"event_id": f"p-{number}", "shop": "shop-001", "time": MONDAY_MS, "price": 9.5}
    return {**event, **changed}


def write_lines(path: Path, lines: list[bytes]) -> None:
    path.write_bytes(b"".join(line + b"\n" for line in lines))


def write_story(path: Path, height_of: Callable[[int, int], float]) -> None:
    """Three weeks of one shop, forty shoppers a day."""
    lines = []
    for day in range(21):
        for number in range(40):
            at = MONDAY_MS + day * DAY_MS + number * 36 * 60_000
            event = widget(day * 100 + number, time=at, height=height_of(day, number))
            lines.append(envelope("widget-event", event, at))
    write_lines(path, lines)


def usual_height(_day: int, number: int) -> float:
    return 170.0 + (number * 7) % 11 - 5


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    engine = create_engine(f"sqlite:///{folder}/streamwatch.db")
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]
    finally:
        engine.dispose()


def test_every_line_of_a_file_is_told_by_topic(watch: Watch, tmp_path: Path) -> None:
    lines = [envelope("widget-event", widget(n)) for n in range(5)]
    lines += [envelope("purchase", purchase(n)) for n in range(3)]
    write_lines(tmp_path / "events.jsonl", lines)
    answer = watch("events.jsonl", "--json")
    assert answer.code == 0
    assert answer.json["schema_version"] == 1
    assert answer.json["database"] == "sqlite:///streamwatch.db"
    assert answer.counts("widget-event") == (5, 0, 0, 0)
    assert answer.counts("purchase") == (3, 0, 0, 0)
    assert answer.counts("return") == (0, 0, 0, 0)
    assert answer.json["rejects"] == []


def test_text_for_people_ends_with_what_to_do_next(watch: Watch, tmp_path: Path) -> None:
    write_lines(tmp_path / "events.jsonl", [envelope("purchase", purchase(1))])
    (tmp_path / "my settings.yaml").write_text("database: sqlite:///mine.db\n")
    answer = watch("events.jsonl", "--settings", "my settings.yaml")
    assert answer.code == 0
    assert "where every line went" in answer.out
    assert "1 lines in" in answer.err
    last = answer.err.splitlines()[-1]
    assert last == "next: streamwatch incidents list --settings 'my settings.yaml'"
    assert (tmp_path / "mine.db").exists()


@pytest.mark.parametrize("form", ["csv", "csv.gz", "jsonl", "jsonl.gz", "parquet"])
def test_the_same_rows_count_alike_in_every_format(watch: Watch, tmp_path: Path, form: str) -> None:
    (tmp_path / "streamwatch.yaml").write_text(
        "sources: [{topic: purchase, event: purchase, types: lenient}]\n"
    )
    table = [
        {"event_id": f"p-{n}", "shop": "shop-001", "time": "2026-03-02T10:00:00Z", "price": 2.5 * n}
        for n in range(1, 5)
    ]
    path = tmp_path / f"purchases.{form}"
    if form == "parquet":
        pq.write_table(pa.Table.from_pylist(table), path)
    elif form.startswith("csv"):
        body = "\n".join([",".join(table[0]), *(",".join(map(str, r.values())) for r in table)])
        path.write_bytes(body.encode())
    else:
        write_lines(path, [json.dumps(row).encode() for row in table])
    if form.endswith(".gz"):
        path.write_bytes(gzip.compress(path.read_bytes()))
    answer = watch(path.name, "--topic", "purchase", "--json")
    assert answer.counts("purchase") == (4, 0, 0, 0)


def test_standard_input_and_a_pipe_are_read_to_their_end(tmp_path: Path) -> None:
    lines = b"".join(envelope("purchase", purchase(n)) + b"\n" for n in range(4))
    packed = gzip.compress(lines)
    read_end, write_end = os.pipe()
    os.write(write_end, lines)
    os.close(write_end)
    try:
        for file, given, passed in (("-", packed, ()), (f"/dev/fd/{read_end}", b"", (read_end,))):
            run = subprocess.run(
                [sys.executable, "-m", "streamwatch", "watch", file, "--json"],
                cwd=tmp_path,
                input=given,
                capture_output=True,
                pass_fds=passed,
                timeout=60,
                check=False,
            )
            assert run.returncode == 0, run.stderr
            assert Answer(0, run.stdout.decode(), "").counts("purchase") == (4, 0, 0, 0)
    finally:
        os.close(read_end)


def test_a_file_that_was_read_before_counts_once(watch: Watch, tmp_path: Path) -> None:
    lines = [envelope("purchase", purchase(n)) for n in range(4)]
    write_lines(tmp_path / "events.jsonl", [*lines, b"broken"])
    assert watch("events.jsonl", "--json").counts("purchase") == (4, 0, 1, 0)
    packed = gzip.compress((tmp_path / "events.jsonl").read_bytes())
    (tmp_path / "renamed.jsonl.gz").write_bytes(packed)
    for name in ("events.jsonl", "renamed.jsonl.gz"):
        assert watch(name, "--json").counts("purchase") == (0, 0, 0, 5)
    assert "5 lines had been read before" in watch("events.jsonl").err
    assert rows(tmp_path, "SELECT sum(aggregated), sum(dead_lettered) FROM accounting") == [(4, 1)]


def test_another_file_adds_even_if_it_begins_alike(watch: Watch, tmp_path: Path) -> None:
    lines = [envelope("purchase", purchase(n)) for n in range(4)]
    write_lines(tmp_path / "one.jsonl", lines)
    write_lines(tmp_path / "two.jsonl", [*lines[:3], envelope("purchase", purchase(9))])
    assert watch("one.jsonl", "--json").counts("purchase") == (4, 0, 0, 0)
    assert watch("two.jsonl", "--json").counts("purchase") == (4, 0, 0, 0)
    assert rows(tmp_path, "SELECT sum(aggregated) FROM accounting") == [(8,)]


def test_a_file_that_grew_goes_on_behind_what_was_read(watch: Watch, tmp_path: Path) -> None:
    lines = [envelope("purchase", purchase(n)) for n in range(9)]
    write_lines(tmp_path / "events.jsonl", lines[:1])
    assert watch("events.jsonl", "--json").counts("purchase") == (1, 0, 0, 0)
    write_lines(tmp_path / "events.jsonl", lines[:4])
    assert watch("events.jsonl", "--json").counts("purchase") == (3, 0, 0, 1)
    write_lines(tmp_path / "events.jsonl", lines)
    assert watch("events.jsonl", "--json").counts("purchase") == (5, 0, 0, 4)
    assert rows(tmp_path, "SELECT sum(aggregated) FROM accounting") == [(9,)]


BAD = {
    "undecodable": envelope("widget-event", None).replace(b"null", b'{"event_id": }'),
    "undecodable NaN": b'{"event_id":"a","shop":"shop-001","time":1772409600,"height":NaN}',
    "undecodable UTF-8": b'{"event_id":"\xff\xfe","shop":"shop-001","time":1772409600}',
    "not-an-object": envelope("widget-event", None).replace(b"null", b"[1]"),
    "too-deep": b'{"event_id":"a","shop":"s","time":' + b"[" * 9_999 + b"]" * 9_999 + b"}",
    "tombstone": envelope("widget-event", None),
    "oversized": envelope("widget-event", widget(1, product="x" * 1_100_000)),
    "doubled-key": b'{"topic":"widget-event","arrived":1772409600000,"value":'
    b'{"event_id":"a","shop":"shop-001","time":1772409600,"time":1}}',
    "wrong-type height": envelope("widget-event", widget(1, height="tall")),
    "missing-required shop": envelope("widget-event", {"event_id": "a", "time": MONDAY_MS}),
    "bad-id event_id": envelope("widget-event", widget(1, event_id="")),
    "bad-id shop": envelope("widget-event", widget(1, shop="s" * 201)),
    "unknown-shop shop": envelope("widget-event", widget(1, shop="shop-404")),
    "bad-time time": envelope("widget-event", widget(1, time="soon")),
    "absurd-time time": envelope("widget-event", widget(1, time="1970-01-01T00:00:00Z")),
    "future-time time": envelope("widget-event", widget(1, time=MONDAY_MS + 2 * HOUR_MS)),
    "undecodable number": envelope("widget-event", widget(1)).replace(b"170.0", b"1e400"),
    "absurd-number height": envelope("widget-event", widget(1, height=1e300)),
    "too-tall height": envelope("widget-event", widget(1, height=400.0)),
    "unknown-unit height_unit": envelope("widget-event", widget(1, height_unit="cubits")),
    "unknown-currency currency": envelope("purchase", purchase(1, currency="DOGE")),
    "too-late time": envelope("widget-event", widget(1, time=MONDAY_MS - 9 * DAY_MS)),
}
"""Reason and field → a line; what is behind a dead letter's reason tells apart its kinds."""

DEAD = {"undecodable", "not-an-object", "too-deep", "tombstone", "oversized"}


def test_every_kind_of_bad_line_is_told_with_its_reason(watch: Watch, tmp_path: Path) -> None:
    (tmp_path / "streamwatch.yaml").write_text(
        "shops: {shop-001: {timezone: Europe/Berlin}}\n"
        "known_only: true\n"
        "rules: [{name: too-tall, event: widget-event, field: height, range: [50, 250]}]\n"
    )
    good = [envelope("widget-event", widget(n)) for n in range(3)]
    write_lines(tmp_path / "events.jsonl", [*good, *BAD.values()])
    answer = watch("events.jsonl", "--json")
    told: dict[str, int] = {}
    for one in answer.json["rejects"]:
        why = f"{one['reason']} {one['field']}".strip()
        told[why] = told.get(why, 0) + one["count"]
    expected: dict[str, int] = {}
    for name in BAD:
        why = "undecodable" if name.startswith("undecodable") else name
        expected[why] = expected.get(why, 0) + 1
    assert told == expected
    dead = sum(count for why, count in told.items() if why in DEAD)
    assert answer.counts("widget-event") == (3, len(BAD) - 1 - dead, dead, 0)
    assert answer.counts("purchase") == (0, 1, 0, 0)
    assert rows(tmp_path, "SELECT count(*) FROM rejects") == [(len(BAD),)]
    assert answer.code == 0


def test_an_open_incident_makes_the_exit_code_1_each_time(watch: Watch, tmp_path: Path) -> None:
    def inches_in_the_end(day: int, number: int) -> float:
        height = usual_height(day, number)
        return height if day < 18 else height / 2.54

    write_story(tmp_path / "events.jsonl", inches_in_the_end)
    answer = watch("events.jsonl", "--json")
    assert answer.code == 1
    open_ = [one for one in answer.json["incidents"] if one["status"] == "open"]
    assert {one["key"]["kpi"] for one in open_} == {"mean.height"}
    assert all(60 < one["value"] < 80 and 160 < one["lower"] < 170 for one in open_)
    again = watch("events.jsonl")
    assert again.code == 1
    assert "mean.height" in again.out
    assert "1 open" in again.err


def test_a_usual_shop_makes_the_exit_code_0(watch: Watch, tmp_path: Path) -> None:
    write_story(tmp_path / "events.jsonl", usual_height)
    answer = watch("events.jsonl", "--json")
    assert answer.code == 0
    assert answer.json["incidents"] == []


def test_a_stage_bug_of_the_labels_is_made_to_happen(watch: Watch, tmp_path: Path) -> None:
    write_story(tmp_path / "events.jsonl", usual_height)
    (tmp_path / "labels.csv").write_text(
        "fault,shop,event_type,kpi,segment,start,end,origin,argument\n"
        "stage-bug,shop-001,widget-event,mean.height,all,"
        "2026-03-20T00:00:00Z,2026-04-20T00:00:00Z,normalise,normalise\n"
    )
    (tmp_path / "tap_config").mkdir()
    (tmp_path / "tap_config" / "measures.yaml").write_text(
        "event: widget-event\nafter: [decode, normalise]\ncolumns: [height]\n"
    )
    answer = watch("events.jsonl", "--stage-bugs", "labels.csv", "--json")
    assert answer.code == 1
    assert {one["key"]["kpi"] for one in answer.json["incidents"]} == {"mean.height"}
    late = "WHERE arrived_at > '2026-03-20'"
    sent = rows(tmp_path, f"SELECT avg(height) FROM tap_widget_event_decode {late}")
    after = rows(tmp_path, f"SELECT avg(height) FROM tap_widget_event_normalise {late}")
    assert 165 < sent[0][0] < 175
    assert after[0][0] < 150


@pytest.mark.parametrize(
    ("settings", "arguments", "message"),
    [
        ("", ["none.jsonl"], "none.jsonl: there is no such file"),
        ("", ["."], ".: is a folder"),
        ("", ["plain.jsonl"], "plain.jsonl:1: the lines name no topic: add --topic"),
        ("", ["purchases.csv"], "a csv file names no topic: add --topic NAME or --routes FILE"),
        (
            "",
            ["plain.jsonl", "--topic", "purchses"],
            "--topic purchses: no source has the topic `purchses`; did you mean `purchase`?",
        ),
        (
            "",
            ["plain.jsonl", "--routes", "routes.yaml"],
            "routes.yaml: no source has the topic `refund`; did you mean `return`?",
        ),
        ("", ["elsewhere.jsonl"], "elsewhere.jsonl:2: no source has the topic `orders`"),
        ("", ["plain.jsonl", "--settings", "none.yaml"], "none.yaml:1:1: cannot be read"),
        ("databse: x\n", ["plain.jsonl"], "streamwatch.yaml:1:1: unknown key `databse`"),
        ("horizon: 8q\n", ["plain.jsonl"], "streamwatch.yaml:1:10"),
        (
            "taps: wrong\n",
            ["plain.jsonl"],
            "wrong/tap.yaml:1:8: event cannot be `purchse`; did you mean",
        ),
        ("", ["plain.jsonl", "--stage-bugs", "none.csv"], "'none.csv' does not exist"),
        ("", ["plain.jsonl", "--format", "xml"], "'xml' is not one of"),
    ],
)
def test_a_mistake_ends_with_2_and_says_where(
    watch: Watch, tmp_path: Path, settings: str, arguments: list[str], message: str
) -> None:
    (tmp_path / "streamwatch.yaml").write_text(settings)
    write_lines(tmp_path / "plain.jsonl", [json.dumps(purchase(1)).encode()])
    (tmp_path / "purchases.csv").write_text("event_id,shop\na,b\n")
    (tmp_path / "routes.yaml").write_text("routes: [{topic: refund}]\n")
    elsewhere = [envelope("purchase", purchase(1)), envelope("orders", purchase(2))]
    write_lines(tmp_path / "elsewhere.jsonl", elsewhere)
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "tap.yaml").write_text("event: purchse\nafter: [decode]\n")
    answer = watch(*arguments)
    assert answer.code == 2
    assert message in answer.err
    assert "Traceback" not in answer.err
    assert answer.out == ""


@pytest.mark.parametrize(
    ("database", "message"),
    [
        ("sqlite:///none/s.db", "the folder of the database sqlite:///none/s.db does not exist"),
        ("mysql://me:secret@here/db", "mysql is not supported; use a sqlite or a postgresql"),
    ],
)
def test_a_database_that_cannot_be_had_ends_with_3(
    watch: Watch, tmp_path: Path, database: str, message: str
) -> None:
    write_lines(tmp_path / "events.jsonl", [envelope("purchase", purchase(1))])
    answer = watch("events.jsonl", "--database", database)
    assert answer.code == 3
    assert message in answer.err
    assert "secret" not in answer.err


def test_an_empty_file_is_no_mistake(watch: Watch, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_bytes(b"")
    answer = watch("empty.jsonl")
    assert answer.code == 0
    assert "there was no line to read" in answer.err


def test_old_records_behind_newer_ones_are_refused_and_explained(
    watch: Watch, tmp_path: Path
) -> None:
    write_lines(tmp_path / "new.jsonl", [envelope("purchase", purchase(1))])
    old = purchase(2, time=MONDAY_MS - 30 * DAY_MS)
    write_lines(tmp_path / "old.jsonl", [envelope("purchase", old)])
    assert watch("new.jsonl").code == 0
    answer = watch("old.jsonl")
    assert "too-late" in answer.out
    assert "older than their shop's newest by more than `horizon`" in answer.err
