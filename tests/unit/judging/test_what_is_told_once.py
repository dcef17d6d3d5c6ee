"""One departure is one incident: its end is none, nor are the parts that only go along."""

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from streamwatch.domain.cells import DAY_MS, HOUR_MS, Cell, Moments
from streamwatch.domain.sketch import bin_of

if TYPE_CHECKING:
    from tests.unit.judging.conftest import Company

MONDAY = 1_704_067_200_000
SHOP = "shop-001"


def day_of_segments(company: "Company", day: int, counts: dict[str, int]) -> None:
    """A day of a shop whose records all lie in one of the segments."""
    cells = {name: Cell(count=count) for name, count in counts.items()}
    company.send(SHOP, MONDAY + day * DAY_MS, sum(counts.values()), segments=cells)
    company.beat(MONDAY + (day + 1) * DAY_MS + 2 * HOUR_MS)


def ordinary(rng: np.random.Generator, factor: float = 1.0) -> dict[str, int]:
    """The counts of a day's segments."""
    names = ("category=shirts", "category=trousers", "category=dresses")
    return {name: int(rng.poisson(120 * factor)) for name in names}


def test_the_end_of_a_long_fault_is_no_incident(company: "Company") -> None:
    """Ten days of it made it the new normal; what was normal before is not forgotten so soon."""
    rng = np.random.default_rng(1)
    for day in range(50):
        level = 1200 if 30 <= day < 40 else 400
        company.day(day, {SHOP: int(rng.poisson(level))}, 170.0 if day < 45 else 170.1)
    [incident] = company.incidents.values()
    assert incident.since == MONDAY + 30 * DAY_MS
    verdicts = company.of("volume")
    assert {verdict.state for verdict in verdicts[37:]} == {"usual"}
    assert "as before" in verdicts[40].reason
    assert "as before" not in verdicts[41].reason


def test_a_second_fault_after_the_return_is_told(company: "Company") -> None:
    rng = np.random.default_rng(2)
    for day in range(60):
        level = 1200 if 30 <= day < 40 or day >= 58 else 400
        company.day(day, {SHOP: int(rng.poisson(level))})
    since = sorted(incident.since for incident in company.incidents.values())
    assert since == [MONDAY + 30 * DAY_MS, MONDAY + 58 * DAY_MS]


def test_a_wrong_unit_never_becomes_the_normal(company: "Company") -> None:
    rng = np.random.default_rng(3)
    for day in range(60):
        height = 170 / 2.54 if day >= 40 else 170.0
        start = MONDAY + day * DAY_MS
        values = np.exp(rng.normal(np.log(height), 0.05, 300))
        bins = Counter(bin_of(value) for value in values.tolist())
        moments = Moments(300, float(values.mean()), float(values.var() * 300))
        company.send(SHOP, start, 300, height=moments, bins=dict(bins))
        company.beat(start + DAY_MS + 2 * HOUR_MS)
    assert {verdict.state for verdict in company.of("mean.height")[40:]} == {"unusual"}


def test_segments_that_go_along_with_their_shop_are_told_by_its_incident(
    company: "Company",
) -> None:
    rng = np.random.default_rng(4)
    for day in range(60):
        day_of_segments(company, day, ordinary(rng, 2.5 if 40 <= day < 55 else 1.0))
    [incident] = company.incidents.values()
    assert incident.key.segment == "all"
    for segment in ("category=shirts", "category=dresses"):
        assert {one.state for one in company.of("volume", segment=segment)[16:]} == {"usual"}


def test_a_segment_that_departs_for_itself_is_told(company: "Company") -> None:
    rng = np.random.default_rng(5)
    for day in range(43):
        counts = ordinary(rng)
        if day >= 40:
            counts["category=shirts"] = 0
        day_of_segments(company, day, counts)
    assert "category=shirts" in {one.key.segment for one in company.incidents.values()}


def test_a_sale_day_of_a_large_shop_is_judged_by_its_day_not_by_its_hours(
    company: "Company",
) -> None:
    """All hours of a day depart together; that is one departure, as far out as its day's."""
    rng = np.random.default_rng(6)
    for day in range(50):
        factor = rng.gamma(100, 1 / 100) * (1.5 if day == 45 else 1.0)
        for hour in range(24):
            mean = 200 * factor * (1 + 0.8 * np.sin(hour / 24 * 6.28))
            company.send(SHOP, MONDAY + day * DAY_MS + hour * HOUR_MS, int(rng.poisson(mean)))
            company.beat(MONDAY + day * DAY_MS + (hour + 1) * HOUR_MS)
    assert not company.incidents


def test_returns_of_earlier_purchases_are_no_news_on_a_day_without_sales(
    company: "Company",
) -> None:
    rng = np.random.default_rng(7)
    for day in range(45):
        start = MONDAY + day * DAY_MS
        bought = int(rng.poisson(300 * (0.5 if day == 40 else 1.0)))
        company.send(SHOP, start, bought, event_type="purchase")
        company.send(SHOP, start, int(rng.poisson(90)), event_type="return")
        company.beat(start + DAY_MS + 2 * HOUR_MS, event_type="purchase")
        company.beat(start + DAY_MS + 2 * HOUR_MS, event_type="return")
    ratios = company.of("ratio.returns")
    assert ratios[40].state == "warming"
    assert "purchases are" in ratios[40].reason
    assert {verdict.state for verdict in ratios[24:40]} == {"usual"}
    assert not [one for one in company.incidents.values() if one.key.kpi == "ratio.returns"]
