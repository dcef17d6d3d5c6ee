"""The newest usual verdict of every KPI, as few numbers: what the gauges show after a restart."""

from collections.abc import Iterator

import msgspec

from streamwatch.domain.readings import KpiKey, Span
from streamwatch.domain.verdicts import Verdict

_SPANS: dict[str, Span] = {"hour": "hour", "day": "day", "week": "week", "month": "month"}


class Usual(msgspec.Struct, frozen=True, array_like=True):
    """What a usual verdict said, without its words; fields as in `Verdict`."""

    bucket: int
    value: float
    n: int
    score: float
    expected: float | None
    lower: float | None
    upper: float | None
    judged_at: int


def usual_of(verdict: Verdict) -> Usual:
    """What is remembered of a verdict."""
    return Usual(
        verdict.bucket,
        verdict.value,
        verdict.n,
        verdict.score,
        verdict.expected,
        verdict.lower,
        verdict.upper,
        verdict.judged_at,
    )


def verdicts_of(shop: str, event_type: str, usual: dict[str, Usual]) -> Iterator[Verdict]:
    """The verdicts again.

    Args:
        shop: whose.
        event_type: of what.
        usual: by `streams.kpi_name`.
    """
    for name, one in usual.items():
        span, kpi, segment = name.split("|", 2)
        yield Verdict(
            key=KpiKey(shop, event_type, kpi, segment, _SPANS[span]),
            bucket=one.bucket,
            value=one.value,
            n=one.n,
            state="usual",
            score=one.score,
            expected=one.expected,
            lower=one.lower,
            upper=one.upper,
            reason="judged before the restart",
            judged_at=one.judged_at,
        )
