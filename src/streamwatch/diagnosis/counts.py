"""The origin of a departing volume: not sent, or sent and refused by a stage of ours?

Records that a stage refuses may be refused rightly; see `diagnosis.refused`.
"""

import math
from collections.abc import Mapping

from streamwatch.diagnosis.normal import (
    FeatureDay,
    FeatureNormal,
    Part,
    kept_shares,
    spread,
)
from streamwatch.diagnosis.origin import CLIENT, Origin, undetermined
from streamwatch.diagnosis.refused import as_sent, changed_before, mean_as_sent
from streamwatch.diagnosis.stages import LEAST_DAYS, MOST, NEARLY_ALL, STAGE_DEVIATION


def origin_of_volume(
    normals: Mapping[str, FeatureNormal],
    days: Mapping[str, FeatureDay],
    value: float,
    expected: float,
    rejects: Mapping[str, int] | None = None,
) -> Origin:
    """Where a departure of the number of counted records came in.

    Args:
        normals: feature → its usual days; all features of the event type.
        days: feature → the bucket that departs.
        value: records counted.
        expected: that were expected.
        rejects: ``stage/reason/field`` → records refused, as in a cell.
    """
    shift = value - expected
    rejects = rejects or {}
    unread = sum(count for key, count in rejects.items() if key.startswith("decode/"))
    feature = max(days, key=lambda name: days[name].first.n + days[name].first.missing, default="")
    if not feature:
        return _nothing_read(shift, rejects)
    normal, day = normals.get(feature, FeatureNormal()), days[feature]
    if normal.days < LEAST_DAYS:
        return undetermined(f"only {normal.days:.0f} usual days are known", shift)
    records = float(day.first.n + day.first.missing)
    parts = _parts(normal, day, expected)
    later = parts[1:]
    guilty = [part for part in later if abs(part.deviation) >= STAGE_DEVIATION]
    worst = max(guilty, key=lambda part: abs(part.shift), default=None)
    if worst is not None and worst.shift * shift > 0 and abs(worst.shift) >= MOST * abs(shift):
        return _refused_more(normals, days, worst, shift, parts, rejects)
    if unread > (1 - NEARLY_ALL) * abs(shift):
        reason = f"{unread} records could not be read after decode; see the table rejects"
        return undetermined(reason, shift, parts)
    received = parts[0]
    if abs(received.shift) >= NEARLY_ALL * abs(shift) and received.shift * shift > 0:
        reason = (
            f"{records:.0f} records were received, {received.usual:.0f} were expected; "
            "the stages passed as many of them as ever"
        )
        return Origin(CLIENT, reason, shift, parts)
    return undetermined("fewer were sent and more were refused", shift, parts)


def origin_of_refusals(
    normals: Mapping[str, FeatureNormal],
    days: Mapping[str, FeatureDay],
    kpi: str,
    rejects: Mapping[str, int],
) -> Origin:
    """Where a departure of a reject rate came in.

    Args:
        normals: feature → its usual days.
        days: feature → the bucket that departs.
        kpi: ``rejects``, or ``rejects.stage/reason/field``.
        rejects: of the bucket.
    """
    _, dot, which = kpi.partition(".")
    if not dot:
        which = max(rejects, key=lambda key: rejects[key], default="")
    if which.count("/") != 2:  # noqa: PLR2004
        return undetermined("no record was refused")
    stage, reason, field = which.split("/")
    told = f"{stage} refused {rejects.get(which, 0)} records for {reason} ({field or 'all of it'})"
    if stage == "decode":
        return undetermined(f"{told}; see the table rejects for what was sent")
    about = {
        name: day for name, day in days.items() if _is_about(field, name) and stage in day.stages
    }
    return as_sent(normals, about, stage, told)


def origin_of_marks(
    normals: Mapping[str, FeatureNormal],
    days: Mapping[str, FeatureDay],
    kpi: str,
    shown: Mapping[str, str],
) -> Origin:
    """Where a departure of the share of records that break a rule came in, which only marks.

    The client's, if something that it sent departs too, or a stage's before `validate`, which
    asks the rules; a rule may look at what no mean shows, so else nobody is accused.

    Args:
        normals: feature → its usual days.
        days: feature → the bucket that departs.
        kpi: ``marks``, or ``marks.rule``.
        shown: feature → what its single values show to have been done to it as sent.
    """
    told = f"records break {kpi.partition('.')[2] or 'a rule'}"
    for feature, day in days.items():
        sign = mean_as_sent(normals.get(feature, FeatureNormal()), day)
        if sign:
            return Origin(CLIENT, f"{told}; their {feature} {sign}, as sent")
    earlier = changed_before(normals, days, "validate", told)
    if earlier is not None:
        return earlier
    for feature, what in shown.items():
        return Origin(CLIENT, f"{told}; their {feature} shows {what}, as sent")
    return undetermined(f"{told}, and no mean of what was sent departs")


def _nothing_read(shift: float, rejects: Mapping[str, int]) -> Origin:
    if rejects:
        stage, reason, field = max(rejects, key=lambda key: rejects[key]).split("/", 2)
        told = f"{sum(rejects.values())} records were refused, mostly by {stage}"
        return undetermined(f"{told} for {reason} ({field}); see the table rejects", shift)
    return Origin(CLIENT, "no record was received", shift)


def _parts(normal: FeatureNormal, day: FeatureDay, expected: float) -> tuple[Part, ...]:
    """Records received, and what each stage kept back, in records; they add up to the shift."""
    shares = kept_shares(day)
    usual = 1.0
    for level in normal.kept.values():
        usual *= level.mean
    records = float(day.first.n + day.first.missing)
    first = next(iter(day.stages))
    parts = [Part(first, records, expected / usual if usual else expected, math.nan)]
    left = records
    for stage, share in shares.items():
        known = normal.kept.get(stage)
        if known is None:
            continue
        rate = (known.mean * normal.records + 0.5) / (normal.records + 1)
        chance = math.sqrt(rate * (1 - rate) / max(left, 1.0))
        deviation = (share - known.mean) / (spread(known, normal, left, 1.0) + chance)
        now = left * (share - 1)
        parts.append(Part(stage, now, left * (known.mean - 1), deviation))
        left *= share
    return tuple(parts)


def _refused_more(
    normals: Mapping[str, FeatureNormal],
    days: Mapping[str, FeatureDay],
    worst: Part,
    shift: float,
    parts: tuple[Part, ...],
    rejects: Mapping[str, int],
) -> Origin:
    """A stage refuses more (or less) than usual: are the records to blame?"""
    if worst.shift > 0:
        return Origin(worst.stage, f"{worst.stage} refuses fewer records than ever", shift, parts)
    told = f"{worst.stage} refused {-worst.now:.0f} records, usually {-worst.usual:.0f}"
    reason, field = _main_reason(worst.stage, rejects)
    if reason:
        told += f", mostly for {reason} ({field or 'the whole record'})"
    about = {
        name: day
        for name, day in days.items()
        if worst.stage in day.stages and (not reason or _is_about(field, name))
    }
    return as_sent(normals, about, worst.stage, told, shift, parts)


def _main_reason(stage: str, rejects: Mapping[str, int]) -> tuple[str, str]:
    """The most frequent reason of a stage's refusals, and the field that it is about."""
    of_stage = {key: count for key, count in rejects.items() if key.startswith(f"{stage}/")}
    if not of_stage:
        return "", ""
    _, reason, field = max(of_stage, key=lambda key: of_stage[key]).split("/", 2)
    return reason, field


def _is_about(field: str, feature: str) -> bool:
    return field.removesuffix("_unit") == feature.partition(".")[0]
