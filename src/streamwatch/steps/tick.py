"""A tick: what is judged at one moment, and how one reading becomes a verdict."""

from collections.abc import Callable, Iterable

import msgspec

from streamwatch.baselines import judging
from streamwatch.baselines.fleetfactor import NONE, Common
from streamwatch.domain.messages import VERDICTS_TOPIC, Message
from streamwatch.domain.readings import Reading
from streamwatch.domain.rows import VerdictRow
from streamwatch.domain.settings import JudgingSettings
from streamwatch.domain.smallgroups import withheld
from streamwatch.domain.verdicts import Verdict, warming
from streamwatch.steps import diagnosing
from streamwatch.steps.judgestate import JudgeState
from streamwatch.steps.remembered import usual_of
from streamwatch.steps.step import Outcome
from streamwatch.steps.streams import Stream, kpi_name

_encode_verdict = msgspec.json.Encoder().encode


class Tick(msgspec.Struct, frozen=True):
    """The state, the settings, the outcome that is written to, and the event type's clock."""

    state: JudgeState
    settings: JudgingSettings
    outcome: Outcome
    clock: int


def judge(
    tick: Tick,
    stream: Stream,
    reading: Reading,
    version: int,
    bucket: diagnosing.Bucket | Callable[[], diagnosing.Bucket],
    common: Common = NONE,
) -> Verdict:
    """Score, then learn, then tell.

    Args:
        tick: the moment.
        stream: whose reading it is; learns.
        reading: of a closed bucket.
        version: of the verdict.
        bucket: for the diagnosis; a function is called only where there is something to diagnose.
        common: what all shops have in common in the bucket.
    """
    name = kpi_name(reading.key)
    learned = stream.learned
    if reading.key.kpi == "volume" and reading.bucket == learned.first_day:
        verdict = warming(reading, "the first day seen may be only a part of a day")
    else:
        baseline = learned.baselines.get(name) or _begin(stream, reading)
        verdict = judging.score(baseline, reading, tick.settings, common)
        learned.baselines[name] = judging.learn(baseline, reading, verdict, tick.settings, common)
    verdict = msgspec.structs.replace(verdict, version=version, judged_at=tick.clock)
    if verdict.state == "unusual":
        of_bucket = bucket() if callable(bucket) else bucket
        verdict = diagnosing.with_origin(verdict, learned.normals, of_bucket)
    tell(tick, stream, verdict)
    return verdict


def tell(tick: Tick, stream: Stream, verdict: Verdict) -> None:
    """A verdict goes to the table and, once warm, to FLEET."""
    tick.outcome.rows.append(VerdictRow(verdict))
    if verdict.state == "warming":
        return
    tick.outcome.messages.append(message_of(verdict))
    unusual, name = stream.learned.unusual, kpi_name(verdict.key)
    newest = unusual.get(name) or stream.learned.usual.get(name)
    if newest is None or verdict.bucket >= newest.bucket:
        unusual.pop(name, None)
        stream.learned.usual.pop(name, None)
        if verdict.state == "usual":
            stream.learned.usual[name] = usual_of(verdict)
        else:
            unusual[name] = verdict
            tick.outcome.is_urgent = True


def take_back(tick: Tick, stream: Stream, verdicts: Iterable[Verdict], reason: str) -> None:
    """Close what is open in buckets that are no longer judged, and say why."""
    for old in list(verdicts):
        verdict = msgspec.structs.replace(
            old,
            state="warming",
            score=0.0,
            expected=None,
            lower=None,
            upper=None,
            reason=reason,
            version=old.version + 1,
            judged_at=tick.clock,
            urgent=False,
        )
        tick.outcome.rows.append(VerdictRow(verdict))
        tick.outcome.messages.append(message_of(verdict))
        del stream.learned.unusual[kpi_name(old.key)]


def message_of(verdict: Verdict) -> Message:
    """The verdict as a message to FLEET; from there on it may leave the system."""
    return Message(VERDICTS_TOPIC, verdict.key.shop.encode(), _encode_verdict(withheld(verdict)))


def _begin(stream: Stream, reading: Reading) -> judging.Baseline:
    kind, dot, _ = reading.key.kpi.partition(".")
    if dot and kind in ("rejects", "marks"):
        total = stream.learned.baselines.get(f"{reading.key.span}|{kind}|{reading.key.segment}")
        return judging.begin_beside(reading.key, total)
    return judging.begin(reading.key)
