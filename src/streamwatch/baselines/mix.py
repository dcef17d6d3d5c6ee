"""The baseline of a mix: how the records spread over the values of a categorical feature.

Pearson's X² against the usual shares, times N / (n + N) since those are estimates too, and
divided by ``1 + scatter * n_eff``: shares differ a little from day to day however many records
there are (Dirichlet-multinomial), and without that every large shop would alarm. A departure
must also matter: the population stability index beyond what chance gives.
"""

import math
from typing import TypeVar

import msgspec

from streamwatch.baselines.pace import PACES, half_wanted
from streamwatch.baselines.tails import chi_square_deviation
from streamwatch.baselines.weights import learning_weight
from streamwatch.domain.readings import Reading
from streamwatch.domain.settings import JudgingSettings
from streamwatch.domain.verdicts import Verdict, warming

_Number = TypeVar("_Number", int, float)

LEAST_RECORDS = 50
"""Records that are gathered, over days if need be, before a mix is judged."""

MOST_VALUES = 40
OTHER = "(others)"
MISSING = "(none)"

_LONGEST_GATHERING = 14
_KEEP = 1 - 1 / 28
_LONGEST_WINDOW = 7
_STILL_DEPARTS = 1.5
_LEAST_EXPECTED = 5.0
_PRIOR_SCATTER = 1e-3
_LEAST_SCATTER = 1e-5
_MOST_NAMED = 3
_VANISHED = 0.1
_NAMED_FROM = 2.5


class MixBaseline(msgspec.Struct, frozen=True, tag="mix"):
    """What is normal for one mix.

    Attributes:
        counts: fading count of each value.
        scatter: variance of the shares from bucket to bucket, relative to multinomial noise.
        buckets: how many were learned.
        last_bucket: the newest; -1 before the first.
        gathered: records of days that had too few by themselves.
        gathering: how many such days.
        departed: unusual buckets in a row.
        past: the last deviations, since a small shop's departure shows over several days only.
        former: what was normal before the last lasting change; see `judging`.
    """

    counts: dict[str, float] = {}
    scatter: float = _PRIOR_SCATTER
    buckets: int = 0
    last_bucket: int = -1
    gathered: dict[str, int] = {}
    gathering: int = 0
    departed: int = 0
    past: tuple[float, ...] = ()
    former: "MixBaseline | None" = None

    @property
    def is_warm(self) -> bool:
        """Whether anything was learned."""
        return self.buckets > 0

    @property
    def typical(self) -> float:
        """Records that its knowledge rests on."""
        return sum(self.counts.values())


class Compared(msgspec.Struct, frozen=True):
    """A mix beside the usual one.

    Attributes:
        square: X² of the merged cells, corrected for the usual shares' own error.
        freedom: its degrees of freedom.
        effective: n_eff = n * N / (n + N).
        index: population stability index beyond chance.
        distance: half the summed differences of the shares.
        cells: value, records, expected records.
    """

    square: float
    freedom: int
    effective: float
    index: float
    distance: float
    cells: list[tuple[str, float, float]]


def score(baseline: MixBaseline, reading: Reading, settings: JudgingSettings) -> Verdict:
    """Judge a mix by what was learned before it."""
    counts = _together(baseline, reading)
    n = sum(counts.values())
    if n < LEAST_RECORDS:
        return warming(reading, f"{n} of {LEAST_RECORDS} records gathered")
    wanted = half_wanted(reading.key.span, settings.warmup_days)
    if baseline.buckets < wanted:
        return warming(reading, f"{baseline.buckets} of {wanted} {reading.key.span}s seen")
    compared = compare(baseline, counts)
    scatter = 1 + baseline.scatter * compared.effective
    single = chi_square_deviation(compared.square / scatter, compared.freedom)
    deviation = _with_past(single, baseline.past)
    unusual = deviation >= settings.threshold and compared.index > settings.mix_effect
    chance = math.sqrt(compared.freedom * scatter / max(compared.effective, 1.0)) / 2
    reach = max(chance * 2, settings.mix_effect)
    return Verdict(
        key=reading.key,
        bucket=reading.bucket,
        value=compared.distance,
        n=n,
        state="unusual" if unusual else "usual",
        score=deviation,
        expected=min(chance, 1.0),
        lower=0.0,
        upper=max(reach, chance),
        reason=_reason(compared, scatter),
        deviation=single,
    )


def learn(baseline: MixBaseline, reading: Reading, verdict: Verdict) -> MixBaseline:
    """The baseline after a judged reading; a bucket is learned once."""
    if reading.bucket <= baseline.last_bucket:
        return baseline
    counts = _together(baseline, reading)
    n = sum(counts.values())
    if n < LEAST_RECORDS:
        again = baseline.gathering + 1 < _LONGEST_GATHERING
        return msgspec.structs.replace(
            baseline,
            gathered=counts if again else {},
            gathering=baseline.gathering + 1 if again else 0,
            last_bucket=reading.bucket,
        )
    unusual = verdict.state == "unusual"
    departed = baseline.departed + 1 if unusual else 0
    if departed >= PACES[reading.key.span].lasting:
        return MixBaseline(
            counts={value: float(count) for value, count in counts.items()},
            scatter=baseline.scatter,
            buckets=baseline.buckets,
            last_bucket=reading.bucket,
            former=msgspec.structs.replace(
                baseline, gathered={}, gathering=0, departed=0, past=(), former=None
            ),
        )
    weight = learning_weight(verdict.deviation, unusual=unusual)
    values = baseline.counts.keys() | counts.keys()
    learned = {
        value: baseline.counts.get(value, 0.0) * _KEEP + weight * counts.get(value, 0)
        for value in sorted(values)
    }
    return MixBaseline(
        counts=_bounded({value: count for value, count in learned.items() if count > 1e-3}),  # noqa: PLR2004
        scatter=baseline.scatter if unusual else _learn_scatter(baseline, counts),
        buckets=baseline.buckets + 1,
        last_bucket=reading.bucket,
        departed=departed,
        past=(*baseline.past, verdict.deviation)[-_LONGEST_WINDOW:],
        former=baseline.former,
    )


