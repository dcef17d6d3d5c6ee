"""Ratios of two event types whose topics are read at different paces, as in a replay."""

from tests.unit.judging.conftest import MONDAY, Company

from streamwatch.domain.cells import DAY_MS, HOUR_MS

SHOP = "shop-001"
DAYS = 40


def send_days(company: Company, event_type: str, count: int) -> None:
    """All days of one event type, as fast as its topic can be read."""
    company.now = 0  # what is replayed keeps the times at which it arrived
    for day in range(DAYS):
        start = MONDAY + day * DAY_MS
        company.send(SHOP, start + 12 * HOUR_MS, count, event_type=event_type)
        company.beat(start + DAY_MS + 2 * HOUR_MS, event_type=event_type, lag=DAYS - day)


def test_every_day_has_its_ratio_however_far_returns_are_ahead_of_purchases(
    company: Company,
) -> None:
    company.beat(MONDAY, event_type="purchase", lag=DAYS)
    send_days(company, "return", 10)
    send_days(company, "purchase", 100)
    ratios = company.of("ratio.returns")
    assert [one.value for one in ratios] == [0.1] * DAYS
    assert ratios[-1].state == "usual"


def test_what_waits_for_another_event_type_is_forgotten_once_both_have_passed(
    company: Company,
) -> None:
    company.beat(MONDAY, event_type="purchase", lag=DAYS)
    send_days(company, "return", 10)
    send_days(company, "purchase", 100)
    company.beat(MONDAY + (DAYS + 30) * DAY_MS, event_type="purchase")
    company.beat(MONDAY + (DAYS + 31) * DAY_MS, event_type="return")
    streams = company.judge_state.shops[SHOP]
    assert all(
        min(one.days, default=MONDAY + DAYS * DAY_MS) > MONDAY + 30 * DAY_MS
        for one in streams.values()
    )
