"""Body measures of few people are personal too: what is told of them, and what is not."""

import math

import msgspec

from streamwatch.domain.verdicts import Verdict

LEAST_GROUP = 10
"""Records of which a mean body measure is told."""

PERSONAL = frozenset({"height", "weight", "age"})
"""The features that are measures of a person."""


def tells_of_few(kpi: str, n: int) -> bool:
    """Whether a KPI is the mean body measure of too few records.

    >>> tells_of_few("mean.height", 9), tells_of_few("mean.height", 10), tells_of_few("volume", 3)
    (True, False, False)
    """
    kind, _, feature = kpi.partition(".")
    return kind == "mean" and feature in PERSONAL and n < LEAST_GROUP


def withheld(verdict: Verdict) -> Verdict:
    """The verdict as others may see it; that on too few people without what they measure.

    Instead of the mean stands the edge of the band that it passed, or the expected value, or
    nothing where there is no band; the score stays, so that whoever is on call knows how far it
    is.
    """
    if not tells_of_few(verdict.key.kpi, verdict.n):
        return verdict
    reason = verdict.reason
    if verdict.state != "warming":
        reason = f"of fewer than {LEAST_GROUP} records only the distance is told: "
        reason += f"{verdict.score:+.1f} standard deviations"
    return msgspec.structs.replace(
        verdict,
        value=_instead(verdict),
        reason=reason,
        origin_reason="",
    )


def _instead(verdict: Verdict) -> float:
    if verdict.expected is None:
        return math.nan
    if verdict.lower is not None and verdict.value < verdict.lower:
        return verdict.lower
    if verdict.upper is not None and verdict.value > verdict.upper:
        return verdict.upper
    return verdict.expected
