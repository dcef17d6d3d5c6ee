"""The volumes of a day or a week: the whole shop first, then its segments beside it.

What all segments have in common is the shop's own departure. A segment that only goes along with
it is usual, so that a sale of the shop is told once; one that departs for itself is not.
"""

from collections.abc import Sequence

from streamwatch.baselines import judging
from streamwatch.baselines.fleetfactor import NONE, Common, of_shop
from streamwatch.domain.cells import ALL
from streamwatch.domain.readings import KpiKey, Reading
from streamwatch.domain.verdicts import Verdict
from streamwatch.steps import diagnosing, rates
from streamwatch.steps.streams import Learned, Stream, kpi_name
from streamwatch.steps.tick import Tick, judge

_DEPARTS = 1.5
"""Deviation of the shop from which its segments are judged beside it."""

_AT_ONCE = 1.2
"""Learning by a single day moves a warm level by less than this factor."""


def judge_all(
    tick: Tick,
    stream: Stream,
    readings: Sequence[Reading],
    version: int,
    bucket: diagnosing.Bucket,
    common: Common,
) -> list[Verdict]:
    """Judge the volumes of one bucket; the shop's own is the first of the readings."""
    whole = readings[0]
    baselines, name = stream.learned.baselines, kpi_name(whole.key)
    expected = judging.expected_volume(baselines.get(name), whole)
    level = judging.level_of(baselines.get(name))
    verdict = judge(tick, stream, whole, version, bucket, common)
    follow_level(stream.learned, whole.key, level)
    shared = NONE
    stream.learned.paces.pop(whole.bucket, None)
    if expected and not 1 / rates.MOVED <= whole.value / expected <= rates.MOVED:
        stream.learned.paces[whole.bucket] = whole.value / expected
    if expected is not None and (common.holds or abs(verdict.deviation) >= _DEPARTS):
        unlearned = common.planned or verdict.state == "unusual"
        shared = of_shop(whole.value, expected, unlearned=unlearned)
    parts = [judge(tick, stream, part, version, bucket, shared) for part in readings[1:]]
    return [verdict, *parts]


def pace_of(learned: Learned, bucket: int) -> float | None:
    """Records in parts of those expected, as far as it matters; ``None`` while warming."""
    if not judging.level_of(learned.baselines.get(f"{learned.span}|volume|{ALL}")):
        return None
    return learned.paces.get(bucket, 1.0)


def follow_level(learned: Learned, whole: KpiKey, before: float) -> None:
    """Move the segments' levels when the shop has come to a new one at once, or back to it."""
    after = judging.level_of(learned.baselines.get(kpi_name(whole)))
    if not before or not after or 1 / _AT_ONCE < after / before < _AT_ONCE:
        return
    start = f"{whole.span}|volume|"
    for name, baseline in learned.baselines.items():
        if name.startswith(start) and not name.endswith(f"|{ALL}"):
            learned.baselines[name] = judging.moved(baseline, after / before)
