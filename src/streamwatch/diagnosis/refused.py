"""Were refused records refused rightly? It is seen in what was sent.

If the values that the refusals are about depart before any stage of ours, the client's data
changed and the stage did its work. So it is if the refused values alone are like none that is
usual; what was refused is what came to the stage without what passed it. If an earlier stage of
ours spoiled them, that one is at fault; if they are as usual, the one that refused them is; if
nothing of this can be said, nobody is accused.
"""

import math
from collections.abc import Mapping

import msgspec

from streamwatch.diagnosis.normal import (
    FeatureDay,
    FeatureNormal,
    Part,
    compared,
    mean_parts,
    missing_parts,
)
from streamwatch.diagnosis.origin import CLIENT, Origin, undetermined
from streamwatch.diagnosis.stages import (
    CLIENT_DEVIATION,
    LEAST_DAYS,
    LEAST_SHIFT,
    MOST,
    STAGE_DEVIATION,
)
from streamwatch.domain.cells import Moments

FAR = 4.0
"""Standard deviations of single values from which the mean of refused ones is like no usual one:
a rule that was drawn too tight refuses nearer ones."""

FEW_REFUSED = 3
"""Refused values below which their mean tells nothing."""

UNLIKE = 1.0
"""The same below which refused values are like any others, if there are many."""


def as_sent(
    normals: Mapping[str, FeatureNormal],
    days: Mapping[str, FeatureDay],
    stage: str,
    told: str,
    shift: float = 0.0,
    parts: tuple[Part, ...] = (),
) -> Origin:
    """The client's, if what it sent departs; the stage's, if all that was sent is usual."""
    if not days:
        return undetermined(f"{told}; see the table rejects", shift, parts)
    unsure = ""
    for feature, day in days.items():
        normal = normals.get(feature, FeatureNormal())
        sign = _departs_as_sent(normal, day, stage)
        if sign:
            return Origin(CLIENT, f"{told}; their {feature} {sign}, as sent", shift, parts)
        if sign is None or not _refused_values(normal, day, stage).is_usual:
            unsure = feature
    earlier = changed_before(normals, days, stage, told)
    if earlier is not None:
        return msgspec.structs.replace(earlier, shift=shift, parts=parts)
    for feature, day in days.items():
        normal = normals.get(feature, FeatureNormal())
        if _refused_values(normal, day, stage).is_like_none:
            what = f"the {feature} of those alone is like none that is usual, as sent"
            return Origin(CLIENT, f"{told}; {what}", shift, parts)
    if unsure:
        return undetermined(f"{told}; too little is known of their {unsure}", shift, parts)
    names = " and ".join(days)
    return Origin(stage, f"{told}; the {names} of all that was sent is usual", shift, parts)


def changed_before(
    normals: Mapping[str, FeatureNormal], days: Mapping[str, FeatureDay], stage: str, told: str
) -> Origin | None:
    """An earlier stage of ours that spoiled what this one looks at; ``None`` if none did."""
    for feature, day in days.items():
        normal = normals.get(feature, FeatureNormal())
        names = list(day.stages)
        reached = {one: day.stages[one] for one in names[: names.index(stage)]}
        early = msgspec.structs.replace(day, stages=reached)
        records = float(day.first.n + day.first.missing)
        for values, levels in (
            (mean_parts(early), normal.means),
            (missing_parts(early), normal.missing),
        ):
            parts = compared(values, levels, normal, records)
            scale = abs(sum(level.mean for level in normal.means.values()))
            least = LEAST_SHIFT * (scale if levels is normal.means else 1.0)
            guilty = [
                part
                for part in parts[1:]
                if abs(part.deviation) >= STAGE_DEVIATION and abs(part.shift) >= least
            ]
            worst = max(guilty, key=lambda part: abs(part.shift), default=None)
            if worst is None:
                continue
            reason = (
                f"{told}; before, {worst.stage} adds {worst.now:+.4g} to their {feature}, "
                f"usually {worst.usual:+.4g}"
            )
            if abs(worst.shift) < MOST * sum(abs(part.shift) for part in parts):
                return undetermined(f"{reason}, and it moved elsewhere too")
            return Origin(worst.stage, reason)
    return None


def _departs_as_sent(normal: FeatureNormal, day: FeatureDay, stage: str) -> str | None:
    """In what way a feature departs before any stage of ours: the refused ones would show.

    Returns:
        Words; empty if it is usual; ``None`` if that cannot be said.
    """
    records = float(day.first.n + day.first.missing)
    if normal.days < LEAST_DAYS or not records:
        return None
    missing = compared(missing_parts(day), normal.missing, normal, records)[0]
    refused = _refused(day, stage)
    if missing.shift > refused / records / 2 and missing.shift > 0:
        return f"is missing in {missing.now:.0%} instead of {missing.usual:.0%}"
    return mean_as_sent(normal, day)


def mean_as_sent(normal: FeatureNormal, day: FeatureDay) -> str | None:
    """The same of the mean alone."""
    first = next(iter(day.stages), "")
    level = normal.means.get(first)
    if normal.days < LEAST_DAYS or level is None or not day.first.n:
        return None
    records = float(day.first.n + day.first.missing)
    part = compared({first: day.first.mean}, {first: level}, normal, records)[0]
    if abs(part.deviation) >= STAGE_DEVIATION:
        return f"was {part.now:.5g} on average instead of {part.usual:.5g}"
    return "" if abs(part.deviation) < CLIENT_DEVIATION else None


def _refused(day: FeatureDay, stage: str) -> int:
    before, after = _around(day, stage)
    return before.n + before.missing - after.n - after.missing


def _around(day: FeatureDay, stage: str) -> tuple[Moments, Moments]:
    """Before a stage, and behind it."""
    names = list(day.stages)
    return day.stages[names[names.index(stage) - 1]], day.stages[stage]


class _Refused(msgspec.Struct, frozen=True):
    """The values of the records that a stage refused.

    Attributes:
        n: how many.
        distance: of their mean from the usual one, in standard deviations of single values.
    """

    n: int = 0
    distance: float = 0.0

    @property
    def is_usual(self) -> bool:
        """Whether they are like any others."""
        return self.distance < max(UNLIKE, CLIENT_DEVIATION / math.sqrt(max(self.n, 1)))

    @property
    def is_like_none(self) -> bool:
        """Whether they are like none that is usual."""
        return self.n >= FEW_REFUSED and self.distance >= FAR


def _refused_values(normal: FeatureNormal, day: FeatureDay, stage: str) -> _Refused:
    """What came to the stage, without what passed it."""
    before, after = _around(day, stage)
    n = before.n - after.n
    level = normal.means.get(next(iter(day.stages), ""))
    variance = (after if after.n > n else before).variance
    if n <= 0 or level is None or normal.days < LEAST_DAYS or not variance:
        return _Refused()
    mean = (before.n * before.mean - after.n * after.mean) / n
    return _Refused(n, abs(mean - level.mean) / math.sqrt(variance))
