"""What a person says of an incident repairs the baseline."""

from typing import TYPE_CHECKING, cast

import msgspec
import numpy as np
import pytest

from streamwatch.domain.acknowledgements import KINDS, AcknowledgementKind
from streamwatch.domain.cells import DAY_MS, HOUR_MS
from streamwatch.domain.messages import Acknowledge

if TYPE_CHECKING:
    from tests.unit.judging.conftest import Company

    from streamwatch.domain.incidents import Incident

MONDAY = 1_704_067_200_000
SHOP = "shop-001"


def days(company: "Company", numbers: range, volume: float = 300, height: float = 170.0) -> None:
    """Ordinary days, but for a factor or another height."""
    rng = np.random.default_rng(numbers.start)
    for number in numbers:
        company.day(number, {SHOP: int(rng.poisson(volume))}, height + float(rng.normal(0, 0.5)))


def say(company: "Company", kind: str, kpi: str = "volume") -> "Incident":
    """A person's word on the newest incident of a KPI, as JUDGE is told."""
    incident = [one for one in company.incidents.values() if one.key.kpi == kpi][-1]
    word = Acknowledge(
        incident.id, cast("AcknowledgementKind", kind), incident.key, incident.since,
        incident.last_bucket, incident.value, incident.expected, incident.score,
        incident.updated_at,
    )  # fmt: skip
    company.tell(msgspec.msgpack.encode(word))
    return incident


@pytest.mark.parametrize("kind", ["expected", "client-error"])
def test_what_was_expected_or_an_error_is_not_gathered_as_a_new_level(
    company: "Company", kind: str
) -> None:
    days(company, range(30))
    days(company, range(30, 36), volume=900)
    say(company, kind)
    days(company, range(36, 39), volume=900)
    assert {one.state for one in company.of("volume")[-9:]} == {"unusual"}
    days(company, range(39, 42))
    assert {one.state for one in company.of("volume")[-3:]} == {"usual"}


@pytest.mark.parametrize("kind", ["false-alarm", "new-trend"])
@pytest.mark.parametrize("kpi", ["volume", "mean.height"])
def test_after_a_false_alarm_and_in_a_new_trend_the_same_is_usual(
    company: "Company", kind: str, kpi: str
) -> None:
    days(company, range(30))
    other = {"volume": 900.0} if kpi == "volume" else {"height": 160.0}
    days(company, range(30, 32), **other)
    say(company, kind, kpi)
    days(company, range(32, 34), **other)
    assert {one.state for one in company.of(kpi)[-2:]} == {"usual"}


def test_a_new_trend_makes_the_old_level_unusual_and_a_false_alarm_does_not(
    new_company: "type[Company]",
) -> None:
    states = {}
    for kind in ("new-trend", "false-alarm"):
        company = new_company()
        days(company, range(30))
        days(company, range(30, 32), height=160.0)
        say(company, kind, "mean.height")
        days(company, range(32, 36), height=160.0 if kind == "new-trend" else 170.0)
        days(company, range(36, 38))
        states[kind] = company.of("mean.height")[-1].state
    assert states == {"new-trend": "unusual", "false-alarm": "usual"}


def uploads(company: "Company", numbers: range, *, from_hour: int = 0) -> None:
    """Days with records in every hour, from an hour on, and a heartbeat after each."""
    for number in numbers:
        for hour in range(24):
            start = MONDAY + number * DAY_MS + hour * HOUR_MS
            if hour >= from_hour:
                company.send(SHOP, start, 40)
            company.beat(start + HOUR_MS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_silence_that_was_a_false_alarm_or_a_new_trend_is_not_told_again(
    company: "Company", kind: str
) -> None:
    uploads(company, range(30))
    uploads(company, range(30, 31), from_hour=9)
    before = say(company, kind, "silence")
    assert before.value > 1
    uploads(company, range(31, 33))
    uploads(company, range(33, 34), from_hour=9)
    told = [one for one in company.incidents.values() if one.key.kpi == "silence"]
    assert len(told) == (1 if kind in ("false-alarm", "new-trend") else 2)
