"""The simulated shops: how large, how regular and how different they are.

A fleet is held as arrays with one entry a shop, so that a day of all shops is drawn at once.
"""

import datetime as dt

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamwatch.errors import ConfigurationError
from streamwatch.simulation.chance import cumulative, generator

DAY_MS = 86_400_000
CONTINUOUS, DAILY_FILE, WEEKLY_FILE = 0, 1, 2
RHYTHMS = ("continuous", "daily file", "weekly file")
CATEGORIES = ("shirts", "trousers", "dresses", "jackets", "knitwear")
VERSIONS = ("4.1.0", "4.2.0", "5.0.0")
CURRENCIES = ("EUR", "GBP", "USD", "CHF")
PRODUCTS = 40
"""Products of one category."""

MOST = 10_000_000
"""Widget events a day of one shop, at most."""

_COUNTRIES = (("EUR", 1), ("EUR", 2), ("GBP", 0), ("CHF", 1), ("USD", -5))
_COUNTRY_SHARES = (0.45, 0.15, 0.25, 0.1, 0.05)
_WEEKEND_SHOP = (0.95, 0.9, 0.9, 0.95, 1.0, 1.1, 1.2)
_OFFICE_SHOP = (1.15, 1.1, 1.1, 1.05, 1.0, 0.75, 0.85)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class FleetSettings(msgspec.Struct, frozen=True):
    """What to simulate.

    Attributes:
        shops: how many; they are named shop-001, shop-002, … from the largest.
        days: how many days, each from midnight to midnight UTC.
        seed: the same seed gives the same bytes.
        start: first day.
        smallest, largest: widget events a day of the last and the first shop; those between
            stand at even steps of the logarithm.
        scale: factor on all sizes.
        sale_rate: share of its days on which a shop has a sale of its own; with 0 there are
            no sales that all have at once either.
        history_days: days before the start whose purchases and returns still come in; 0
            makes every return refer to a purchase that is there.
    """

    shops: int
    days: int
    seed: int = 0
    start: dt.date = dt.date(2026, 9, 1)
    smallest: float = 3.0
    largest: float = 100_000.0
    scale: float = 1.0
    sale_rate: float = 1 / 45
    history_days: int = 14

    @property
    def start_ms(self) -> int:
        """Midnight UTC of the first day, milliseconds since 1970."""
        return (self.start - dt.date(1970, 1, 1)).days * DAY_MS

    @property
    def end_ms(self) -> int:
        """Midnight UTC after the last day."""
        return self.start_ms + self.days * DAY_MS


class Fleet(msgspec.Struct, frozen=True):
    """The shops as arrays with one entry, or one row, a shop.

    Attributes:
        settings: what it was built from.
        names: ``shop-001`` …
        size: mean widget events a day.
        rhythm: index into `RHYTHMS`.
        utc_offset_ms: local time minus UTC; summer time is not simulated.
        file_ms: local time of day at which files come.
        file_weekday: day of the weekly file, 0 is Monday.
        weekday: (shops, 7) factors with mean 1.
        hours: (shops, 24) cumulative shares of the hours of the UTC day.
        growth: relative growth a year.
        dispersion: coefficient of variation from day to day beyond Poisson.
        holiday: factor on a holiday; 1 for a shop that keeps none.
        men: share of men.
        categories: (2 shops, 5) cumulative shares; row 2 i for shop i's women, 2 i + 1 men.
        versions: (shops, 3) cumulative shares.
        height_offset, weight_factor, age_mean: how a shop's shoppers differ, cm, ratio, years.
        conversion: purchases per widget event.
        return_rate: returns per purchase.
        missing: field → (shops,) natural share of missing values.
        currency: index into `CURRENCIES`.
        prices: (shops, 5 · 40) price of each product.
    """

    settings: FleetSettings
    names: tuple[str, ...]
    size: Floats
    rhythm: Ints
    utc_offset_ms: Ints
    file_ms: Ints
    file_weekday: Ints
    weekday: Floats
    hours: Floats
    growth: Floats
    dispersion: Floats
    holiday: Floats
    men: Floats
    categories: Floats
    versions: Floats
    height_offset: Floats
    weight_factor: Floats
    age_mean: Floats
    conversion: Floats
    return_rate: Floats
    missing: dict[str, Floats]
    currency: Ints
    prices: Floats


def shop_names(settings: FleetSettings) -> tuple[str, ...]:
    """The names, from the largest shop to the smallest.

    >>> shop_names(FleetSettings(shops=2, days=1))
    ('shop-001', 'shop-002')
    """
    return tuple(f"shop-{number:03d}" for number in range(1, settings.shops + 1))


def shop_sizes(settings: FleetSettings) -> Floats:
    """Mean widget events a day: the quantiles of a log-uniform distribution, falling.

    >>> shop_sizes(FleetSettings(shops=3, days=1, smallest=10, largest=1000)).round().tolist()
    [1000.0, 100.0, 10.0]
    """
    ends = np.log([settings.largest, settings.smallest])
    return np.exp(np.linspace(ends[0], ends[1], settings.shops)) * settings.scale


def shop_rhythms(settings: FleetSettings) -> Ints:
    """Of every ten shops the 4th and 9th send a daily file and the 7th a weekly one.

    By place and not by lot, so that a fleet of any size has some of each.
    """
    place = np.arange(1, settings.shops + 1) % 10
    return np.select([np.isin(place, (4, 9)), place == 7], [DAILY_FILE, WEEKLY_FILE], CONTINUOUS)  # noqa: PLR2004


