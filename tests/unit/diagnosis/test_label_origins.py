"""Where a mix or a missing label came in; and ratios and marks, which follow from others."""

import pytest

from streamwatch.diagnosis.diagnose import Normals, days_of, diagnose
from streamwatch.diagnosis.learning import learn_days
from streamwatch.diagnosis.origin import CLIENT, UNDETERMINED
from streamwatch.domain.cells import ARROW, Cell, Moments
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.verdicts import Verdict
from streamwatch.steps.diagnosing import Bucket, with_origin

POINTS = ("decode", "validate", "normalise", "pseudonymise", "segment")
RECORDS = 400


def cell(
    shoes: int = 200, missing: int = 20, refused: int = 0, changes: dict[str, int] | None = None,
    stage: str = "normalise",
) -> Cell:  # fmt: skip
    """A day of categories: shoes, none, and shirts for the rest."""
    moments = {one: Moments(RECORDS + refused, 170.0, 81.0 * RECORDS, 0) for one in POINTS}
    moments["segment"] = Moments(RECORDS, 170.0, 81.0 * RECORDS, 0)
    labels = {"category": {"shoes": shoes, "": missing, "shirts": RECORDS - shoes - missing}}
    return Cell(
        count=RECORDS,
        numbers={"height": moments["segment"]},
        labels=labels,
        stages={one: {"height": moments[one]} for one in POINTS},
        label_changes={stage: {"category": changes}} if changes else {},
    )


@pytest.fixture(scope="module")
def normals() -> Normals:
    found: Normals = {}
    for day in range(21):
        usual = cell(shoes=195 + day % 11, missing=18 + day % 5)
        found = learn_days(found, days_of(usual), set())
    return found


def verdict(kpi: str, value: float, expected: float) -> Verdict:
    key = KpiKey("s", "widget-event", kpi)
    return Verdict(key, 0, value, RECORDS, "unusual", 9.0, expected, 0.0, expected * 2, "far off")


def origin_of(normals: Normals, found: Cell, kpi: str, value: float) -> str:
    told = verdict(kpi, value, 0.03 if kpi.startswith("mix") else 0.05)
    return diagnose(told.key, normals, days_of(found), told, found.rejects).origin.name


@pytest.mark.parametrize("stage", POINTS[1:])
def test_a_stage_that_changes_or_loses_labels_is_named(normals: Normals, stage: str) -> None:
    changed = cell(80, 20, changes={f"shoes{ARROW}shirts": 120}, stage=stage)
    assert origin_of(normals, changed, "mix.category", 0.3) == stage
    lost = cell(80, 140, changes={f"shoes{ARROW}": 120}, stage=stage)
    assert origin_of(normals, lost, "missing.category", 0.35) == stage


def test_the_client_is_named_when_the_stages_left_its_labels_alone(normals: Normals) -> None:
    assert origin_of(normals, cell(shoes=80), "mix.category", 0.3) == CLIENT
    assert origin_of(normals, cell(80, 140), "missing.category", 0.35) == CLIENT


def test_nobody_is_accused_while_records_are_refused_whose_labels_nobody_counts(
    normals: Normals,
) -> None:
    refusing = cell(shoes=80, missing=140, refused=200)
    assert origin_of(normals, refusing, "mix.category", 0.3) == UNDETERMINED
    assert origin_of(normals, refusing, "missing.category", 0.35) == UNDETERMINED


def test_labels_that_a_stage_always_changes_are_no_fault() -> None:
    changes = {f"shoes{ARROW}sneakers": 100}
    normals: Normals = {}
    for day in range(21):
        usual = cell(195 + day % 11, changes={f"shoes{ARROW}sneakers": 97 + day % 7})
        normals = learn_days(normals, days_of(usual), set())
    assert origin_of(normals, cell(80, changes=changes), "mix.category", 0.3) == CLIENT
    stopped = cell(300)
    assert origin_of(normals, stopped, "mix.category", 0.25) == "normalise"


def test_few_known_days_accuse_nobody() -> None:
    assert origin_of({}, cell(shoes=80), "mix.category", 0.3) == UNDETERMINED


def volume(event_type: str, origin: str) -> Verdict:
    key = KpiKey("s", event_type, "volume")
    return Verdict(key, 0, 10.0, 10, "unusual", -8.0, 100.0, 80.0, 120.0, "", origin=origin)


@pytest.mark.parametrize(
    ("volumes", "origin"),
    [
        ((), UNDETERMINED),
        ((volume("return", CLIENT),), CLIENT),
        ((volume("purchase", "validate"),), "validate"),
        ((volume("return", CLIENT), volume("purchase", CLIENT)), CLIENT),
        ((volume("return", CLIENT), volume("purchase", "validate")), UNDETERMINED),
    ],
)
def test_a_ratio_has_the_origin_of_the_number_that_departs(
    volumes: tuple[Verdict, ...], origin: str
) -> None:
    told = with_origin(verdict("ratio.returns", 0.5, 0.2), {}, Bucket({}, {}, volumes=volumes))
    assert told.origin == origin
    assert told.origin_reason


def test_marks_are_the_clients_where_what_it_sent_departs_too(normals: Normals) -> None:
    usual = cell()
    assert origin_of(normals, usual, "marks.too-tall", 0.4) == UNDETERMINED
    taller = cell()
    taller.stages = {
        stage: {"height": Moments(RECORDS, 190.0, 81.0 * RECORDS, 0)} for stage in POINTS
    }
    assert origin_of(normals, taller, "marks.too-tall", 0.4) == CLIENT


def test_what_is_usual_of_a_label_takes_little_space(normals: Normals) -> None:
    label, number = normals["label.category"], normals["height"]
    assert list(label.missing) == ["decode"]
    assert (label.means, label.kept, dict(label.sketch)) == ({}, {}, {})
    assert len(number.missing) == len(POINTS)
