"""What the affected records share, and others do not.

``support`` is the share of the affected records that have a value; ``lift`` is how many times
more frequent affected records are among those with it than among all. A release that broke
something has a support of nearly 1 and a high lift.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from streamwatch.domain.cells import Group, Transition

LEAST_SUPPORT = 0.5
LEAST_LIFT = 1.25
LEAST_DEVIATION = 4.0
LEAST_AFFECTED = 5


class Shared(msgspec.Struct, frozen=True):
    """A value that affected records have in common.

    Attributes:
        label, value: such as ``app_version`` and ``5.0.0``.
        records: with that value.
        affected: of those, how many are (may be estimated, so no whole number).
        support, lift: see above.
        deviation: of the affected share from that of all, in standard deviations.
    """

    label: str
    value: str
    records: int
    affected: float
    support: float
    lift: float
    deviation: float


def shared_by_rows(
    affected: Iterable[Mapping[str, str | None]], others: Iterable[Mapping[str, str | None]]
) -> list[Shared]:
    """What tells affected records from others, record by record, the clearest first.

    >>> new, old = {"app_version": "5.0.0"}, {"app_version": "4.2.0"}
    >>> [(one.value, one.support) for one in shared_by_rows([new] * 30, [old] * 30)]
    [('5.0.0', 1.0)]
    """
    counts: dict[str, tuple[Counter[str], Counter[str]]] = {}
    for which, rows in enumerate((affected, others)):
        for row in rows:
            for label, value in row.items():
                both = counts.setdefault(label, (Counter(), Counter()))
                both[which][value or ""] += 1
    found: list[Shared] = []
    for label, (hit, missed) in counts.items():
        sizes = {value: (hit[value] + missed[value], float(hit[value])) for value in hit | missed}
        found += _shared(label, sizes)
    return _sorted(found)


def shared_by_changes(
    label: str, groups: Mapping[str, Group], changes: Mapping[str, Transition]
) -> list[Shared]:
    """The same from sums: records that the stages changed, per value."""
    sizes = {
        value: (group.n, float(changes[value].changed) if value in changes else 0.0)
        for value, group in groups.items()
    }
    return _sorted(_shared(label, sizes))


def shared_by_means(
    label: str, before: Mapping[str, Group], now: Mapping[str, Group], change: float
) -> list[Shared]:
    """The same from sums, where only means are known.

    ``change`` is what the fault does to one record's value; each value's affected records are
    estimated from how far its mean moved.
    """
    if not change:
        return []
    sizes = {}
    for value, group in now.items():
        usual = before.get(value)
        if usual is None or not usual.n:
            continue
        share = min(max((group.mean - usual.mean) / change, 0.0), 1.0)
        sizes[value] = (group.n, share * group.n)
    return _sorted(_shared(label, sizes))


def _shared(label: str, sizes: Mapping[str, tuple[int, float]]) -> Sequence[Shared]:
    records = sum(n for n, _ in sizes.values())
    affected = sum(hit for _, hit in sizes.values())
    if affected < LEAST_AFFECTED or affected >= records or len(sizes) <= 1:
        return []
    rate = affected / records
    found = []
    for value, (n, hit) in sizes.items():
        if not n:
            continue
        spread = math.sqrt(n * rate * (1 - rate) * max(1 - n / records, 1e-9))
        one = Shared(
            label=label,
            value=value,
            records=n,
            affected=hit,
            support=hit / affected,
            lift=hit / n / rate,
            deviation=(hit - n * rate) / spread,
        )
        clear = one.deviation >= LEAST_DEVIATION and one.lift >= LEAST_LIFT
        if clear and one.support >= LEAST_SUPPORT:
            found.append(one)
    return found


def _sorted(found: Iterable[Shared]) -> list[Shared]:
    return sorted(found, key=lambda one: (-one.deviation, one.label, one.value))
