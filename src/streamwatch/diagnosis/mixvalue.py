"""A mean's shift, split into mix (the groups' shares moved) and value (the groups' means moved).

With shares ``p`` and means ``m`` before (0) and now (1) the split is exact and the same
whichever way round time is read (Kitagawa 1955): ``mix = sum((p1 - p0) (m0 + m1) / 2)`` and
``value = sum((p0 + p1) / 2 (m1 - m0))``.
"""

from collections.abc import Mapping

import msgspec

from streamwatch.domain.cells import Group


class GroupShift(msgspec.Struct, frozen=True):
    """One group's part: its share and mean before and now, and what it adds to the shift."""

    name: str
    share_before: float
    share_now: float
    mean_before: float
    mean_now: float
    mix: float
    value: float


class Split(msgspec.Struct, frozen=True):
    """The shift of a mean; ``mix + value`` is all of it."""

    mix: float
    value: float
    groups: tuple[GroupShift, ...]

    @property
    def shift(self) -> float:
        """The whole shift."""
        return self.mix + self.value


def split(before: Mapping[str, Group], now: Mapping[str, Group]) -> Split | None:
    """The split over groups; ``None`` when one side is empty.

    A group that is new or gone has no mean on one side; its whole part is mix.

    >>> men, women = Group(1, 180.0), Group(1, 166.0)
    >>> result = split({"men": men, "women": women}, {"women": Group(2, 166.0)})
    >>> result.mix, result.value
    (-7.0, 0.0)
    """
    n_before = sum(group.n for group in before.values())
    n_now = sum(group.n for group in now.values())
    if not n_before or not n_now:
        return None
    shifts = []
    for name in sorted(before.keys() | now.keys()):
        first, second = before.get(name, Group()), now.get(name, Group())
        share0, share1 = first.n / n_before, second.n / n_now
        mean0 = first.mean if first.n else second.mean
        mean1 = second.mean if second.n else first.mean
        shifts.append(
            GroupShift(
                name=name,
                share_before=share0,
                share_now=share1,
                mean_before=mean0,
                mean_now=mean1,
                mix=(share1 - share0) * (mean0 + mean1) / 2,
                value=(share0 + share1) / 2 * (mean1 - mean0),
            )
        )
    # Shares of both sides add up to 1, so moving all means by the same amount changes nothing.
    centre = sum(group.n * group.mean for group in before.values()) / n_before
    told = tuple(
        msgspec.structs.replace(one, mix=one.mix - (one.share_now - one.share_before) * centre)
        for one in sorted(shifts, key=lambda one: -abs(one.value))
    )
    return Split(sum(one.mix for one in told), sum(one.value for one in told), told)
