"""What an on-call engineer relies on: what opens an incident, what closes it, what does not."""

from typing import TYPE_CHECKING

import numpy as np

from streamwatch.domain.cells import DAY_MS, HOUR_MS, Cell, Moments
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.settings import JudgingSettings

if TYPE_CHECKING:
    from tests.unit.judging.conftest import Company

MONDAY = 1_704_067_200_000
WEEK = (1.0, 1.0, 1.05, 1.0, 1.1, 0.6, 0.4)


def ordinary(rng: np.random.Generator, day: int, level: float = 400.0, wobble: float = 0.08) -> int:
    """A day's count with a weekend and a day-to-day wobble beyond Poisson."""
    mean = level * WEEK[day % 7] * rng.gamma(1 / wobble**2, wobble**2)
    return int(rng.poisson(mean))


def learn_eight_weeks(
    company: "Company", rng: np.random.Generator, *, height: float | None = None
) -> None:
    for day in range(56):
        center = None if height is None else height + rng.normal(0, 0.5)
        company.day(day, {"shop-001": ordinary(rng, day)}, center)


def test_a_halved_volume_opens_one_incident_that_closes_after_recovery(company: "Company") -> None:
    rng = np.random.default_rng(1)
    learn_eight_weeks(company, rng)
    for day in (56, 57):
        company.day(day, {"shop-001": ordinary(rng, day) // 2})
    [incident] = company.incidents.values()
    assert (incident.status, incident.direction, incident.since) == (
        "open",
        "low",
        MONDAY + 56 * DAY_MS,
    )
    assert incident.key == KpiKey("shop-001", "widget-event", "volume")
    assert incident.id == "shop-001/widget-event/volume/all/day/low@2024-02-26T00:00:00Z"
    assert incident.value < incident.lower < incident.expected
    company.day(58, {"shop-001": ordinary(rng, 58)})
    [incident] = company.incidents.values()
    assert (incident.status, incident.until) == ("closed", MONDAY + 58 * DAY_MS)
    assert "usual again" in incident.reason


def test_a_second_departure_makes_a_new_incident(company: "Company") -> None:
    rng = np.random.default_rng(1)
    learn_eight_weeks(company, rng)
    for day in range(56, 62):
        share = 0 if day in {56, 60} else 1
        company.day(day, {"shop-001": ordinary(rng, day) * share})
    volumes = [one for one in company.incidents.values() if one.key.kpi == "volume"]
    assert [incident.status for incident in volumes] == ["closed"] * 2


def test_a_mean_height_that_falls_by_ten_centimetres_opens(company: "Company") -> None:
    rng = np.random.default_rng(2)
    learn_eight_weeks(company, rng, height=170.0)
    for day in (56, 57):
        company.day(day, {"shop-001": ordinary(rng, day)}, 160.0)
    [incident] = company.incidents.values()
    assert (incident.key.kpi, incident.direction, incident.status) == ("mean.height", "low", "open")
    assert "160.00" in incident.reason


def test_the_weekend_is_no_alarm(company: "Company") -> None:
    rng = np.random.default_rng(3)
    learn_eight_weeks(company, rng)
    assert not company.incidents
    assert {verdict.state for verdict in company.of("volume")[15:]} == {"usual"}


def test_a_shop_that_rests_on_sundays_is_not_missed_on_sunday(company: "Company") -> None:
    rng = np.random.default_rng(4)
    for day in range(56):
        company.day(day, {"shop-001": 0 if day % 7 == 6 else ordinary(rng, day)})
    assert not company.incidents


def test_a_silent_shop_is_judged_as_zero_every_day(company: "Company") -> None:
    rng = np.random.default_rng(5)
    learn_eight_weeks(company, rng)
    for day in (56, 57, 58):
        company.day(day, {})
    silent = company.of("volume")[-3:]
    assert [(verdict.value, verdict.state) for verdict in silent] == [(0.0, "unusual")] * 3
    by_kpi = {incident.key.kpi: incident for incident in company.incidents.values()}
    assert by_kpi["volume"].buckets == 3
    assert by_kpi["silence"].status == "open"
    assert "hours without a record" in by_kpi["silence"].reason


def test_an_outage_never_becomes_the_normal(company: "Company") -> None:
    rng = np.random.default_rng(6)
    learn_eight_weeks(company, rng)
    for day in range(56, 90):
        company.day(day, {})
    assert company.of("volume")[-1].state == "unusual"


def test_a_lasting_new_level_becomes_the_normal_after_a_week(company: "Company") -> None:
    rng = np.random.default_rng(7)
    learn_eight_weeks(company, rng)
    for day in range(56, 75):
        company.day(day, {"shop-001": ordinary(rng, day, level=1200.0)})
    states = [verdict.state for verdict in company.of("volume")[56:]]
    assert states[0] == "unusual"
    assert set(states[9:]) == {"usual"}
    assert {incident.status for incident in company.incidents.values()} == {"closed"}


def test_a_repeated_incident_is_found_again_since_it_was_not_learned(company: "Company") -> None:
    rng = np.random.default_rng(8)
    learn_eight_weeks(company, rng)
    found = []
    for day in range(56, 70):
        broken = day in {56, 57, 63, 64}
        company.day(day, {"shop-001": ordinary(rng, day) // (4 if broken else 1)})
        found.append(company.of("volume")[-1].state == "unusual")
    assert [i for i, unusual in enumerate(found) if unusual] == [0, 1, 7, 8]


def test_a_warming_baseline_says_how_much_it_has_seen(company: "Company") -> None:
    for day in range(4):
        company.day(day, {"shop-001": 100}, 170.0)
    first, *_, last = company.of("volume")
    assert (first.state, first.reason) == (
        "warming",
        "the first day seen may be only a part of a day",
    )
    assert (last.state, last.reason) == ("warming", "2 of 14 days seen")
    assert company.of("mean.height")[-1].reason == "3 of 14 days seen"


def test_steady_shops_stay_below_the_false_alarm_target(new_company: "type[Company]") -> None:
    """The target: at most 0.02 unusual verdicts per shop-month and KPI."""
    company = new_company(JudgingSettings(hourly_from=1e9))
    rng = np.random.default_rng(9)
    shops = {f"shop-{n:03}": (10 ** rng.uniform(0.5, 5), rng.uniform(0, 0.15)) for n in range(200)}
    for day in range(56):
        counts = {
            shop: ordinary(rng, day, level, max(wobble, 1e-3))
            for shop, (level, wobble) in shops.items()
        }
        start = MONDAY + day * DAY_MS
        for shop, count in counts.items():
            if count:
                mean = 170 + rng.normal(0, 0.4) + rng.normal(0, 10) / np.sqrt(count)
                moments = Moments(count, float(mean), 100.0 * (count - 1))
                company.send(shop, start + 12 * HOUR_MS, count, height=moments)
        company.beat(start + DAY_MS + 2 * HOUR_MS)
    judged = [
        verdict
        for verdict in company.verdicts
        if verdict.state != "warming" and verdict.key.span == "day"
    ]
    unusual = sum(verdict.state == "unusual" for verdict in judged)
    assert len(judged) > 200 * 40 * 2 * 0.9
    assert unusual / (len(judged) / 30) < 0.02


def test_segments_with_enough_records_are_judged_and_missed(company: "Company") -> None:
    for day in range(40):
        large = Cell(count=60 if day < 37 else 0)
        small = Cell(count=3)
        company.send(
            "shop-001",
            MONDAY + day * DAY_MS,
            100,
            segments={"gender=female": large, "gender=other": small},
        )
        company.beat(MONDAY + (day + 1) * DAY_MS + 2 * HOUR_MS)
    assert company.of("volume", segment="gender=female")[-1].state == "unusual"
    assert company.of("volume", segment="gender=other") == []


def test_hours_of_a_large_shop_open_an_incident_within_hours(company: "Company") -> None:
    rng = np.random.default_rng(10)
    for hour in range(24 * 30):
        count = int(rng.poisson(300 * (1 + 0.8 * np.sin(hour % 24 / 24 * 6.28))))
        if hour >= 24 * 29 + 6:
            count //= 10
        company.send("shop-001", MONDAY + hour * HOUR_MS, count)
        company.beat(MONDAY + (hour + 2) * HOUR_MS)
        if company.incidents:
            break
    [incident] = company.incidents.values()
    assert incident.key.span == "hour"
    assert incident.since == MONDAY + (24 * 29 + 6) * HOUR_MS
    assert hour <= 24 * 29 + 9
    assert "judged apart" in incident.reason


def test_a_daily_file_in_the_morning_is_waited_for(company: "Company") -> None:
    """The day's file comes six hours after its end; an hour's patience would find it empty."""
    rng = np.random.default_rng(11)
    for day in range(56):
        end = MONDAY + (day + 1) * DAY_MS
        company.beat(end + 2 * HOUR_MS)
        company.beat(end + 6 * HOUR_MS)
        company.send("shop-001", end - 12 * HOUR_MS, ordinary(rng, day))
        company.beat(end + 6 * HOUR_MS + 70_000)
    assert not company.incidents
    judged = company.of("volume")
    assert len(judged) >= 54
    assert all(verdict.value > 0 for verdict in judged[:-1])
    assert judged[-2].state == "usual"


def test_one_return_of_two_pieces_is_no_alarm_where_all_were_of_one(company: "Company") -> None:
    for day in range(40):
        quantity = Moments(2, 1.5, 0.5) if day == 30 else Moments(2, 1.0, 0.0)
        company.send("shop-001", MONDAY + day * DAY_MS, 2, height=quantity)
        company.beat(MONDAY + (day + 1) * DAY_MS + 2 * HOUR_MS)
    assert not company.incidents
