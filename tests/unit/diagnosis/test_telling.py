"""What `streamwatch diagnose` tells of days with few people."""

import msgspec
import pytest
from tests.unit.diagnosis.heights import broken_after, usual_day

from streamwatch.diagnosis.paired import Pair
from streamwatch.diagnosis.report import Report, Stored, make_report
from streamwatch.diagnosis.telling import told
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.smallgroups import LEAST_GROUP

DAY = 86_400_000
KEY = KpiKey("shop-003", "widget-event", "mean.height")


def report_of(records: int) -> Report:
    day = broken_after("normalise", 99, lambda _, value: value / 2.54, records)
    pair = Pair("t", 0, 7, "e-7", 30 * DAY, 170.1234, 66.9781)
    return make_report(
        Stored(
            key=KEY,
            bucket=30 * DAY,
            before={seed * DAY: {"height": usual_day(seed, records)} for seed in range(30)},
            departing={},
            days={"height": day},
            pairs={("decode", "normalise"): [pair]},
        )
    )


@pytest.mark.parametrize("records", [LEAST_GROUP - 1, LEAST_GROUP])
def test_the_stage_is_named_and_the_measures_only_of_enough_people(records: int) -> None:
    report = report_of(records)
    found = told(report)
    assert found.found.origin.name == "normalise"
    means = {line.now for line in found.lines}
    shown = msgspec.json.encode(found).decode()
    if records < LEAST_GROUP:
        assert means == {None}
        assert f"{report.lines[0].now:.4g}" not in shown
    else:
        assert None not in means
        assert found.lines == report.lines


def test_single_records_are_told_by_their_place_only() -> None:
    found = told(report_of(50))
    assert found.first_bad is not None
    assert found.first_bad.offset == 7
    assert found.first_bad.before is None
    assert found.first_bad.after is None
    assert "170.1234" not in msgspec.json.encode(found).decode()
