"""The life of an incident: when a KPI's verdicts open, change and close one.

It opens on one bucket that is far out or certain by itself, or on several unusual ones in the
same direction, and closes once enough buckets were usual again: one day or week, or three hours.
Opening asks for more than closing, so that a KPI at the edge of its band does not flap. A KPI
that departs again later makes a new incident.
"""

from datetime import UTC, datetime

import msgspec

from streamwatch.domain.incidents import Direction, Incident
from streamwatch.domain.readings import KpiKey, Span
from streamwatch.domain.verdicts import State, Verdict
from streamwatch.incidents.blame import with_origin

FAR_OUT = 1.5
"""Standard deviations beyond the threshold from which one bucket is enough."""


SILENCE = "silence"
"""The KPI whose buckets are moments: one record ends it."""


class OpeningRule(msgspec.Struct, frozen=True):
    """``unusual`` of the last ``among`` buckets open; ``calm`` usual ones in a row close.

    ``beyond`` the threshold they must depart, and with ``alone`` one that is far out is enough.
    """

    unusual: int
    among: int
    calm: int
    beyond: float = 0.0
    alone: bool = True


RULES: dict[Span, OpeningRule] = {
    "day": OpeningRule(unusual=2, among=3, calm=1),
    # The hours of one day depart together, so two of them say no more than a day does.
    "hour": OpeningRule(unusual=2, among=3, calm=3, beyond=FAR_OUT, alone=False),
    "week": OpeningRule(unusual=1, among=1, calm=1),
    "month": OpeningRule(unusual=1, among=1, calm=1),
}


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """A verdict without its key."""

    bucket: int
    version: int
    state: State
    score: float
    value: float
    expected: float
    lower: float
    upper: float
    reason: str
    judged_at: int
    origin: str = ""
    hypothesis: str = ""
    origin_reason: str = ""
    urgent: bool = False

    @property
    def sign(self) -> int:
        """-1 unusually low, 1 unusually high, else 0."""
        if self.state != "unusual":
            return 0
        return -1 if self.score < 0 else 1


class Life(msgspec.Struct, frozen=True):
    """Where a KPI stands.

    Attributes:
        recent: the last verdicts without an incident, oldest first.
        incident: the open one.
        calm: the first of the usual buckets since its last unusual one, and their number.
    """

    recent: tuple[Seen, ...] = ()
    incident: Incident | None = None
    calm_since: int = 0
    calm: int = 0


def seen_of(verdict: Verdict) -> Seen:
    """What the lifecycle needs of a verdict."""
    return Seen(
        bucket=verdict.bucket,
        version=verdict.version,
        state=verdict.state,
        score=verdict.score,
        value=verdict.value,
        expected=verdict.expected if verdict.expected is not None else verdict.value,
        lower=verdict.lower if verdict.lower is not None else verdict.value,
        upper=verdict.upper if verdict.upper is not None else verdict.value,
        reason=verdict.reason,
        judged_at=verdict.judged_at,
        origin=verdict.origin,
        hypothesis=verdict.hypothesis,
        origin_reason=verdict.origin_reason,
        urgent=verdict.urgent,
    )


def advance(
    life: Life, key: KpiKey, seen: Seen, threshold: float
) -> tuple[Life, tuple[Incident, ...]]:
    """Take the next bucket's verdict.

    Args:
        life: where the KPI stood.
        key: the KPI.
        seen: the verdict.
        threshold: from which a reading is unusual, for "far out".

    Returns:
        Where it stands now, and the incidents that opened, changed or closed by it; their
        revision is left at 0.
    """
    if life.incident is None:
        return _without_incident(life, key, seen, threshold)
    sign = -1 if life.incident.direction == "low" else 1
    if seen.sign == sign:
        incident = _worsened(life.incident, seen)
        return Life(incident=incident), (incident,)
    if seen.state == "warming":
        closed = close(life.incident, seen.bucket, seen.bucket, seen.reason, seen.judged_at)
        return Life(), (closed,)
    if seen.sign == -sign:
        reason = f"turned into the opposite: {seen.reason}"
        closed = close(life.incident, seen.bucket, seen.bucket, reason, seen.judged_at)
        after, opened = _without_incident(Life(), key, seen, threshold)
        return after, (closed, *opened)
    if _says_nothing(life.incident, seen):
        return life, ()
    since = life.calm_since if life.calm else seen.bucket
    calm = life.calm + 1
    if calm < (1 if key.kpi == SILENCE else RULES[key.span].calm):
        return Life(incident=life.incident, calm_since=since, calm=calm), ()
    reason = f"usual again since {moment(since)}: {seen.reason}"
    return Life(), (close(life.incident, since, seen.bucket, reason, seen.judged_at),)


