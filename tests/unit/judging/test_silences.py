"""Silence by the shop's own cadence: habits are no news, a missing record is."""

from typing import TYPE_CHECKING

from streamwatch.domain.cells import DAY_MS, HOUR_MS

if TYPE_CHECKING:
    from tests.unit.judging.conftest import Company

    from streamwatch.domain.incidents import Incident

MONDAY = 1_704_067_200_000


def told(company: "Company") -> "list[Incident]":
    """The incidents of silence."""
    return [one for one in company.incidents.values() if one.key.kpi == "silence"]


def test_a_shop_that_uploads_by_the_hour_and_rests_at_night_is_not_silent(
    company: "Company",
) -> None:
    """Ten gaps of an hour a day must not hide the long one from what is learned as habit."""
    for day in range(30):
        start = MONDAY + day * DAY_MS
        for hour in range(12):
            company.send("shop-001", start + hour * HOUR_MS, 300)
        company.beat(start + DAY_MS + HOUR_MS)
    assert not told(company)
