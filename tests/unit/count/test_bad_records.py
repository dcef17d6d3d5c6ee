"""What bad input gets: a reason and a field, a row, and a step that goes on."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from streamwatch.domain.cells import ALL
from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import FieldMapping, ShopSettings, SourceSettings
from streamwatch.stages.decode import MAX_BYTES
from streamwatch.steps.passage import LONGEST_DEAD_LETTER

NOW = 1_788_256_800_000
HOUR = 3_600_000
Make = Callable[..., Any]

DEAD = [
    (b"junk", "undecodable"),
    (b"", "undecodable"),
    (b'{"event_id":"zz-jane"', "undecodable"),
    (b"\xff\xfe\x00\x01", "undecodable"),
    (b'{"event_id":"\xc3\x28","shop":"s"}', "undecodable"),
    (b'\xef\xbb\xbf{"event_id":"a","shop":"s"}', "undecodable"),
    (b'{"event_id":"a","shop":"s","height":NaN}', "undecodable"),
    (b'{"event_id":"a","shop":"s","height":-Infinity}', "undecodable"),
    (b'{"event_id":"a","shop":"s","height":1e999}', "undecodable"),
    (b'{"event_id":"a","shop":"s","product":"\\ud800"}', "undecodable"),
    (b'{"event_id":"a","shop":"s","time":' + b"9" * 5_000 + b"}", "undecodable"),
    (b'{"event_id":"a","shop":"s"} {}', "undecodable"),
    (b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too-deep"),
    (b'{"x":' + b'{"y":' * 5_000 + b"1" + b"}" * 5_001, "too-deep"),
    (b"[1,2]", "not-an-object"),
    (b"null", "not-an-object"),
    (b'"text"', "not-an-object"),
    (b"17", "not-an-object"),
    (b'{"event_id":"' + b"a" * MAX_BYTES + b'","shop":"s"}', "oversized"),
    (None, "tombstone"),
]


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize(("value", "reason"), DEAD, ids=lambda given: str(given)[:30])
def test_what_cannot_be_read_is_dead_lettered_as_it_was(
    counting: Make, widget: Make, value: bytes | None, reason: str, *, mapped: bool
) -> None:
    count = counting(MAPPED if mapped else Settings())
    count.feed(widget(), value, widget())
    assert count.counts == (2, 0, 1)
    (row,) = count.rejects
    assert (row.kind, row.stage, row.reason, row.field) == ("dead-letter", "decode", reason, "")
    assert (row.event_id, row.shop) == (None, None)
    assert row.payload == ("<tombstone>" if value is None else f"<{len(value)} bytes>")
    (message,) = count.messages
    assert (message.topic, message.key) == ("widget-event.dlq", b"key")
    assert message.value == (value or b"")[:LONGEST_DEAD_LETTER]
    headers = dict(message.headers)
    cut_from = headers.pop("streamwatch.cut_from", None)
    assert cut_from == (b"%d" % len(value) if value and message.value != value else None)
    assert headers == {
        "streamwatch.topic": b"widget-event",
        "streamwatch.partition": b"3",
        "streamwatch.offset": b"1",
        "streamwatch.stage": b"decode",
        "streamwatch.reason": reason.encode(),
    }


def test_a_dead_letter_fits_what_a_producer_takes_by_default(counting: Make) -> None:
    """Otherwise one junk record of nearly the broker's limit would stop the worker for good."""
    count = counting()
    count.feed(b"x" * 1_048_000)
    (message,) = count.messages
    extra = sum(len(name) + len(value) for name, value in message.headers)
    assert len(message.value) + len(message.key) + extra < 1_000_000


MAPPED = Settings(
    sources=(
        SourceSettings(
            "widget-event", "widget-event", fields={"app_version": FieldMapping(path="app.v")}
        ),
    )
)

