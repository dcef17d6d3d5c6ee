"""All that can be said of one departure, put together from what is stored of it."""

import math
from collections.abc import Mapping, Sequence
from typing import Literal, TypeVar

import msgspec

from streamwatch.diagnosis.contrast import (
    Shared,
    shared_by_changes,
    shared_by_means,
    shared_by_rows,
)
from streamwatch.diagnosis.diagnose import Found, diagnose
from streamwatch.diagnosis.learning import learn_days
from streamwatch.diagnosis.mixvalue import Split, split
from streamwatch.diagnosis.normal import FeatureDay, FeatureNormal
from streamwatch.diagnosis.origin import CLIENT, UNDETERMINED
from streamwatch.diagnosis.paired import Pair, Paired, affected_and_others, paired
from streamwatch.diagnosis.stagetable import StageLine, stage_lines
from streamwatch.domain.cells import GroupChanges, Groups
from streamwatch.domain.readings import STAGE_SEGMENT, KpiKey
from streamwatch.domain.verdicts import Verdict

JOINT = "gender,category"
MOST_BAD = 200
PairsFrom = Literal["taps", "recorder", ""]
"""Where single records were found: in tap tables, in ``recorded_rows``, or nowhere."""

Days = Mapping[str, FeatureDay]
_Sum = TypeVar("_Sum")


class Stored(msgspec.Struct, frozen=True):
    """What is stored of a departure.

    Attributes:
        key: the KPI.
        bucket: the day that is diagnosed, milliseconds.
        before: the days before it by their start, oldest first.
        departing: of those, the KPIs that were unusual.
        days: the features of the bucket itself.
        groups_before: the groups of all days before, summed up.
        groups, changes: of the bucket.
        rejects: of the bucket, ``stage/reason/field`` → records.
        verdict: on the KPI in the bucket.
        pairs: neighbouring stages at which the same records were kept → those records, from the
            first unusual day on.
        pairs_from: where those stand.
        since: the first unusual day; 0 for the bucket itself.
    """

    key: KpiKey
    bucket: int
    before: Mapping[int, Days]
    departing: Mapping[int, set[str]]
    days: Days
    groups_before: Groups = {}
    groups: Groups = {}
    changes: GroupChanges = {}
    rejects: Mapping[str, int] = {}
    verdict: Verdict | None = None
    pairs: Mapping[tuple[str, str], Sequence[Pair]] = {}
    pairs_from: PairsFrom = ""
    since: int = 0


class StagePairs(msgspec.Struct, frozen=True):
    """What neighbouring stages made of the same records."""

    before: str
    after: str
    summary: Paired


class Report(msgspec.Struct, frozen=True):
    """The whole diagnosis.

    Attributes:
        feature: that the stage table is about.
        usual_days: days that it was compared with.
        found: origin and hypotheses.
        lines: the stage table.
        pairs: paired changes, where single records were kept.
        pairs_from: where those stand.
        split: mix and value; ``None`` where groups are not known.
        shared: what the affected records share, the clearest first.
        affected: share of the records that are affected; ``None`` if unknown.
        bad: the first affected records among those that were kept.
        since: the first unusual day; 0 for the bucket itself.
    """

    key: KpiKey
    bucket: int
    feature: str
    usual_days: int
    verdict: Verdict | None
    found: Found
    lines: tuple[StageLine, ...]
    pairs: tuple[StagePairs, ...]
    split: Split | None
    shared: tuple[Shared, ...]
    affected: float | None
    bad: tuple[Pair, ...]
    pairs_from: PairsFrom = ""
    since: int = 0

    @property
    def records_since(self) -> int:
        """From when on single records were looked at."""
        return min(self.since or self.bucket, self.bucket)

    @property
    def first_bad(self) -> Pair | None:
        """The first of them."""
        return self.bad[0] if self.bad else None


