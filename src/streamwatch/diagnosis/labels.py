"""Labels at every stage: how often they lack, and how many were changed.

The cells hold the counts of what came out, and what each stage changed on the way; counts after
the earlier stages follow from both. A label's day has the same form as a number's, with the
share of records that were changed so far in the place of the mean. So what is usual is learned in
the same way, and a missing label's origin is found as a missing number's.
"""

from collections import Counter
from collections.abc import Mapping

import msgspec

from streamwatch.diagnosis.normal import (
    FeatureDay,
    FeatureNormal,
    compared,
    kept_shares,
    mean_parts,
    ordered,
)
from streamwatch.diagnosis.origin import CLIENT, Origin, undetermined
from streamwatch.diagnosis.stages import (
    LEAST_DAYS,
    LITTLE,
    MOST,
    STAGE_DEVIATION,
    origin_of_missing,
)
from streamwatch.domain.cells import ARROW, Cell, Moments
from streamwatch.domain.refusals import STAGES

LABEL = "label."
"""What begins a label's name among the features."""


def label_days(cell: Cell) -> dict[str, FeatureDay]:
    """The labels of a bucket's counted records.

    >>> stages = {"decode": {}, "normalise": {}}
    >>> cell = Cell(count=4, labels={"size": {"M": 3, "": 1}}, stages=stages)
    >>> cell.label_changes["normalise"] = {"size": {f"L{ARROW}": 1}}
    >>> {stage: found.missing for stage, found in label_days(cell)["label.size"].stages.items()}
    {'decode': 0, 'normalise': 1}
    """
    if not cell.count:
        return {}
    stages = ordered(cell.stages)
    return {
        LABEL + label: _with_services(cell, label, _day(cell, label, counts.get("", 0), stages))
        for label, counts in sorted(cell.labels.items())
    }


def _with_services(cell: Cell, label: str, day: FeatureDay) -> FeatureDay:
    """The day, and beside it what stages in other services gave.

    In the place of their mean stands how far their mix is from that after our last stage: half
    the summed differences of the shares.
    """
    beside = {}
    for stage, labels in cell.beside_labels.items():
        counts = labels.get(label, {})
        missing = counts.get("", 0)
        n = sum(counts.values()) - missing
        moved = day.last.mean + _unlike(cell.labels[label], counts)
        beside[stage] = Moments(n, moved, 0.0, missing)
    return msgspec.structs.replace(day, beside=beside) if beside else day


def _unlike(mine: Mapping[str, int], theirs: Mapping[str, int]) -> float:
    """Half the summed differences of the shares of all values that are there.

    >>> _unlike({"a": 3, "b": 1, "": 5}, {"a": 1, "c": 1})
    0.5
    """
    sizes = [sum(n for value, n in counts.items() if value) for counts in (mine, theirs)]
    if not all(sizes):
        return 0.0
    values = (mine.keys() | theirs.keys()) - {""}
    return sum(abs(mine.get(v, 0) / sizes[0] - theirs.get(v, 0) / sizes[1]) for v in values) / 2


def without_zeros(normal: FeatureNormal) -> FeatureNormal:
    """The normal of a label without the stages that do nothing to it, which are nearly all.

    A level that is not there counts as zero, so nothing is lost; and there are many labels.
    """
    first = next(iter(normal.missing), "")
    return msgspec.structs.replace(
        normal,
        means={stage: level for stage, level in normal.means.items() if level.mean},
        missing={
            stage: level for stage, level in normal.missing.items() if level.mean or stage == first
        },
        kept={},
    )


def _day(cell: Cell, label: str, missing: int, stages: list[str]) -> FeatureDay:
    """Backwards, from what came out to what was sent."""
    n, moved = cell.count, 0.0
    lacking: dict[str, int] = {}
    shares: dict[str, float] = {}
    for stage in reversed(stages):
        lacking[stage] = missing
        flows = _flows(cell.label_changes.get(stage, {}).get(label, {}))
        missing -= flows[""]
        shares[stage] = sum(map(abs, flows.values())) / 2 / n
    found = {}
    for stage in stages:
        moved += shares[stage]
        found[stage] = Moments(n - lacking[stage], moved, 0.0, lacking[stage])
    return FeatureDay(found)


def _flows(changes: Mapping[str, int]) -> Counter[str]:
    """Value → by how many records it gained; what two values exchange is no change of the mix."""
    flows: Counter[str] = Counter()
    for key, count in changes.items():
        was, _, now = key.partition(ARROW)
        flows[was] -= count
        flows[now] += count
    return flows


def origin_of_mix(normal: FeatureNormal, day: FeatureDay, refused: float, moved: float) -> Origin:
    """Where the shift of a mix came in.

    Args:
        normal: the label's usual days.
        day: the bucket that departs.
        refused: from `refused_more`.
        moved: half the summed differences of the shares, beyond what chance gives.
    """
    if normal.days < LEAST_DAYS:
        return undetermined(f"only {normal.days:.0f} usual days are known", moved)
    parts = tuple(compared(mean_parts(day), normal.means, normal, float(day.last.n)))
    told = [part for part in parts if abs(part.deviation) >= STAGE_DEVIATION]
    worst = max(told, key=lambda part: abs(part.shift), default=None)
    ours = sum(abs(part.shift) for part in parts)
    if worst is not None and abs(worst.shift) >= MOST * max(moved, ours):
        reason = (
            f"came in at {worst.stage}: it changes the label in {worst.now:.1%} of the records, "
            f"usually in {worst.usual:.1%}"
        )
        return Origin(worst.stage, reason, moved, parts)
    if ours + refused > LITTLE * moved:
        text = f"our stages changed {ours:.1%} and refused {refused:.1%} of the records more"
        return undetermined(f"{text} than they always do", moved, parts)
    reason = "already so in what the client sent: our stages changed the label no more than ever"
    return Origin(CLIENT, reason, moved, parts)


def origin_of_missing_label(
    normal: FeatureNormal, day: FeatureDay, refused: float, *, departs: bool = False
) -> Origin:
    """Where the shift of a label's missing rate came in.

    Only counted records are known by their labels. So while more are refused than usual, nobody
    knows what those held, and the client is not accused.
    """
    origin = origin_of_missing(normal, day, departs=departs)
    if origin.name == CLIENT and refused > LITTLE * abs(origin.shift):
        text = f"{refused:.1%} of the records were refused beyond the usual, and may have had it"
        return undetermined(text, origin.shift, origin.parts)
    return origin


def refused_more(
    normals: Mapping[str, FeatureNormal],
    days: Mapping[str, FeatureDay],
    rejects: Mapping[str, int],
) -> float:
    """The share of the records that was refused more, or less, than on usual days."""
    shares = [0.0]
    for name, day in days.items():
        records = day.first.n + day.first.missing
        if name.startswith(LABEL) or not records:
            continue
        usual = normals.get(name, FeatureNormal()).kept
        kept = kept_shares(day)
        differing = sum(abs(kept[one] - usual[one].mean) for one in kept if one in usual)
        unread = sum(n for key, n in rejects.items() if key.startswith(f"{STAGES[0]}/"))
        shares.append(differing + unread / records)
    return max(shares)
