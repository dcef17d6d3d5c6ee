"""Stages in other services, judged and diagnosed: beside the journey, never as a part of it."""

import random

import msgspec
import numpy as np
import pytest
from tests.unit.judging.conftest import Company

from streamwatch.domain.cells import ALL, DAY_MS, HOUR_MS, Cell, Moments
from streamwatch.domain.messages import Partial
from streamwatch.domain.verdicts import Verdict
from streamwatch.stages.sums import bins_of

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


def sketch(day: int, mean: float) -> dict[str, dict[int, int]]:
    chance = random.Random(day)  # noqa: S311
    values = np.array([chance.gauss(mean, 9 * mean / 170) for _ in range(RECORDS)])
    ((_, bins),) = bins_of(np.zeros(RECORDS, dtype=np.int64), values)
    return {"height": bins}


def send(
    company: Company, day: int, sent: float, ours: float, theirs: float, lost: int = 0
) -> None:
    """A day's partials: of the journey, and of a topic whose name sorts before the source's.

    The service loses the height and the gender of so many records.
    """
    hour = START + day * DAY_MS
    service = moments(day, theirs)
    given = msgspec.structs.replace(service, n=service.n - lost, missing=lost)
    cells = {
        "widget-event": Cell(
            count=RECORDS,
            numbers={"height": moments(day, ours)},
            labels={"gender": {"female": 120, "male": 80}},
            sketches=sketch(day, ours),
            stages={
                stage: {"height": moments(day, sent if stage in JOURNEY[:2] else ours)}
                for stage in JOURNEY
            },
            first_arrival=hour + 1,
            last_arrival=hour + 1,
        ),
        "recommended-widgets": Cell(
            stages={"recommender": {"height": given}},
            sketches=sketch(day, theirs),
            labels={"gender": {"female": 120 - lost, "male": 80, "": lost}},
        ),
    }
    for topic, cell in cells.items():
        company.now = hour
        partial = Partial("widget-event", topic, 0, SHOP, hour, company.offset, hour, {ALL: cell})
        company.tell(msgspec.msgpack.encode(partial))


def day_of(
    company: Company, sent: float, ours: float, theirs: float, lost: int = 0
) -> dict[str, Verdict]:
    """Usual weeks, then a day; the verdicts on the mean height of that day, by segment."""
    for day in range(USUAL_DAYS):
        send(company, day, 170.0, 170.0, 170.0)
        company.beat(START + (day + 1) * DAY_MS)
    send(company, USUAL_DAYS, sent, ours, theirs, lost)
    company.beat(START + (USUAL_DAYS + 1) * DAY_MS + 6 * HOUR_MS)
    return {
        one.key.segment: one
        for one in company.verdicts
        if one.key.kpi == "mean.height" and one.bucket == START + USUAL_DAYS * DAY_MS
    }


def of_service(company: Company) -> dict[str, Verdict]:
    """The verdicts on what the service gave on the last day, by KPI."""
    return {
        one.key.kpi: one
        for one in company.verdicts
        if one.key.segment == "stage=recommender" and one.bucket == START + USUAL_DAYS * DAY_MS
    }


@pytest.fixture
def company() -> Company:
    return Company()


def test_a_service_that_breaks_is_told_and_named(company: Company) -> None:
    found = day_of(company, 170.0, 170.0, 120.0)
    assert found["all"].state == "usual"
    assert found["stage=recommender"].state == "unusual"
    assert found["stage=recommender"].origin == "recommender"


def test_the_unit_that_a_service_breaks_is_named(company: Company) -> None:
    found = day_of(company, 170.0, 170.0, 170.0 / 2.54)["stage=recommender"]
    assert found.hypothesis == "inches for centimetres (100% of the values)"


def test_a_service_that_loses_a_number_and_a_label_is_named_for_both(company: Company) -> None:
    day_of(company, 170.0, 170.0, 170.0, lost=110)
    verdicts = of_service(company)
    told = {kpi: verdicts[kpi].origin for kpi in ("missing.height", "missing.gender", "mix.gender")}
    assert told == dict.fromkeys(told, "recommender")
    assert verdicts["mean.height"].state == "usual"


def test_what_a_service_loses_is_not_taken_for_the_open_days_of_the_shop(company: Company) -> None:
    day_of(company, 170.0, 170.0, 170.0, lost=150)
    send(company, USUAL_DAYS + 1, 170.0, 170.0, 170.0, lost=150)
    unusual = {one.key.segment for one in company.verdicts if one.state == "unusual"}
    assert unusual == {"stage=recommender"}


def test_a_service_as_ever_is_usual_in_all_its_kpis(company: Company) -> None:
    day_of(company, 170.0, 170.0, 170.0)
    verdicts = of_service(company)
    assert set(verdicts) == {"mean.height", "missing.height", "missing.gender", "mix.gender"}
    assert {one.state for one in verdicts.values()} == {"usual"}


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


def test_what_a_service_gives_is_summed_over_hours_and_partitions() -> None:
    one = Cell(
        beside={"recommender": {"height": Moments(2, 170.0)}},
        beside_sketches={"recommender": {"height": {5: 2}}},
        beside_labels={"recommender": {"gender": {"female": 2}}},
    )
    total = msgspec.msgpack.decode(msgspec.msgpack.encode(one), type=Cell)
    total.merge(one)
    assert total.beside["recommender"]["height"].n == 4
    assert total.beside_sketches == {"recommender": {"height": {5: 4}}}
    assert total.beside_labels == {"recommender": {"gender": {"female": 4}}}
