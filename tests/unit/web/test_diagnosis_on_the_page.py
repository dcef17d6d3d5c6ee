"""What the page of an incident tells of its diagnosis."""

from msgspec.structs import replace
from sqlalchemy import Engine
from tests.unit.web.diagnosed import MOVED, REPORT
from tests.unit.web.fleet_of_shops import fill, get, markup, site_of

from streamwatch.diagnosis.diagnose import Found
from streamwatch.diagnosis.mixvalue import Split
from streamwatch.diagnosis.origin import Origin
from streamwatch.diagnosis.report import Report


def read(engine: Engine, report: Report) -> str:
    found = fill(engine)
    site = replace(site_of(engine), diagnose=lambda _: report)
    return markup(get(site, "/incident", id=found.id)).text


def test_what_was_done_to_the_values_is_told(engine: Engine) -> None:
    text = read(engine, REPORT)
    assert "inches for centimetres: 40% of the values" in text
    assert "feet for metres: 10% of the values" in text
    assert "39.8% of the records" in text
    assert "app version 5.0.0: 100% of the affected records, 2.5 times as frequent" in text
    assert "188 of 485 kept records came out differently" in text
    assert "event client-7, 2026-03-01 00:00 UTC (widget-event 0:7)" in text


def test_values_that_moved_within_the_groups_are_told_from_another_mix(engine: Engine) -> None:
    text = read(engine, REPORT)
    assert "It is the values" in text
    assert "f,shoes" in text
    assert "by value" in text
    fewer_men = Split(mix=-6.0, value=-0.5, groups=MOVED.groups if MOVED else ())
    assert "It is the mix: other people came" in read(engine, replace(REPORT, split=fewer_men))
    both = Split(mix=-3.0, value=-3.0, groups=fewer_men.groups)
    assert "Both moved" in read(engine, replace(REPORT, split=both))


def test_the_mean_of_a_group_of_few_people_is_not_told(engine: Engine) -> None:
    text = read(engine, REPORT)
    assert "f,hats" not in text
    assert "61.5" not in text


def test_a_diagnosis_that_found_nothing_takes_no_room(engine: Engine) -> None:
    nothing = replace(
        REPORT, found=Found(Origin("undetermined", "")), split=None, shared=(), affected=None,
        bad=(), pairs=(),
    )  # fmt: skip
    assert "What was done to the values" not in read(engine, nothing)
