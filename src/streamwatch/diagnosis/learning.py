"""Which days are learned as usual, and when what was learned no longer holds."""

from collections.abc import Mapping

import msgspec

from streamwatch.diagnosis.elsewhere import AT
from streamwatch.diagnosis.labels import LABEL, without_zeros
from streamwatch.diagnosis.normal import (
    FeatureDay,
    FeatureNormal,
    compared,
    learn_day,
    mean_parts,
)
from streamwatch.diagnosis.stages import LEAST_DAYS, STAGE_DEVIATION

LASTING = 14
"""Days in a row that are left out, after which learning starts anew: the change is there to
stay, such as a new rule that refuses more."""

NEW_LEVEL = 8.0
"""Standard deviations from which a first stage that the judge calls usual has a new level."""


def learn_days(
    normals: Mapping[str, FeatureNormal], days: Mapping[str, FeatureDay], departing: set[str]
) -> dict[str, FeatureNormal]:
    """What is normal after one more day.

    Args:
        normals: feature → what was normal.
        days: feature → the day.
        departing: the KPIs of the whole shop that are unusual on it, and after services in the
            form ``mean.height@recommender``.
    """
    learned = dict(normals)
    for feature, day in days.items():
        normal = learned.get(feature, FeatureNormal())
        name = feature.removeprefix(LABEL)
        departs = bool(departing & {"volume", f"mean.{name}", f"missing.{name}", f"mix.{name}"})
        learned[feature] = _learned(normal, _without(day, name, departing), departs=departs)
        if feature.startswith(LABEL):
            learned[feature] = without_zeros(learned[feature])
    return learned


def _without(day: FeatureDay, name: str, departing: set[str]) -> FeatureDay:
    """The day without the services after which the feature departs."""
    broken = {
        stage
        for stage in day.beside
        if departing & {f"{kind}.{name}{AT}{stage}" for kind in ("mean", "missing", "mix")}
    }
    if not broken:
        return day
    kept = {stage: found for stage, found in day.beside.items() if stage not in broken}
    return msgspec.structs.replace(day, beside=kept)


def _learned(normal: FeatureNormal, day: FeatureDay, *, departs: bool) -> FeatureNormal:
    if normal.days < LEAST_DAYS:
        return normal if departs else learn_day(normal, day)
    records = float(day.first.n + day.first.missing)
    parts = compared(mean_parts(day), normal.means, normal, records)
    stage_departs = any(abs(part.deviation) >= STAGE_DEVIATION for part in parts[1:])
    if departs or stage_departs:
        if normal.left_out + 1 >= LASTING:
            return learn_day(FeatureNormal(), day)
        return msgspec.structs.replace(normal, left_out=normal.left_out + 1)
    if parts and abs(parts[0].deviation) >= NEW_LEVEL:
        return learn_day(FeatureNormal(), day)
    return learn_day(normal, day)
