"""Journeys of a day: use of the size widget, then perhaps a purchase, then perhaps a return."""

import numpy as np

from streamwatch.simulation.arrival import arrivals
from streamwatch.simulation.chance import Ints, pick
from streamwatch.simulation.fleet import DAY_MS, PRODUCTS, Fleet
from streamwatch.simulation.people import (
    bodies,
    choose_shoppers,
    declared,
    fitting_size,
    preferred_fit,
)
from streamwatch.simulation.rows import DTYPES, KINDS, REASONS, SIZES, Kind, Rows, lose_field

_COPIED = (
    "shop", "day", "number", "shopper", "product", "category", "gender", "app_version",
)  # fmt: skip
_TAKES_ADVICE = 0.85
_SECOND_LINE = 0.15
_TWO_PIECES = 0.05
_ON_OFFER = 0.1
_SIZE_REASONS = 2
"""The first reasons, too small and too large, are about the size."""


def journeys(
    fleet: Fleet, day: int, counts: Ints, first: Ints, rng: np.random.Generator
) -> dict[Kind, Rows]:
    """The rows of all journeys that begin on a day, whenever their later events happen.

    Args:
        fleet: the shops.
        day: 0 is the first day of the simulation.
        counts: how many journeys begin in each shop.
        first: number of each shop's first journey.
        rng: drawn from in a fixed order.
    """
    shop = np.repeat(np.arange(len(counts)), counts)
    widgets = np.zeros(len(shop), DTYPES["widget-event"])
    widgets["shop"] = shop
    widgets["day"] = day
    begins = np.cumsum(counts) - counts
    widgets["number"] = np.arange(len(shop)) - begins[shop] + first[shop]
    hour = pick(fleet.hours, shop, rng.random(len(shop)))
    midnight = fleet.settings.start_ms + day * DAY_MS
    within = (rng.random(len(shop)) * 3_600_000).astype(np.int64)
    widgets["occurred"] = midnight + hour * 3_600_000 + within
    _fill_shoppers(widgets, fleet, shop, day, rng)
    purchases = _purchases(widgets, fleet, rng)
    returns = _returns(purchases, fleet, rng)
    rows: dict[Kind, Rows] = dict(zip(KINDS, (widgets, purchases, returns), strict=True))
    for some in rows.values():
        some["arrived"] = arrivals(fleet, some["shop"].astype(np.int64), some["occurred"], rng)
        _lose_values(some, fleet, rng)
    return rows


def _fill_shoppers(
    widgets: Rows, fleet: Fleet, shop: Ints, day: int, rng: np.random.Generator
) -> None:
    shopper = choose_shoppers(fleet, shop, day, rng)
    gender = shopper % 2
    height, weight, age = bodies(fleet, shop, shopper)
    shift = rng.normal(0.0, 0.15, (2, len(fleet.names)))
    widgets["shopper"] = shopper
    widgets["gender"] = gender
    widgets["height"] = declared(height, shift[0][shop], rng)
    widgets["weight"] = declared(weight, shift[1][shop], rng)
    widgets["age"] = np.floor(age)
    size = fitting_size(height, weight, gender)
    widgets["recommended_size"] = size
    widgets["fit_preference"] = preferred_fit(fleet, shop, shopper)
    category = pick(fleet.categories, 2 * shop + gender, rng.random(len(shop)))
    widgets["category"] = category
    widgets["product"] = category * PRODUCTS + _product(len(shop), rng)
    widgets["app_version"] = pick(fleet.versions, shop, rng.random(len(shop)))


def _product(count: int, rng: np.random.Generator) -> Ints:
    return np.floor(PRODUCTS * rng.random(count) ** 2).astype(np.int64)


def _purchases(widgets: Rows, fleet: Fleet, rng: np.random.Generator) -> Rows:
    bought = widgets[rng.random(len(widgets)) < fleet.conversion[widgets["shop"]]]
    second = rng.random(len(bought)) < _SECOND_LINE
    order = np.repeat(np.arange(len(bought)), 1 + second)
    is_second = np.zeros(len(order), bool)
    is_second[1:] = order[1:] == order[:-1]
    minutes = np.clip(rng.lognormal(np.log(12.0), 1.4, len(bought)), 0.5, 24 * 60.0)

    purchases = np.zeros(len(order), DTYPES["purchase"])
    for name in _COPIED:
        purchases[name] = bought[name][order]
    purchases["line"] = 1 + is_second
    purchases["occurred"] = (bought["occurred"] + (minutes * 60_000).astype(np.int64))[order]
    other = purchases["category"].astype(np.int64) * PRODUCTS + _product(len(order), rng)
    purchases["product"] = np.where(is_second, other, purchases["product"])
    off = rng.choice([-1, 1], len(order)) * (rng.random(len(order)) >= _TAKES_ADVICE)
    size = bought["recommended_size"][order].astype(np.int64) + off
    purchases["size"] = np.clip(size, 0, len(SIZES) - 1)
    purchases["quantity"] = 1.0 + (rng.random(len(order)) < _TWO_PIECES)
    full = fleet.prices[purchases["shop"], purchases["product"]]
    on_offer = rng.random(len(order)) < _ON_OFFER
    purchases["price"] = np.round(np.where(on_offer, full * 0.8, full), 2)
    purchases["currency"] = fleet.currency[purchases["shop"]]
    return purchases


def _returns(purchases: Rows, fleet: Fleet, rng: np.random.Generator) -> Rows:
    comes_back = rng.random(len(purchases)) < fleet.return_rate[purchases["shop"]]
    sent = purchases[comes_back]
    returns = np.zeros(len(sent), DTYPES["return"])
    for name in (*_COPIED, "line", "size"):
        returns[name] = sent[name]
    days = np.clip(rng.gamma(4.0, 1.5, len(sent)), 1.0, 21.0)
    returns["occurred"] = sent["occurred"] + (days * DAY_MS).astype(np.int64)
    returns["quantity"] = np.where(rng.random(len(sent)) < 0.5, 1.0, sent["quantity"])  # noqa: PLR2004
    about_size = rng.integers(0, _SIZE_REASONS, len(sent))
    other = rng.integers(_SIZE_REASONS, len(REASONS), len(sent))
    returns["reason"] = np.where(rng.random(len(sent)) < 0.65, about_size, other)  # noqa: PLR2004
    return returns


def _lose_values(rows: Rows, fleet: Fleet, rng: np.random.Generator) -> None:
    """Leave out a natural share of the optional fields."""
    shop = rows["shop"]
    for field, rates in fleet.missing.items():
        if field in (rows.dtype.names or ()):
            lost = rng.random(len(rows)) < rates[shop]
            lose_field(rows, field, lost)
