"""Stages in other services, judged and diagnosed: beside the journey, never as a part of it."""

import random

import msgspec
import pytest
from tests.unit.judging.conftest import Company

from streamwatch.domain.cells import ALL, DAY_MS, HOUR_MS, Cell, Moments
from streamwatch.domain.messages import Partial
from streamwatch.domain.verdicts import Verdict

SHOP = "shop-001"
START = 1_704_067_200_000  # 2024-01-01, midnight UTC
JOURNEY = ("decode", "validate", "normalise", "pseudonymise", "segment")
USUAL_DAYS = 24
RECORDS = 200


def moments(day: int, mean: float) -> Moments:
    chance = random.Random(day)  # noqa: S311
    found = Moments()
    for _ in range(RECORDS):
        found += Moments(1, chance.gauss(mean, 9))
    return found


def send(company: Company, day: int, sent: float, ours: float, theirs: float) -> None:
    """A day's partials: of the journey, and of a topic whose name sorts before the source's."""
    hour = START + day * DAY_MS
    cells = {
        "widget-event": Cell(
            count=RECORDS,
            numbers={"height": moments(day, ours)},
            stages={
                stage: {"height": moments(day, sent if stage in JOURNEY[:2] else ours)}
                for stage in JOURNEY
            },
            first_arrival=hour + 1,
            last_arrival=hour + 1,
        ),
        "recommended-widgets": Cell(stages={"recommender": {"height": moments(day, theirs)}}),
    }
    for topic, cell in cells.items():
        company.now = hour
        partial = Partial("widget-event", topic, 0, SHOP, hour, company.offset, hour, {ALL: cell})
        company.tell(msgspec.msgpack.encode(partial))


def day_of(company: Company, sent: float, ours: float, theirs: float) -> dict[str, Verdict]:
    """Usual weeks, then a day; the verdicts on the mean height of that day, by segment."""
    for day in range(USUAL_DAYS):
        send(company, day, 170.0, 170.0, 170.0)
        company.beat(START + (day + 1) * DAY_MS)
    send(company, USUAL_DAYS, sent, ours, theirs)
    company.beat(START + (USUAL_DAYS + 1) * DAY_MS + 6 * HOUR_MS)
    return {
        one.key.segment: one
        for one in company.verdicts
        if one.key.kpi == "mean.height" and one.bucket == START + USUAL_DAYS * DAY_MS
    }


@pytest.fixture
def company() -> Company:
    return Company()


def test_a_service_that_breaks_is_told_and_named(company: Company) -> None:
    found = day_of(company, 170.0, 170.0, 120.0)
    assert found["all"].state == "usual"
    assert found["stage=recommender"].state == "unusual"
    assert found["stage=recommender"].origin == "recommender"


def test_a_service_that_gets_wrong_values_is_not_to_blame(company: Company) -> None:
    found = day_of(company, 120.0, 120.0, 120.0)
    assert {name: one.origin for name, one in found.items()} == {
        "all": "client",
        "stage=recommender": "client",
    }
    broken = day_of(Company(), 170.0, 120.0, 120.0)
    assert {name: one.origin for name, one in broken.items()} == {
        "all": "normalise",
        "stage=recommender": "normalise",
    }


def test_a_stage_of_ours_is_named_when_the_service_reads_before_it(company: Company) -> None:
    found = day_of(company, 170.0, 120.0, 170.0)
    assert found["all"].origin == "normalise"
    assert found["stage=recommender"].state == "usual"


def test_its_statistics_stand_in_the_table_with_the_others(company: Company) -> None:
    day_of(company, 170.0, 170.0, 120.0)
    stages = {one.stage for one in company.stages}
    assert stages == {*JOURNEY, "recommender"}


def test_a_service_that_stays_broken_opens_one_incident_that_names_it(company: Company) -> None:
    day_of(company, 170.0, 170.0, 120.0)
    for day in range(USUAL_DAYS + 1, USUAL_DAYS + 4):
        send(company, day, 170.0, 170.0, 120.0)
        company.beat(START + (day + 1) * DAY_MS + 6 * HOUR_MS)
    (incident,) = company.incidents.values()
    assert incident.key.segment == "stage=recommender"
    assert incident.origin == "recommender"
    assert incident.part_of == ""