def make_report(stored: Stored) -> Report:
    """The diagnosis of what is stored."""
    normals: dict[str, FeatureNormal] = {}
    for day, features in stored.before.items():
        normals = learn_days(normals, features, stored.departing.get(day, set()))
    found = diagnose(stored.key, normals, stored.days, stored.verdict, stored.rejects)
    feature = _feature(stored)
    after_service = stored.key.segment.startswith(STAGE_SEGMENT)
    summaries = {
        stages: paired(some) for stages, some in stored.pairs.items() if stages[0] != stages[1]
    }
    hit, others = _affected(stored, found)
    usual = [
        past[feature]
        for start, past in stored.before.items()
        if feature in past and f"mean.{feature}" not in stored.departing.get(start, set())
    ]
    return Report(
        key=stored.key,
        bucket=stored.bucket,
        feature=feature,
        usual_days=len(stored.before),
        verdict=stored.verdict,
        found=found,
        lines=tuple(stage_lines(feature, stored.days, usual, found.origin.parts)),
        pairs=tuple(StagePairs(*stages, summary) for stages, summary in summaries.items()),
        split=split(
            _of_feature(stored.groups_before, JOINT, feature),
            _of_feature(stored.groups, JOINT, feature),
        )
        if stored.key.kpi.startswith("mean.") and not after_service
        else None,
        shared=tuple(_shared(stored, found, feature, (hit, others))),
        affected=_share(stored, found, feature),
        bad=tuple(sorted(hit, key=_time)[:MOST_BAD]),
        pairs_from=stored.pairs_from,
        since=stored.since,
    )


def _feature(stored: Stored) -> str:
    kind, _, feature = stored.key.kpi.partition(".")
    if kind in ("mean", "missing") and feature in stored.days:
        return feature
    counts = {name: day.first.n + day.first.missing for name, day in stored.days.items()}
    return max(counts, key=lambda name: counts[name], default="")


def _of_feature(
    groups: Mapping[str, Mapping[str, Mapping[str, _Sum]]], labels: str, feature: str
) -> dict[str, _Sum]:
    return {
        value: features[feature]
        for value, features in groups.get(labels, {}).items()
        if feature in features
    }


def _affected(stored: Stored, found: Found) -> tuple[list[Pair], list[Pair]]:
    """The affected and the other records among those that taps hold."""
    origin = found.origin.name
    for (_, after), pairs in stored.pairs.items():
        if after == origin:
            return affected_and_others(list(pairs))
    if origin != CLIENT or not found.hypotheses or not stored.pairs:
        return [], []
    # As sent: an affected value is nearer to the wrong values than to the usual ones.
    factor = found.hypotheses[0].factor
    usual = found.origin.parts[0].usual if found.origin.parts else 0.0
    if factor <= 0 or usual <= 0:
        return [], []
    middle = usual * math.sqrt(factor)
    pairs = next(iter(stored.pairs.values()))
    known = [pair for pair in pairs if pair.before is not None]
    hit = [pair for pair in known if ((pair.before or 0.0) > middle) == (factor > 1)]
    return hit, [pair for pair in known if ((pair.before or 0.0) > middle) != (factor > 1)]


def _shared(
    stored: Stored, found: Found, feature: str, rows: tuple[list[Pair], list[Pair]]
) -> list[Shared]:
    """By records where taps hold them, else by the groups' sums."""
    hit, others = rows
    by_rows = shared_by_rows([one.fields for one in hit], [one.fields for one in others])
    if by_rows:
        return by_rows
    if not stored.key.kpi.startswith("mean.") or found.origin.name == UNDETERMINED:
        return []
    result: list[Shared] = []
    for labels in stored.groups:
        now = _of_feature(stored.groups, labels, feature)
        if found.origin.name == CLIENT:
            before = _of_feature(stored.groups_before, labels, feature)
            result += shared_by_means(labels, before, now, _change(found))
        else:
            changes = _of_feature(stored.changes, labels, feature)
            result += shared_by_changes(labels, now, changes)
    return sorted(result, key=lambda one: -one.deviation)


def _change(found: Found) -> float:
    """What the fault does to one record's value."""
    if not found.hypotheses or not found.hypotheses[0].share:
        return 0.0
    best = found.hypotheses[0]
    usual = sum(part.usual for part in found.origin.parts)
    return best.shift(usual) / best.share


def _share(stored: Stored, found: Found, feature: str) -> float | None:
    day = stored.days.get(feature)
    if day is None or not stored.key.kpi.startswith("mean."):
        return None
    change = day.changes.get(found.origin.name)
    passed = day.stages.get(found.origin.name)
    if change and passed and passed.n:
        return change.changed / passed.n
    service = stored.key.segment.removeprefix(STAGE_SEGMENT)
    if found.origin.name in (CLIENT, service) and found.hypotheses:
        return found.hypotheses[0].share
    return None


def _time(pair: Pair) -> tuple[int, str, int, int]:
    return (pair.occurred_at or 0, pair.topic, pair.partition, pair.offset)
