"""The origin of a shift after a stage in another service: that service, or what it was given.

Such a stage stands beside the journey: it gets the records at some point, and its topic holds
what it made of them. So its mean is compared with that after our last stage. Where both moved
together, the origin is that of the journey; where only the distance between them moved, the
service is at fault.
"""

from streamwatch.diagnosis.normal import FeatureDay, FeatureNormal, Part, beside_parts, compared
from streamwatch.diagnosis.origin import Origin, undetermined
from streamwatch.diagnosis.stages import (
    FINAL_DEVIATION,
    LEAST_DAYS,
    LEAST_SHIFT,
    LITTLE,
    MOST,
    STAGE_DEVIATION,
    origin_of_mean,
)


def departing_elsewhere(normal: FeatureNormal, day: FeatureDay) -> list[Part]:
    """The stages in other services that are farther from our last stage than they ever are."""
    if normal.days < LEAST_DAYS:
        return []
    scale = abs(sum(level.mean for level in normal.means.values()))
    return [
        part
        for part in _distances(normal, day).values()
        if abs(part.deviation) >= STAGE_DEVIATION and abs(part.shift) >= LEAST_SHIFT * scale
    ]


def origin_elsewhere(
    normal: FeatureNormal, day: FeatureDay, stage: str, *, departs: bool = False
) -> Origin:
    """Where the shift of a mean after a stage in another service came in.

    Args:
        normal: the usual days.
        day: the bucket that departs.
        stage: the stage.
        departs: whether a verdict says that the mean after it is unusual.
    """
    ours = origin_of_mean(normal, day)
    distance = _distances(normal, day).get(stage)
    if distance is None:
        return undetermined(f"what {stage} usually gives is not known yet")
    shift = ours.shift + distance.shift
    parts = (*ours.parts, distance)
    if distance in departing_elsewhere(normal, day):
        if abs(distance.shift) < MOST * (abs(distance.shift) + abs(ours.shift)):
            return undetermined(f"it moved before {stage} and in it", shift, parts)
        reason = (
            f"came in at {stage}: it is {distance.now:+.4g} from the value after our last stage, "
            f"usually {distance.usual:+.4g}"
        )
        return Origin(stage, reason, shift, parts)
    departs = departs or abs(distance.deviation) >= FINAL_DEVIATION
    if departs and abs(distance.shift) <= LITTLE * abs(shift):
        again = origin_of_mean(normal, day, departs=True)
        return Origin(again.name, f"{stage} got it so; {again.reason}", shift, parts)
    return undetermined(f"neither {stage} nor what it was given departs clearly", shift, parts)


def _distances(normal: FeatureNormal, day: FeatureDay) -> dict[str, Part]:
    usual = {stage: normal.beside[stage] for stage in day.beside if stage in normal.beside}
    values = {stage: value for stage, value in beside_parts(day).items() if stage in usual}
    found = compared(values, usual, normal, float(day.last.n))
    return {part.stage: part for part in found}
