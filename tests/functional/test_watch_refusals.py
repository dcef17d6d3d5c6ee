"""What `streamwatch watch` refuses: lines with their reasons, and mistakes of whoever calls it."""

import json
from pathlib import Path

import pytest
from tests.functional.command import Run
from tests.functional.lines import (
    DAY_MS,
    HOUR_MS,
    MONDAY_MS,
    counts,
    envelope,
    purchase,
    rows,
    widget,
    write_lines,
)

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


def test_every_kind_of_bad_line_is_told_with_its_reason(run: Run, tmp_path: Path) -> None:
    (tmp_path / "streamwatch.yaml").write_text(
        "shops: {shop-001: {timezone: Europe/Berlin}}\n"
        "known_only: true\n"
        "rules: [{name: too-tall, event: widget-event, field: height, range: [50, 250]}]\n"
    )
    good = [envelope("widget-event", widget(n)) for n in range(3)]
    write_lines(tmp_path / "events.jsonl", [*good, *BAD.values()])
    answer = run("watch", "events.jsonl", "--json")
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
    assert counts(answer, "widget-event") == (3, len(BAD) - 1 - dead, dead, 0)
    assert counts(answer, "purchase") == (0, 1, 0, 0)
    assert rows(tmp_path, "SELECT count(*) FROM rejects") == [(len(BAD),)]
    assert answer.code == 0


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
    run: Run, tmp_path: Path, settings: str, arguments: list[str], message: str
) -> None:
    (tmp_path / "streamwatch.yaml").write_text(settings)
    write_lines(tmp_path / "plain.jsonl", [json.dumps(purchase(1)).encode()])
    (tmp_path / "purchases.csv").write_text("event_id,shop\na,b\n")
    (tmp_path / "routes.yaml").write_text("routes: [{topic: refund}]\n")
    elsewhere = [envelope("purchase", purchase(1)), envelope("orders", purchase(2))]
    write_lines(tmp_path / "elsewhere.jsonl", elsewhere)
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "tap.yaml").write_text("event: purchse\nafter: [decode]\n")
    answer = run("watch", *arguments)
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
    run: Run, tmp_path: Path, database: str, message: str
) -> None:
    write_lines(tmp_path / "events.jsonl", [envelope("purchase", purchase(1))])
    answer = run("watch", "events.jsonl", "--database", database)
    assert answer.code == 3
    assert message in answer.err
    assert "secret" not in answer.err
