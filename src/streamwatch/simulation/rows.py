"""Simulated events as NumPy rows, and their JSON.

Words are held as indices into the tables below, -1 is missing; numbers as floats, NaN is
missing. A row takes 60 to 90 bytes, so that what arrives later can wait in memory.
"""

import datetime as dt
from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamwatch.simulation.fleet import CATEGORIES, CURRENCIES, PRODUCTS, VERSIONS, Fleet

Rows = NDArray[np.void]
Kind = Literal["widget-event", "purchase", "return"]
KINDS: tuple[Kind, ...] = ("widget-event", "purchase", "return")

GENDERS = ("female", "male")
SIZES = ("XS", "S", "M", "L", "XL", "XXL")
FITS = ("tight", "regular", "loose")
REASONS = ("too small", "too large", "not as expected", "changed mind", "damaged")

_COMMON = [
    ("shop", "i4"), ("occurred", "i8"), ("arrived", "i8"), ("day", "i4"), ("number", "i4"),
    ("line", "i1"), ("shopper", "i4"), ("product", "i2"), ("category", "i1"), ("gender", "i1"),
    ("app_version", "i1"),
]  # fmt: skip
DTYPES: dict[Kind, np.dtype[np.void]] = {
    "widget-event": np.dtype(
        [
            *_COMMON, ("height", "f8"), ("weight", "f8"), ("age", "f8"),
            ("recommended_size", "i1"), ("fit_preference", "i1"),
        ]
    ),
    "purchase": np.dtype(
        [*_COMMON, ("size", "i1"), ("quantity", "f8"), ("price", "f8"), ("currency", "i1")]
    ),
    "return": np.dtype([*_COMMON, ("size", "i1"), ("quantity", "f8"), ("reason", "i1")]),
}  # fmt: skip
"""``day`` and ``number`` count the widget event that a journey began with."""

_TABLES: dict[str, tuple[str, ...]] = {
    "product": tuple(f"{name}-{i:02d}" for name in CATEGORIES for i in range(PRODUCTS)),
    "category": CATEGORIES,
    "gender": GENDERS,
    "app_version": VERSIONS,
    "recommended_size": SIZES,
    "fit_preference": FITS,
    "size": SIZES,
    "currency": CURRENCIES,
    "reason": REASONS,
}
# A missing word is index -1, which takes the last entry.
_WORDS = {name: np.array([*words, None], dtype=object) for name, words in _TABLES.items()}


class _WidgetJson(msgspec.Struct, omit_defaults=True, gc=False):
    event_id: str
    shop: str
    time: str
    shopper: str
    product: str | None = None
    category: str | None = None
    gender: str | None = None
    height: float | None = None
    height_unit: str | None = None
    weight: float | None = None
    weight_unit: str | None = None
    age: float | None = None
    recommended_size: str | None = None
    fit_preference: str | None = None
    app_version: str | None = None


class _PurchaseJson(msgspec.Struct, omit_defaults=True, gc=False):
    event_id: str
    shop: str
    time: str
    shopper: str
    order_id: str | None = None
    line: str | None = None
    product: str | None = None
    category: str | None = None
    gender: str | None = None
    size: str | None = None
    quantity: float | None = None
    price: float | None = None
    currency: str | None = None
    app_version: str | None = None


class _ReturnJson(msgspec.Struct, omit_defaults=True, gc=False):
    event_id: str
    shop: str
    time: str
    shopper: str
    order_id: str | None = None
    product: str | None = None
    category: str | None = None
    gender: str | None = None
    size: str | None = None
    quantity: float | None = None
    reason: str | None = None
    app_version: str | None = None


_JSON: dict[Kind, type[_WidgetJson | _PurchaseJson | _ReturnJson]] = {
    "widget-event": _WidgetJson,
    "purchase": _PurchaseJson,
    "return": _ReturnJson,
}
_WHOLE = ("age", "quantity")


def no_rows(kind: Kind) -> Rows:
    """An empty array of a kind."""
    return np.empty(0, DTYPES[kind])


def lose_field(rows: Rows, field: str, lost: NDArray[np.bool_]) -> None:
    """Mark a field as missing in some rows."""
    rows[field][lost] = np.nan if rows.dtype[field].kind == "f" else -1


def encode(kind: Kind, rows: Rows, fleet: Fleet) -> list[bytes]:
    """The JSON value of each row, as a client would send it; missing fields are left out."""
    shape = _JSON[kind]
    columns = [_column(kind, name, rows, fleet) for name in shape.__struct_fields__]
    encoder = msgspec.json.Encoder()
    return [encoder.encode(value) for value in map(shape, *columns)]


def shop_column(rows: Rows, fleet: Fleet) -> list[str]:
    """The name of each row's shop."""
    names: list[str] = np.array(fleet.names, dtype=object)[rows["shop"]].tolist()
    return names


def _column(kind: Kind, name: str, rows: Rows, fleet: Fleet) -> list[Any]:
    if name in _WORDS:
        words: list[Any] = _WORDS[name][rows[name]].tolist()
        return words
    if name == "event_id":
        letter = kind[0]
        ids = _journey_ids(letter, rows, fleet)
        if kind == "widget-event":
            return ids
        return [f"{start}-{line}" for start, line in zip(ids, rows["line"].tolist(), strict=True)]
    if name == "order_id":
        return _journey_ids("o", rows, fleet)
    if name == "shop":
        return shop_column(rows, fleet)
    if name == "time":
        return _times(rows["occurred"])
    if name == "shopper":
        pairs = zip(rows["shopper"].tolist(), shop_column(rows, fleet), strict=True)
        return [f"u{number}@{shop}.example" for number, shop in pairs]
    if name == "line":
        return [str(line) for line in rows["line"].tolist()]
    if name in ("height_unit", "weight_unit"):
        return ["cm" if name == "height_unit" else "kg"] * len(rows)
    return _numbers(rows[name], whole=name in _WHOLE)


def _numbers(values: NDArray[np.float64], *, whole: bool) -> list[float | int | None]:
    if not np.isnan(values).any():
        plain: list[float | int | None] = (values.astype(np.int64) if whole else values).tolist()
        return plain
    if whole:
        return [None if value != value else int(value) for value in values.tolist()]  # noqa: PLR0124
    return [None if value != value else value for value in values.tolist()]  # noqa: PLR0124


def _times(milliseconds: NDArray[np.int64]) -> list[str]:
    stamps = milliseconds.astype("datetime64[ms]")
    texts: list[str] = np.datetime_as_string(stamps, unit="ms", timezone="UTC").tolist()
    return texts


def _journey_ids(letter: str, rows: Rows, fleet: Fleet) -> list[str]:
    """``shop-003-w20260901-17``: shop, kind and day of the journey's beginning, its number."""
    start = fleet.settings.start
    days, places = np.unique(rows["day"], return_inverse=True)
    dates = [f"{start + dt.timedelta(days=int(day)):%Y%m%d}" for day in days]
    middles = np.array([f"-{letter}{date}-" for date in dates], dtype=object)[places]
    parts = zip(shop_column(rows, fleet), middles.tolist(), rows["number"].tolist(), strict=True)
    return [f"{shop}{middle}{number}" for shop, middle, number in parts]