def _says_nothing(incident: Incident, seen: Seen) -> bool:
    """Whether a usual bucket is no sign of an end: an empty day of rest ends no outage."""
    return incident.key.kpi == "volume" and incident.direction == "low" and seen.value == 0


def close(
    incident: Incident, until: int, last_bucket: int, reason: str, judged_at: int
) -> Incident:
    """The incident, closed."""
    return msgspec.structs.replace(
        incident,
        status="closed",
        until=until,
        last_bucket=max(last_bucket, incident.last_bucket),
        reason=reason,
        updated_at=judged_at,
    )


def moment(milliseconds: int) -> str:
    """A moment in RFC 3339.

    >>> moment(1_700_000_000_000)
    '2023-11-14T22:13:20Z'
    """
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _without_incident(
    life: Life, key: KpiKey, seen: Seen, threshold: float
) -> tuple[Life, tuple[Incident, ...]]:
    if seen.state == "warming":
        return Life(), ()
    rule = RULES[key.span]
    recent = (*life.recent, seen)[-rule.among :]
    least = threshold + rule.beyond
    alike = [one for one in recent if one.sign == seen.sign and abs(one.score) >= least]
    far_out = rule.alone and abs(seen.score) >= threshold + FAR_OUT
    enough = far_out or seen.urgent
    if seen.sign == 0 or not (enough or len(alike) >= rule.unusual):
        return Life(recent=recent), ()
    alike = alike or [seen]
    incident = _opened(key, alike)
    for one in alike:
        incident = with_origin(incident, one, worst=abs(one.score) >= abs(incident.score))
    return Life(incident=incident), (incident,)


def _opened(key: KpiKey, alike: list[Seen]) -> Incident:
    direction: Direction = "low" if alike[0].sign < 0 else "high"
    since = alike[0].bucket
    name = f"{key.shop}/{key.event_type}/{key.kpi}/{key.segment}/{key.span}/{direction}"
    worst = max(alike, key=lambda seen: abs(seen.score))
    return Incident(
        id=f"{name}@{moment(since)}",
        key=key,
        direction=direction,
        status="open",
        since=since,
        until=None,
        last_bucket=alike[-1].bucket,
        value=worst.value,
        expected=worst.expected,
        lower=worst.lower,
        upper=worst.upper,
        score=worst.score,
        buckets=len(alike),
        reason=_reason(key, len(alike), worst.reason),
        revision=0,
        updated_at=alike[-1].judged_at,
    )


def _worsened(incident: Incident, seen: Seen) -> Incident:
    worse = abs(seen.score) > abs(incident.score)
    buckets = incident.buckets + 1
    changed = msgspec.structs.replace(
        incident,
        last_bucket=seen.bucket,
        buckets=buckets,
        reason=_reason(incident.key, buckets, seen.reason),
        updated_at=seen.judged_at,
    )
    changed = with_origin(changed, seen, worst=worse)
    if not worse:
        return changed
    return msgspec.structs.replace(
        changed,
        value=seen.value,
        expected=seen.expected,
        lower=seen.lower,
        upper=seen.upper,
        score=seen.score,
    )


def _reason(key: KpiKey, buckets: int, reason: str) -> str:
    if key.kpi == SILENCE:
        return reason
    plural = "s" if buckets > 1 else ""
    apart = "; the day's volume is judged apart" if key.span == "hour" else ""
    return f"{buckets} unusual {key.span}{plural}: {reason}{apart}"
