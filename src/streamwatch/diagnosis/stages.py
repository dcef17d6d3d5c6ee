"""The origin of a departing mean or missing rate: the first stage whose part left its normal.

It is the client's only if the value departs after the first stage already *and* the later
stages add no more than they always did. Where both moved, or too little is known, the origin
is undetermined: nobody is accused on thin evidence.
"""

import math
from collections.abc import Mapping

from streamwatch.diagnosis.level import Level
from streamwatch.diagnosis.normal import (
    FeatureDay,
    FeatureNormal,
    Part,
    compared,
    mean_parts,
    missing_parts,
)
from streamwatch.diagnosis.origin import CLIENT, Origin, undetermined

LEAST_DAYS = 4.0
"""Usual days below which nothing is known of the stages."""

STAGE_DEVIATION = 5.0
"""Standard deviations from which a stage's part has left its normal."""

CLIENT_DEVIATION = 3.0
"""The same for the value after the first stage, once the final value departs."""

FINAL_DEVIATION = 3.5
"""The same for the final value, when no verdict has said yet that it departs."""

MOST = 0.6
"""Share of the shift that the accused must account for."""

NEARLY_ALL = 0.8
"""Share of the shift that the client must account for."""

LITTLE = 0.1
"""Share of the shift below which a stage's part does not matter."""

LEAST_SHIFT = 2e-4
"""A stage's part below this share of the value is no fault."""


def origin_of_mean(
    normal: FeatureNormal, day: FeatureDay, *, departs: bool = False, expected: float | None = None
) -> Origin:
    """Where the shift of a feature's mean came in.

    Args:
        normal: the usual days.
        day: the bucket that departs.
        departs: whether a verdict says that the final mean is unusual.
        expected: a shift that the distribution shows, where the mean hides it: the mean shift
            that the best unit fault explains.
    """
    records = float(day.first.n + day.first.missing)
    parts = compared(mean_parts(day), normal.means, normal, records)
    scale = abs(sum(level.mean for level in normal.means.values()))
    return _origin(normal, parts, (records, scale), departs=departs, expected=expected)


def origin_of_missing(normal: FeatureNormal, day: FeatureDay, *, departs: bool = False) -> Origin:
    """Where the shift of a feature's missing rate came in; as `origin_of_mean`."""
    records = float(day.first.n + day.first.missing)
    usual = _with_chance(normal.missing, normal.records)
    parts = compared(missing_parts(day), usual, normal, records)
    return _origin(normal, parts, (records, 1.0), departs=departs, expected=None)


def _with_chance(levels: Mapping[str, Level], records: float) -> dict[str, Level]:
    """Rates with at least the variance that chance gives the first stage's."""
    result = dict(levels)
    for stage in list(levels)[:1]:
        level = levels[stage]
        rate = (level.mean * records + 0.5) / (records + 1)
        variance = max(level.variance, rate * (1 - rate) / max(records, 1.0))
        result[stage] = Level(level.weight, level.mean, variance)
    return result


def _origin(
    normal: FeatureNormal,
    parts: list[Part],
    size: tuple[float, float],
    *,
    departs: bool,
    expected: float | None,
) -> Origin:
    records, scale = size
    told = tuple(parts)
    shift = sum(part.shift for part in parts)
    if normal.days < LEAST_DAYS:
        return undetermined(f"only {normal.days:.0f} usual days are known", shift, told)
    if not records or not parts:
        return undetermined("no record has this value", shift, told)
    client, later = parts[0], parts[1:]
    guilty = [
        part
        for part in later
        if abs(part.deviation) >= STAGE_DEVIATION and abs(part.shift) >= LEAST_SHIFT * scale
    ]
    whole = expected if expected is not None else shift
    if guilty:
        return _guilty(client, guilty, shift, whole, told)
    departs = departs or expected is not None or abs(_final(parts)) >= FINAL_DEVIATION
    if not departs:
        return undetermined("the value after the last stage is usual", shift, told)
    ours = sum(abs(part.shift) for part in later)
    if expected is None and abs(client.deviation) < CLIENT_DEVIATION:
        reason = f"it departs by {client.deviation:+.1f} sd only in what the client sent"
        return undetermined(reason, shift, told)
    if ours > LITTLE * abs(whole) or (expected is None and client.shift / whole < NEARLY_ALL):
        return undetermined("it moved in what the client sent and in our stages", shift, told)
    reason = (
        f"already so in what the client sent: {_told(client)} after {client.stage}; "
        "the later stages add what they always did"
    )
    return Origin(CLIENT, reason, shift, told)


def _guilty(
    client: Part, guilty: list[Part], shift: float, whole: float, told: tuple[Part, ...]
) -> Origin:
    """Stages have left their normal: is one of them the origin?"""
    first = max(guilty, key=lambda part: abs(part.shift))
    moved = abs(client.shift) if abs(client.deviation) >= CLIENT_DEVIATION else 0.0
    others = sum(abs(part.shift) for part in guilty if part is not first)
    if abs(first.shift) < MOST * (abs(first.shift) + others + moved) or (
        moved and first.shift * whole < 0
    ):
        return undetermined(
            "several moved: "
            + ", ".join(f"{part.stage} by {part.shift:+.4g}" for part in (client, *guilty)),
            shift,
            told,
        )
    reason = (
        f"came in at {first.stage}: it adds {first.now:+.4g}, usually {first.usual:+.4g}; "
        f"before it all is usual ({_told(client)} after {client.stage})"
    )
    return Origin(first.stage, reason, shift, told)


def _final(parts: list[Part]) -> float:
    """The final value's deviation, from those of its parts."""
    variance = 0.0
    for part in parts:
        if part.deviation:
            one = part.shift / part.deviation
            variance += one * one
    shift = sum(part.shift for part in parts)
    return shift / math.sqrt(variance) if variance else 0.0


def _told(part: Part) -> str:
    return f"{part.now:.5g}, usually {part.usual:.5g}, {part.deviation:+.1f} sd"
