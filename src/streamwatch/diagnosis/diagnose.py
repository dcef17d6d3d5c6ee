"""Diagnosis of one verdict, from the cells of its bucket and what is normal for the shop.

The judge calls it at the moment of the verdict; `streamwatch diagnose` calls it again with what
the database holds. Both so say the same.
"""

from collections.abc import Mapping

import msgspec

from streamwatch.diagnosis.counts import origin_of_marks, origin_of_refusals, origin_of_volume
from streamwatch.diagnosis.elsewhere import (
    departing_elsewhere,
    distance_of,
    origin_elsewhere,
)
from streamwatch.diagnosis.labels import (
    LABEL,
    label_days,
    origin_of_missing_label,
    origin_of_mix,
    refused_more,
)
from streamwatch.diagnosis.mixture import Hypothesis
from streamwatch.diagnosis.normal import (
    FeatureDay,
    FeatureNormal,
    completed,
    feature_day,
)
from streamwatch.diagnosis.origin import CLIENT, UNDETERMINED, Origin, undetermined
from streamwatch.diagnosis.stages import origin_of_mean, origin_of_missing
from streamwatch.diagnosis.unitfault import LEAST_GAIN, best, hypotheses
from streamwatch.domain.cells import Cell
from streamwatch.domain.readings import STAGE_SEGMENT, KpiKey
from streamwatch.domain.verdicts import Verdict

Normals = dict[str, FeatureNormal]
"""Feature → its usual days."""


_UNKNOWN = FeatureNormal()


class Found(msgspec.Struct, frozen=True):
    """The outcome: the origin, and what may have been done to the values, the likeliest first."""

    origin: Origin
    hypotheses: tuple[Hypothesis, ...] = ()

    @property
    def hypothesis(self) -> str:
        """The one unit fault that can be named, with its share; empty if there is none."""
        one = best(list(self.hypotheses))
        return "" if one is None else f"{one.name} ({one.share:.0%} of the values)"


def days_of(cell: Cell) -> dict[str, FeatureDay]:
    """All features of a bucket, numbers and labels, from its cell of all records."""
    stages = (*cell.stages.values(), *cell.beside.values())
    features = sorted({name for moments in stages for name in moments})
    return {**{feature: feature_day(cell, feature) for feature in features}, **label_days(cell)}


def diagnose(
    key: KpiKey,
    normals: Mapping[str, FeatureNormal],
    days: Mapping[str, FeatureDay],
    verdict: Verdict | None = None,
    rejects: Mapping[str, int] | None = None,
) -> Found:
    """Where a KPI's departure came in.

    Args:
        key: the KPI; that of a segment is diagnosed by all records of the shop.
        normals: what is usual.
        days: the features of the bucket.
        verdict: that says it departs; without one it must show by itself.
        rejects: of the bucket, as in a cell.
    """
    departs = verdict is not None and verdict.state == "unusual"
    kind, _, feature = key.kpi.partition(".")
    days = {name: completed(day, normals.get(name, _UNKNOWN)) for name, day in days.items()}
    if key.segment.startswith(STAGE_SEGMENT):
        return _after_service(key, normals, days, verdict if departs else None, rejects or {})
    if kind in ("missing", "mix") and LABEL + feature in days:
        refused = refused_more(normals, days, rejects or {})
        told = verdict if departs else None
        return Found(
            _of_label(key, normals.get(LABEL + feature), days[LABEL + feature], refused, told)
        )
    days = {name: day for name, day in days.items() if not name.startswith(LABEL)}
    if kind == "volume":
        expected = verdict.expected if verdict is not None else None
        if verdict is None or expected is None:
            return Found(undetermined("how many records were expected is not known"))
        if not departs:
            return Found(undetermined("the number of records is usual"))
        if key.segment != "all" and (days or rejects):
            return Found(undetermined("volumes of segments are not followed over the stages"))
        return Found(origin_of_volume(normals, days, verdict.value, expected, rejects))
    if kind == "marks" and departs:
        return Found(origin_of_marks(normals, days, key.kpi, _shown(key, normals, days)))
    if kind == "rejects" and departs:
        return Found(origin_of_refusals(normals, days, key.kpi, rejects or {}))
    if kind == "missing":
        feature = _fullest(feature, days)
    if kind not in ("mean", "missing") or feature not in days:
        return Found(undetermined(f"{key.kpi} is not followed over the stages"))
    normal, day = normals.get(feature, _UNKNOWN), days[feature]
    if kind == "missing":
        return Found(origin_of_missing(normal, day, departs=departs and key.segment == "all"))
    return _of_mean(key, feature, normals, days, verdict if departs else None)


