"""An own stage that spoils what the rules look at is named, not the rules, and not the client."""

from collections.abc import Callable

import pytest
from tests.unit.diagnosis.heights import POINTS, day_of, values_of

from streamwatch.diagnosis.diagnose import Found, diagnose
from streamwatch.diagnosis.normal import FeatureDay, normal_of
from streamwatch.diagnosis.origin import CLIENT, UNDETERMINED
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.verdicts import Verdict

STAGES = ("decode", "cleaning", *POINTS[1:])
Change = Callable[[int, float], float]


def day(seed: int, sent: Change, cleaned: Change, *, refusing: bool) -> FeatureDay:
    """A day; below 100 `validate` refuses, if it does."""
    received = [sent(number, value) for number, value in enumerate(values_of(400, seed))]
    clean = [cleaned(number, value) for number, value in enumerate(received)]
    passed = [value for value in clean if value > 100 or not refusing]
    values = {"decode": received, "cleaning": clean}
    return day_of({stage: [*values.get(stage, passed)] for stage in STAGES})


def same(number: int, value: float) -> float:  # noqa: ARG001
    return value


def inches(share: int) -> Change:
    return lambda number, value: value / 2.54 if number % 100 < share else value


def told(kpi: str, found: FeatureDay) -> Found:
    normal = normal_of(day(seed, same, same, refusing=False) for seed in range(30))
    refused = found.first.n - found.last.n
    value, expected = (found.last.n, 400.0) if kpi == "volume" else (0.3, 0.0)
    key = KpiKey("shop-001", "widget-event", kpi)
    verdict = Verdict(key, 0, value, 400, "unusual", -9.0, expected, expected, expected, "far off")
    rejects = {"validate/implausible-height/height": refused} if refused else {}
    return diagnose(key, {"height": normal}, {"height": found}, verdict, rejects)


@pytest.mark.parametrize("share", [10, 50])
@pytest.mark.parametrize("kpi", ["volume", "rejects", "marks"])
def test_a_stage_before_the_rules_is_named(kpi: str, share: int) -> None:
    found = day(99, same, inches(share), refusing=kpi != "marks")
    assert told(kpi, found).origin.name == "cleaning"


@pytest.mark.parametrize("share", [1, 3, 10, 50])
@pytest.mark.parametrize("kpi", ["volume", "rejects", "marks"])
def test_the_client_is_named_where_it_sent_them_so(kpi: str, share: int) -> None:
    found = told(kpi, day(99, inches(share), same, refusing=kpi != "marks"))
    assert found.origin.name == CLIENT


def test_a_rule_that_was_drawn_too_tight_does_not_accuse_the_client() -> None:
    received = values_of(400, 98)
    passed = [value for value in received if value < 188]
    spoiled = day_of({one: [*(received if one in STAGES[:2] else passed)] for one in STAGES})
    assert told("volume", spoiled).origin.name in (UNDETERMINED, "validate")


def test_marks_for_what_no_number_shows_accuse_nobody() -> None:
    assert told("marks", day(99, same, same, refusing=False)).origin.name == UNDETERMINED