def build_fleet(settings: FleetSettings) -> Fleet:
    """Draw the shops.

    Raises:
        ConfigurationError: a setting is out of range.
    """
    _check(settings)
    n = settings.shops
    rng = generator(settings.seed, "fleet")
    currency, utc_offset = _countries(rng, n)
    women = rng.dirichlet(np.array([5.0, 4.0, 5.0, 2.0, 3.0]) * 4, n)
    men = rng.dirichlet(np.array([6.0, 5.0, 0.05, 3.0, 3.0]) * 4, n)
    return Fleet(
        settings=settings,
        names=shop_names(settings),
        size=shop_sizes(settings),
        rhythm=shop_rhythms(settings),
        utc_offset_ms=utc_offset * 3_600_000,
        file_ms=rng.integers(5 * 60, 8 * 60, n) * 60_000,
        file_weekday=rng.integers(0, 5, n),
        weekday=_weekdays(rng, n),
        hours=_hours(rng, n, utc_offset),
        growth=rng.normal(0.1, 0.25, n),
        dispersion=rng.uniform(0.04, 0.18, n),
        holiday=np.where(rng.random(n) < 0.8, rng.uniform(0.25, 0.65, n), 1.0),  # noqa: PLR2004
        men=np.clip(rng.normal(0.4, 0.12, n), 0.1, 0.8),
        categories=cumulative(np.stack([women, men], axis=1).reshape(2 * n, len(CATEGORIES))),
        versions=cumulative(rng.dirichlet([6.0, 9.0, 9.0], n)),
        height_offset=rng.normal(0.0, 0.8, n),
        weight_factor=rng.normal(1.0, 0.015, n),
        age_mean=rng.normal(37.0, 4.0, n),
        conversion=rng.uniform(0.08, 0.22, n),
        return_rate=rng.uniform(0.12, 0.4, n),
        missing=_missing_rates(rng, n),
        currency=currency,
        prices=_prices(rng, n),
    )


def _check(settings: FleetSettings) -> None:
    wrong = [
        (settings.shops < 1, "the number of shops must be 1 or more"),
        (settings.days < 1, "the number of days must be 1 or more"),
        (settings.seed < 0, "the seed must be 0 or more"),
        (not 0 < settings.smallest <= settings.largest, "0 < smallest <= largest must hold"),
        (not settings.scale > 0, "the scale must be above 0"),
        (
            settings.largest * settings.scale > MOST,
            f"a shop can have {MOST:,} widget events a day at most",
        ),
        (not 0 <= settings.sale_rate <= 1, "the sale rate must lie between 0 and 1"),
        (settings.history_days < 0, "the history must be 0 days or more"),
    ]
    for is_wrong, message in wrong:
        if is_wrong:
            raise ConfigurationError(f"simulation: {message}")


def _countries(rng: np.random.Generator, n: int) -> tuple[Ints, Ints]:
    drawn = rng.choice(len(_COUNTRIES), n, p=_COUNTRY_SHARES)
    currency = np.array([CURRENCIES.index(code) for code, _ in _COUNTRIES])[drawn]
    return currency, np.array([hours for _, hours in _COUNTRIES])[drawn]


def _weekdays(rng: np.random.Generator, n: int) -> Floats:
    blend = rng.random((n, 1))
    factors = blend * np.array(_WEEKEND_SHOP) + (1 - blend) * np.array(_OFFICE_SHOP)
    factors = factors * rng.lognormal(0.0, 0.05, (n, 7))
    normed: Floats = factors / factors.mean(axis=1, keepdims=True)
    return normed


def _hours(rng: np.random.Generator, n: int, utc_offset: Ints) -> Floats:
    """A bump at noon and one in the evening on a low floor, in UTC hours."""
    hour = np.arange(24) + 0.5
    local = (hour[None, :] + utc_offset[:, None]) % 24
    noon = np.exp(-0.5 * ((local - rng.normal(12.5, 0.8, (n, 1))) / 2.5) ** 2)
    evening = np.exp(-0.5 * ((local - rng.normal(20.3, 0.6, (n, 1))) / 1.8) ** 2)
    floor = np.where((local > 1) & (local < 6), 0.02, 0.12)  # noqa: PLR2004
    return cumulative(noon * rng.uniform(0.5, 1.2, (n, 1)) + evening + floor)


def _missing_rates(rng: np.random.Generator, n: int) -> dict[str, Floats]:
    ranges = {
        "height": (0.005, 0.03),
        "weight": (0.01, 0.05),
        "age": (0.03, 0.1),
        "gender": (0.002, 0.01),
        "category": (0.0, 0.003),
        "recommended_size": (0.005, 0.02),
        "fit_preference": (0.03, 0.12),
        "size": (0.0, 0.003),
        "reason": (0.02, 0.1),
        "app_version": (0.0, 0.002),
    }
    return {field: rng.uniform(low, high, n) for field, (low, high) in ranges.items()}


def _prices(rng: np.random.Generator, n: int) -> Floats:
    level = np.repeat(np.log([35.0, 55.0, 70.0, 110.0, 60.0]), PRODUCTS)
    prices = np.exp(level + rng.normal(0.0, 0.25, (n, 1)) + rng.normal(0.0, 0.3, (n, len(level))))
    rounded: Floats = (np.round(prices) - 0.05).astype(np.float64)
    return rounded