REJECTED: list[tuple[dict[str, Any], str, str, str]] = [
    ({"height": "tall"}, "decode", "wrong-type", "height"),
    ({"height": [170]}, "decode", "wrong-type", "height"),
    ({"height": True}, "decode", "wrong-type", "height"),
    ({"height": "\u0661\u0667\u0660"}, "decode", "wrong-type", "height"),
    ({"height": "\u0665'\u0661\u0661"}, "decode", "wrong-type", "height"),
    ({"height": 10**400}, "decode", "wrong-type", "height"),
    ({"gender": {"is": "f"}}, "decode", "wrong-type", "gender"),
    ({"shopper": {"name": "zz-jane"}}, "decode", "wrong-type", "shopper"),
    ({"shopper": 1.5}, "decode", "wrong-type", "shopper"),
    ({"time": {"at": 5}}, "decode", "wrong-type", "time"),
    ({"event_id": None}, "decode", "missing-required", "event_id"),
    ({"shop": None}, "decode", "missing-required", "shop"),
    ({"event_id": ""}, "validate", "bad-id", "event_id"),
    ({"event_id": "a" * 10_000}, "validate", "bad-id", "event_id"),
    ({"event_id": "a\0b"}, "validate", "bad-id", "event_id"),
    ({"shop": ""}, "validate", "bad-id", "shop"),
    ({"shop": "s" * 10_000}, "validate", "bad-id", "shop"),
    ({"shop": "shop-001\0"}, "validate", "bad-id", "shop"),
    ({"time": None}, "validate", "bad-time", "time"),
    ({"time": "soon"}, "validate", "bad-time", "time"),
    ({"time": "\u0661\u0667\u0668\u0668\u0662\u0665\u0666\u0668\u0660\u0660"}, "validate",
     "bad-time", "time"),
    ({"time": 0}, "validate", "absurd-time", "time"),
    ({"time": "1970-01-01T00:00:00Z"}, "validate", "absurd-time", "time"),
    ({"time": "0001-01-01T00:00:00"}, "validate", "absurd-time", "time"),
    ({"time": "9999-12-31T23:59:59Z"}, "validate", "future-time", "time"),
    ({"time": NOW + HOUR + 1}, "validate", "future-time", "time"),
    ({"time": 10**400}, "validate", "future-time", "time"),
    ({"time": 1e300}, "validate", "future-time", "time"),
    ({"height": 1e300}, "validate", "absurd-number", "height"),
    ({"height": 10**30}, "validate", "absurd-number", "height"),
    ({"weight": -1e13}, "validate", "absurd-number", "weight"),
    ({"height_unit": "furlong"}, "normalise", "unknown-unit", "height_unit"),
    ({"time": NOW - 8 * 24 * HOUR - 1}, "segment", "too-late", "time"),
]  # fmt: skip


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize(
    ("fields", "stage", "reason", "field"), REJECTED, ids=lambda given: str(given)[:30]
)
def test_a_wrong_field_is_named(
    counting: Make, widget: Make, fields: dict[str, Any], stage: str, reason: str, field: str,
    *, mapped: bool,
) -> None:  # fmt: skip
    count = counting(MAPPED if mapped else Settings())
    count.feed(widget(), widget(**fields), widget())
    count.settle()
    assert count.counts == (2, 1, 0)
    (row,) = count.rejects
    assert (row.kind, row.stage, row.reason, row.field) == ("reject", stage, reason, field)
    assert (row.offset, row.partition) == (1, 3)
    assert "zz-jane" not in row.payload
    assert "shopper" not in row.payload
    assert len(row.event_id or "") <= 200
    assert len(row.shop or "") <= 200
    assert not count.messages
    assert count.total("shop-001") == 2


@pytest.mark.parametrize("text", ["NaN", "inf", "-Infinity", "1e999"])
def test_text_that_is_no_finite_number_is_refused(counting: Make, widget: Make, text: str) -> None:
    source = SourceSettings("widget-event", "widget-event", types="lenient")
    count = counting(Settings(sources=(source,)))
    count.feed(widget(height=text), widget())
    assert count.counts == (1, 1, 0)
    assert count.rejects[0].field == "height"


def test_an_unknown_shop_is_refused_when_only_known_ones_are_let_in(
    counting: Make, widget: Make
) -> None:
    shops = {"default": ShopSettings(), "shop-001": ShopSettings()}
    count = counting(Settings(shops=shops, known_only=True))
    count.feed(widget(), widget(shop="shop-999"), widget(shop="default"))
    count.settle()
    assert [(row.reason, row.shop) for row in count.rejects] == [
        ("unknown-shop", "shop-999"), ("unknown-shop", "default"),
    ]  # fmt: skip
    assert {shop for shop, _ in count.partials} == {"shop-001"}


def test_a_payload_is_short_and_holds_only_fields_of_events(counting: Make, widget: Make) -> None:
    count = counting()
    count.feed(widget(height="x" * 5_000, note="call me", product={"zz": 1}))
    payload = count.rejects[0].payload
    assert json.loads(payload) == {
        "event_id": "e-1", "shop": "shop-001", "time": NOW, "gender": "female",
        "height": "x" * 80, "product": "<dict>",
    }  # fmt: skip


def test_a_shopper_under_the_name_of_another_field_is_not_shown(counting: Make) -> None:
    fields = {"shopper": FieldMapping(path="product")}
    source = SourceSettings("widget-event", "widget-event", fields=fields)
    count = counting(Settings(sources=(source,)))
    count.feed(json.dumps({"event_id": "a", "shop": "s", "product": "zz-jane"}).encode())
    assert count.counts == (0, 1, 0)
    assert "zz-jane" not in count.rejects[0].payload


def test_rejects_are_counted_in_the_shops_newest_hour(counting: Make, widget: Make) -> None:
    count = counting()
    count.feed(widget(), widget(height="tall"), widget(time="soon"), widget(height_unit="?"))
    count.settle()
    cell = count.cells("shop-001", NOW)[ALL]
    assert cell.count == 1
    assert cell.rejects == {
        "decode/wrong-type/height": 1,
        "validate/bad-time/time": 1,
        "normalise/unknown-unit/height_unit": 1,
    }
    assert {stage: moments["height"].n for stage, moments in cell.stages.items()} == {
        "decode": 2, "validate": 1, "normalise": 1, "pseudonymise": 1, "segment": 1,
    }  # fmt: skip


def test_a_shop_that_declares_only_unknown_units_is_seen(counting: Make, widget: Make) -> None:
    count = counting()
    count.feed(*[widget(height_unit="?")] * 3)
    count.settle()
    assert count.cells("shop-001", NOW)[ALL].rejects == {"normalise/unknown-unit/height_unit": 3}