def _with_past(single: float, past: tuple[float, ...]) -> float:
    """The strongest of the bucket alone and of the last three and seven together (Stouffer)."""
    strongest = single
    if single < _STILL_DEPARTS:
        return strongest
    for width in (3, _LONGEST_WINDOW):
        if len(past) >= width - 1:
            total = single + sum(past[1 - width :])
            squared = total * total / width - 2 * math.log(3)
            if total > 0 and squared > 0:
                strongest = max(strongest, math.sqrt(squared))
    return strongest


def compare(baseline: MixBaseline, counts: dict[str, int]) -> Compared:
    """A mix beside the usual one; values of which few are expected are taken together."""
    n, known = float(sum(counts.values())), sum(baseline.counts.values())
    cells: list[tuple[str, float, float]] = []
    rare_seen = rare_expected = 0.0
    values = sorted(baseline.counts.keys() | counts.keys())
    for value in values:
        expected = baseline.counts.get(value, 0.0) / known * n
        seen = float(counts.get(value, 0))
        if expected >= _LEAST_EXPECTED:
            cells.append((value, seen, expected))
        else:
            rare_seen += seen
            rare_expected += expected
    if rare_seen or rare_expected:
        new = [value for value in values if counts.get(value, 0) > rare_seen / 2]
        name = new[0] if len(new) == 1 and new[0] not in {cell[0] for cell in cells} else OTHER
        cells.append((name, rare_seen, max(rare_expected, 0.5)))
    known = max(known, 1.0)
    square = sum((seen - expected) ** 2 / expected for _, seen, expected in cells)
    freedom = max(len(cells) - 1, 1)
    index = sum(
        (seen - expected) / n * math.log(max(seen, 0.5) / max(expected, 0.5))
        for _, seen, expected in cells
    )
    return Compared(
        square=square * known / (n + known),
        freedom=freedom,
        effective=n * known / (n + known),
        index=index - freedom * (1 / n + 1 / known),
        distance=sum(abs(seen - expected) for _, seen, expected in cells) / n / 2,
        cells=cells,
    )


def _learn_scatter(baseline: MixBaseline, counts: dict[str, int]) -> float:
    if baseline.buckets < 2:  # noqa: PLR2004
        return baseline.scatter
    compared = compare(baseline, counts)
    effective = max(compared.effective, 1.0)
    seen = (compared.square / compared.freedom - 1) / effective
    most = 6 * (baseline.scatter + 1 / effective)
    gain = max(1 / (baseline.buckets + 4), 0.03)
    share = baseline.scatter * effective / (1 + baseline.scatter * effective)
    moved = gain * max(share, 0.1) * (min(seen, most) - baseline.scatter)
    return max(baseline.scatter + moved, _LEAST_SCATTER)


def _together(baseline: MixBaseline, reading: Reading) -> dict[str, int]:
    """The reading's records and those gathered before it."""
    counts = dict(baseline.gathered)
    if reading.bucket <= baseline.last_bucket:
        counts = {}
    for value, count in reading.counts.items():
        if count > 0:
            name = value or MISSING
            counts[name] = counts.get(name, 0) + count
    return _bounded(counts)


def _bounded(counts: dict[str, _Number]) -> dict[str, _Number]:
    """At most `MOST_VALUES`, the rest as one."""
    if len(counts) <= MOST_VALUES:
        return counts
    ordered = sorted(counts, key=lambda value: (-counts[value], value))
    kept = {value: counts[value] for value in sorted(ordered[:MOST_VALUES]) if value != OTHER}
    rest = sum(counts[value] for value in counts if value not in kept)
    return {**kept, OTHER: rest}


def _reason(compared: Compared, scatter: float) -> str:
    """Which values moved: "XL and XXL vanished; M 31 % instead of 20 %"."""
    n = sum(seen for _, seen, _ in compared.cells)
    moved = sorted(
        compared.cells,
        key=lambda cell: -abs(cell[1] - cell[2]) / math.sqrt(cell[2] * scatter),
    )
    told = [
        cell
        for cell in moved
        if abs(cell[1] - cell[2]) >= _NAMED_FROM * math.sqrt(cell[2] * scatter)
    ]
    gone = [name for name, seen, expected in told if seen < _VANISHED * expected]
    words = [f"{' and '.join(gone)} vanished"] if gone else []
    words += [
        f"{name} {seen / n:.1%} instead of {expected / n:.1%}"
        for name, seen, expected in told
        if name not in gone
    ][:_MOST_NAMED]
    if not words:
        return f"as usual over {n:.0f} records"
    return f"{'; '.join(words)} ({n:.0f} records)"
