"""Verdicts: what a baseline says about a reading."""

from typing import Literal

import msgspec

from streamwatch.domain.readings import KpiKey, Reading

State = Literal["warming", "usual", "unusual"]


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """The judgement on one reading.

    Attributes:
        key, bucket, value, n: of the reading.
        state: ``warming`` while the baseline knows too little, then ``usual`` or ``unusual``.
        score: signed deviation in standard deviations of the prediction; 0 while warming.
        expected, lower, upper: the band, in the KPI's unit; ``None`` while warming.
        reason: why, in words for a person.
        version: counts the judgements of this bucket; a late record makes a new one.
        judged_at: the judge's clock, milliseconds.
        deviation: of this bucket alone; ``score`` may rest on several that ended with it.
        urgent: this verdict by itself is enough to tell somebody.
        origin: of an unusual one, where it came in: ``client``, a stage or ``undetermined``.
        hypothesis: what may have been done to the values; empty if nothing can be named.
        origin_reason: the numbers behind the origin, in words.
    """

    key: KpiKey
    bucket: int
    value: float
    n: int
    state: State
    score: float
    expected: float | None
    lower: float | None
    upper: float | None
    reason: str
    version: int = 0
    judged_at: int = 0
    deviation: float = 0.0
    urgent: bool = False
    origin: str = ""
    hypothesis: str = ""
    origin_reason: str = ""


def warming(reading: Reading, reason: str) -> Verdict:
    """A verdict that says why there is none yet."""
    return Verdict(
        key=reading.key,
        bucket=reading.bucket,
        value=reading.value,
        n=reading.n,
        state="warming",
        score=0.0,
        expected=None,
        lower=None,
        upper=None,
        reason=reason,
    )