def _shown(
    key: KpiKey, normals: Mapping[str, FeatureNormal], days: Mapping[str, FeatureDay]
) -> dict[str, str]:
    """The features whose single values show a unit fault that the client sent."""
    whole = msgspec.structs.replace(key, segment="all")
    found = {feature: _of_mean(whole, feature, normals, days, None) for feature in days}
    return {
        feature: one.hypotheses[0].name
        for feature, one in found.items()
        if one.origin.name == CLIENT and one.hypotheses and one.hypotheses[0].gain >= LEAST_GAIN
    }


def _of_label(
    key: KpiKey,
    normal: FeatureNormal | None,
    day: FeatureDay,
    refused: float,
    verdict: Verdict | None,
) -> Origin:
    normal = normal or _UNKNOWN
    if key.kpi.startswith("missing."):
        return origin_of_missing_label(normal, day, refused, departs=verdict is not None)
    if verdict is None:
        return undetermined("the mix is usual")
    return origin_of_mix(normal, day, refused, verdict.value - (verdict.expected or 0.0))


def _fullest(field: str, days: Mapping[str, FeatureDay]) -> str:
    """The feature of a field; of one that is split, such as the price, the most frequent part."""
    own = [name for name in days if name == field or name.startswith(f"{field}.")]
    return max(own, key=lambda name: days[name].first.n + days[name].first.missing, default=field)


def _of_mean(
    key: KpiKey,
    feature: str,
    normals: Mapping[str, FeatureNormal],
    days: Mapping[str, FeatureDay],
    verdict: Verdict | None,
) -> Found:
    normal, day = normals.get(feature, _UNKNOWN), days[feature]
    whole_shop = key.segment == "all"
    usual = {name: one.sketch for name, one in normals.items()}
    now = {name: one.sketch for name, one in days.items()}
    found = tuple(hypotheses(feature, usual, now))
    mean = sum(level.mean for level in normal.means.values())
    # The best guess will do for the size, even when two are too close to name one.
    hidden = found[0].shift(mean) if found and found[0].gain >= LEAST_GAIN else None
    origin = origin_of_mean(normal, day, departs=verdict is not None and whole_shop)
    if origin.name == UNDETERMINED and verdict is None and not hidden:
        found = ()
    if origin.name == UNDETERMINED and hidden:
        origin = origin_of_mean(normal, day, expected=hidden)
    if origin.name == CLIENT and verdict is not None and verdict.expected is not None:
        claimed = verdict.value - verdict.expected
        if whole_shop and claimed * origin.shift <= 0:
            text = "the usual days of the stages do not agree with the verdict's band"
            origin = undetermined(text, origin.shift, origin.parts)
    if origin.name == UNDETERMINED and verdict is None:
        origin = _elsewhere(normal, day) or origin
    return Found(origin, found)


def _elsewhere(normal: FeatureNormal, day: FeatureDay) -> Origin | None:
    """Where the journey is as usual: a service beside it that is not."""
    departing = departing_elsewhere(normal, day)
    if not departing:
        return None
    worst = max(departing, key=lambda part: abs(part.shift)).stage
    ours = origin_of_mean(normal, day)
    return origin_elsewhere(distance_of(normal, day, worst), worst, ours, lambda: ours)


def _after_service(
    key: KpiKey,
    normals: Mapping[str, FeatureNormal],
    days: Mapping[str, FeatureDay],
    verdict: Verdict | None,
    rejects: Mapping[str, int],
) -> Found:
    """The same of what a stage in another service gave."""
    stage = key.segment.removeprefix(STAGE_SEGMENT)
    kind, _, feature = key.kpi.partition(".")
    name = LABEL + feature if LABEL + feature in days else feature
    if kind == "missing":
        name = _fullest(name, days)
    if kind not in ("mean", "missing", "mix") or name not in days:
        return Found(undetermined(f"{key.kpi} is not followed beside the stages"))
    normal, day = normals.get(name, _UNKNOWN), days[name]
    distance = distance_of(normal, day, stage, missing=kind == "missing")
    refused = refused_more(normals, days, rejects)

    def journey(*, departs: bool = True) -> Origin:
        if kind == "mean":
            return origin_of_mean(normal, day, departs=departs)
        if kind == "missing" and name.startswith(LABEL):
            return origin_of_missing_label(normal, day, refused, departs=departs)
        if kind == "missing":
            return origin_of_missing(normal, day, departs=departs)
        moved = verdict.value - (verdict.expected or 0.0) if verdict is not None else 0.0
        here = abs(distance.part.shift) if distance is not None else 0.0
        return origin_of_mix(normal, day, refused, max(moved - here, 0.0))

    ours = journey(departs=False)
    origin = origin_elsewhere(distance, stage, ours, journey, departs=verdict is not None)
    if kind != "mean":
        return Found(origin)
    usual = {
        one: known.services[stage].sketch
        for one, known in normals.items()
        if stage in known.services
    }
    now = {one: found.beside_sketches.get(stage, {}) for one, found in days.items()}
    likely = tuple(hypotheses(name, usual, now))
    if origin.name == UNDETERMINED and verdict is None:
        likely = ()
    return Found(origin, likely)
