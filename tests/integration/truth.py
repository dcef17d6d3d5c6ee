"""What must be in the database after a set of events: worked out from the events alone."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime

from tests.integration.stage import Stage

from streamwatch.domain.cells import ALL, Cell
from streamwatch.domain.statevalue import unpack
from streamwatch.simulation.fleet import FleetSettings
from streamwatch.simulation.simulate import simulate
from streamwatch.steps.countstate import VERSION

Record = tuple[str, int, bytes | None, bytes]

BAD: tuple[tuple[bytes | None, str, str], ...] = (
    (b"\xff\xfe no json", "dead-letter", "undecodable"),
    (None, "dead-letter", "tombstone"),
    (b"[1,2]", "dead-letter", "not-an-object"),
    (b'{"event_id":"x","shop":"shop-001","height":"tall"}', "reject", "wrong-type"),
    (b'{"shop":"shop-001","time":"2026-09-01T00:00:00Z"}', "reject", "missing-required"),
    (b'{"event_id":"x","shop":"shop-001","time":"someday"}', "reject", "bad-time"),
    (b'{"event_id":"x","shop":"shop-001","time":"1970-01-01T00:00:00Z"}', "reject", "absurd-time"),
    (b'{"event_id":"x","shop":"shop-001","time":"2099-01-01T00:00:00Z"}', "reject", "future-time"),
    (b'{"event_id":"x","event_id":"y","shop":"shop-001"}', "reject", "doubled-key"),
    (b'{"event_id":"x","shop":"shop-001","height":1e999}', "dead-letter", "undecodable"),
)


def simulated(shops: int, days: int, largest: int, bad_every: int = 0) -> list[Record]:
    """Events of a small fleet, with a bad record after every so many good ones."""
    fleet = FleetSettings(
        shops=shops, days=days, seed=11, start=date(2026, 9, 1), largest=largest, sale_rate=0
    )
    records: list[Record] = []
    for number, event in enumerate(simulate(fleet), start=1):
        records.append((event.topic, event.arrived_ms, event.value_bytes, event.shop.encode()))
        if bad_every and number % bad_every == 0:
            value = BAD[number // bad_every % len(BAD)][0]
            records.append(("widget-event", event.arrived_ms, value, b"bad"))
    return records


def verify(stage: Stage, records: Sequence[Record], bad_every: int = 0) -> None:
    """Every record in exactly one place, nothing lost, nothing doubled, nobody in."""
    verify_accounting(stage, records)
    verify_rejects(stage, records, bad_every)
    verify_cells(stage, records)
    verify_taps(stage, records)


def verify_accounting(stage: Stage, records: Sequence[Record]) -> None:
    counts = stage.rows(
        "SELECT topic, sum(next_offset - first_offset), sum(records_in - duplicates + gaps),"
        " sum(aggregated + rejected + dead_lettered + duplicates), sum(records_in)"
        " FROM accounting GROUP BY topic"
    )
    sent = Counter(stage.topic(kind) for kind, *_ in records)
    assert {str(topic): int(str(passed)) for topic, passed, *_ in counts} == sent
    for topic, passed, came, ended, taken in counts:
        assert passed == came, topic
        assert ended == taken, topic
    committed, ends = stage.committed(), stage.ends(stage.source_topics)
    assert {place: committed.get(place, 0) for place in ends} == ends


def verify_rejects(stage: Stage, records: Sequence[Record], bad_every: int) -> None:
    expected: Counter[tuple[str, str]] = Counter()
    if bad_every:
        good = sum(1 for *_, key in records if key != b"bad")
        for number in range(bad_every, good + 1, bad_every):
            _, kind, reason = BAD[number // bad_every % len(BAD)]
            expected[kind, reason] += 1
    found = stage.rows("SELECT kind, reason, count(*) FROM rejects GROUP BY kind, reason")
    assert {(kind, reason): count for kind, reason, count in found} == expected


def verify_cells(stage: Stage, records: Sequence[Record]) -> None:
    """The stored cells, summed over the partitions, hold each good record once."""
    expected: Counter[tuple[str, str, str]] = Counter()
    heights: Counter[str] = Counter()
    for kind, _, value, shop_key in records:
        if shop_key != b"bad":
            event = json.loads(value or b"{}")
            expected[kind, event["shop"], event["time"][:13]] += 1
            heights[event["shop"]] += "height" in event
    found: Counter[tuple[str, str, str]] = Counter()
    measured: Counter[str] = Counter()
    for topic, key, state in stage.rows("SELECT topic, key, value FROM states WHERE step='count'"):
        hour, _, shop = str(key).partition("/")
        if shop:
            cells = unpack(stored_bytes(state), dict[str, Cell], VERSION + 1, str(key))
            moment = datetime.fromtimestamp(int(hour) / 1000, UTC).strftime("%Y-%m-%dT%H")
            found[str(topic).removeprefix(f"{stage.name}."), shop, moment] += cells[ALL].count
            if "height" in cells[ALL].numbers:
                measured[shop] += cells[ALL].numbers["height"].n
    assert +found == expected
    assert measured == heights


def stored_bytes(stored: object) -> bytes:
    """The bytes that a driver gives for a blob."""
    assert isinstance(stored, bytes | memoryview)
    return bytes(stored)


def verify_taps(stage: Stage, records: Sequence[Record]) -> None:
    """The full tap has each good widget event once at each stage, and no shopper."""
    good = {
        json.loads(value or b"{}")["event_id"]
        for kind, _, value, key in records
        if kind == "widget-event" and key != b"bad"
    }
    for name in ("normalise", "pseudonymise", "segment"):
        table = f"tap_widget_event_{name}"
        found = stage.rows(f"SELECT event_id, count(*) FROM {table} GROUP BY event_id")
        assert Counter(dict.fromkeys(good, 1)) == Counter({str(row[0]): row[1] for row in found})
    for table in ("tap_widget_event_decode", "tap_widget_event_segment", "rejects"):
        for row in stage.rows(f"SELECT * FROM {table}"):
            assert ".example" not in str(row), "a shopper's address is in a row"
