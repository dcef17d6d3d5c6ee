"""Columns can be renamed, left out, hashed or put in buckets."""

from pathlib import Path

import pytest

from streamwatch.adapters.settings.tap_files import load_tap_files, load_taps
from streamwatch.adapters.settings.text import plain_tap
from streamwatch.domain.events import PURCHASE, Purchase
from streamwatch.domain.rows import Row, TapRow, TapRows
from streamwatch.domain.settings import Settings
from streamwatch.domain.tap_settings import ColumnShape, TapSettings
from streamwatch.errors import ConfigurationError
from streamwatch.stages.pseudonymise import ShopKeys
from streamwatch.taps.compiled import compile_taps
from streamwatch.taps.inline_tests import unmet
from streamwatch.taps.select import event_hash
from streamwatch.taps.take import Taking, Where

START = "event: purchase\nafter: [normalise]\n"
EVENT = Purchase("e-1", "shop-001", product="dress-7", order_id="o-9", price=37.5, quantity=2.0)
KEYS = ShopKeys(b"k" * 32)


def loaded(folder: Path, lines: str) -> TapSettings:
    (folder / "one.yaml").write_text(START + lines, encoding="utf-8")
    (tap,) = load_taps(folder, Settings())
    return tap


def row(tap: TapSettings, event: Purchase = EVENT) -> TapRow:
    taps = compile_taps([tap], PURCHASE, KEYS.column)["normalise"]
    where = Where("purchase", "purchase", 0, 0)
    rows: list[Row] = []
    Taking(taps, where, rows).take(event_hash(event.event_id), event, (7, 5, 3), dict)
    (found,) = rows
    assert isinstance(found, TapRows)
    return next(iter(found))


def test_a_column_is_written_as_the_file_says(tmp_path: Path) -> None:
    tap = loaded(
        tmp_path,
        "columns: [quantity, {product: {rename: sku}}, {order_id: {hash: true}}, "
        "{price: {bucket: 10}}]\n",
    )
    columns = row(tap).columns
    assert columns["quantity"] == 2.0
    assert columns["sku"] == "dress-7"
    assert columns["price"] == 30.0
    assert len(str(columns["order_id"])) == 32
    assert "product" not in columns


def test_equal_texts_have_equal_hashes_within_a_shop_only() -> None:
    tap = TapSettings(
        "t", "purchase", ("normalise",), ("order_id",), shapes={"order_id": ColumnShape(hash=True)}
    )
    again = Purchase("e-2", "shop-001", order_id="o-9")
    elsewhere = Purchase("e-3", "shop-002", order_id="o-9")
    first, second, third = (row(tap, one).columns["order_id"] for one in (EVENT, again, elsewhere))
    assert first == second != third
    assert first != KEYS.pseudonym("shop-001", "o-9")


def test_a_missing_value_stays_missing(tmp_path: Path) -> None:
    tap = loaded(tmp_path, "columns: [{order_id: {hash: true}}, {price: {bucket: 10}}]\n")
    assert row(tap, Purchase("e", "s")).columns == {"order_id": None, "price": None}


def test_a_tap_that_drops_a_field_writes_all_others(tmp_path: Path) -> None:
    tap = loaded(tmp_path, "columns: [{product: {drop: true}}, {order_id: {hash: true}}]\n")
    columns = row(tap).columns
    assert "product" not in columns
    assert columns["price"] == 37.5
    assert columns["order_id"] != "o-9"


@pytest.mark.parametrize(
    ("lines", "mistake"),
    [
        ("columns: [{prodct: {rename: sku}}]\n", "3:11: no column `prodct` after normalise; did"),
        ("columns: [{price: {bukket: 5}}]\n", "3:20: unknown key `bukket` in column price; did"),
        ("columns: [{price: {hash: true}}]\n", "3:26: `price` is numeric: few numbers are easily"),
        ("columns: [{product: {bucket: 5}}]\n", "3:30: `product` is text, and only numbers"),
        ("columns: [{price: {bucket: 0}}]\n", "3:28: bucket of column price must be"),
        ("columns: [{price: {bucket: 5, drop: true}}]\n", "keep one of drop, hash, bucket"),
        ("columns: [{product: {rename: shop}}]\n", "3:30: `shop` is the name of another column"),
        ("columns: [{product: {rename: price}}]\n", "`price` is the name of another column"),
        ("columns: [{product: {rename: Sku}}]\n", "column name `Sku`: small letters"),
        ("columns: [{product: {rename: email}}]\n", "would store who a shopper is"),
        ("columns: [{product: {rename: mobile_login}}]\n", "would store who a shopper is"),
        ("columns: [{order_id: {rename: customer_id}}]\n", "would store who a shopper is"),
        ("columns: [{shopper: {hash: true}}]\n", "3:11: column `shopper` is never written"),
        ("columns: [{product: hash}]\n", "3:21: column product must say how it is written"),
        ("columns: [{a: {}, b: {}}]\n", "3:11: columns, item 1 must be a name, or one name"),
        ("columns: [{product: {rename: x}}, {line: {rename: x}}]\n", "two columns would be called"),
        ("rate: 0\n", "3:7: rate must be 1 to"),
        ("rate: fast\n", "rate must be a whole number, not `fast`"),
        ("budget: 10\n", "3:9: budget must be a size with its unit, such as 500kB, 10MB or 2GB"),
        ("on_slow: drop\n", "3:10: on_slow cannot be `drop`; there are: hold, shed"),
        ("max_bytes: 1 GB\n", "3:12: max_bytes must be a size"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(tmp_path: Path, lines: str, mistake: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loaded(tmp_path, lines)
    assert mistake in str(caught.value).replace(f"{tmp_path}/", "")


def test_two_taps_that_fill_a_column_differently_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(START + "columns: [{order_id: {hash: true}}]\n")
    (tmp_path / "b.yaml").write_text(START + "columns: [price, order_id]\n")
    with pytest.raises(ConfigurationError, match=r"b.yaml:3:18: the tap `a` fills the column"):
        load_taps(tmp_path, Settings())


def test_the_tests_of_a_file_cover_its_columns(tmp_path: Path) -> None:
    lines = (
        "columns: [{product: {rename: sku}}, {order_id: {hash: true}}, {price: {bucket: 10}}]\n"
        "tests:\n"
        "- {name: right, event: {event_id: a, shop: s, product: p, order_id: o, price: 39}, "
        "taken: true, columns: {sku: p, order_id: o, price: 30}}\n"
        "- {name: wrong, event: {event_id: a, shop: s, price: 39}, taken: true, "
        "columns: {price: 39}}\n"
    )
    (tmp_path / "one.yaml").write_text(START + lines, encoding="utf-8")
    (one,) = load_tap_files(tmp_path, Settings())
    assert [unmet(one.tap, test) for test in one.tests] == [
        [],
        ["column price holds 30.0, but the test says 39.0"],
    ]


def test_what_is_shown_of_a_tap_gives_the_same_tap_again(tmp_path: Path) -> None:
    tap = loaded(
        tmp_path,
        "columns: [quantity, {price: {bucket: 10}}]\nfilter: quantity > 1\nrate: 5\n"
        "budget: 10MB\nmax_rows: 1_000\nmax_bytes: 1GB\non_slow: hold\n",
    )
    plain = plain_tap(tap)
    assert plain["columns"] == ["quantity", {"price": {"bucket": 10.0}}]
    assert plain["filter"] == "quantity > 1"
    assert (plain["rate"], plain["budget"], plain["max_bytes"]) == (5, "10MB", "1GB")
    assert (plain["max_rows"], plain["on_slow"]) == (1000, "hold")
