"""A look at an hour that is still open, and what is told because of it."""

from collections.abc import Callable

import msgspec

from streamwatch.baselines import judging
from streamwatch.domain.cells import ALL, Cell
from streamwatch.domain.growth import growth_of_cell
from streamwatch.domain.readings import Place, Reading
from streamwatch.domain.verdicts import Verdict
from streamwatch.steps import diagnosing, partials
from streamwatch.steps.streams import Stream, days_of
from streamwatch.steps.tick import Tick, tell

LEAST_RECORDS = 10
"""Records without which no mean is told early."""


class Look(msgspec.Struct, frozen=True):
    """One look.

    Attributes:
        tick, stream, place: what is judged, and when; the place is the open day or week.
        before, now: one source partition's hour at the look before, and now.
    """

    tick: Tick
    stream: Stream
    place: Place
    before: Cell
    now: Cell

    def is_told(self, kpi: str) -> bool:
        """Whether the bucket's departure was told already."""
        return self.stream.open.told.get(kpi) == self.place.bucket

    def whole_bucket(self) -> Cell:
        """All that has come so far of the day or week."""
        days = [self.stream.days.get(day, {}) for day in days_of(self.stream, self.place.bucket)]
        return partials.merged(hour for day in days for hour in day.values()).get(ALL, Cell())

    def sum_up(self, name: str, evidence: float) -> float:
        """The sum of a sequential test with the newest evidence; it never falls below zero."""
        sums = self.stream.open.sums
        old = sums.get(name, 0.0)
        new = max(old + evidence, 0.0)
        if new != old:
            self.tick.state.changed_open.add(self.stream.shop)
            sums[name] = new
            if not new:
                del sums[name]
        return new


def clearer(
    look: Look, baseline: judging.Baseline, read: Callable[[Cell], Reading]
) -> tuple[Verdict, Cell]:
    """The verdict on the hour so far, or on what came newest, whichever departs more.

    Args:
        look: the look.
        baseline: by which it is judged.
        read: takes the reading from a cell.

    Returns:
        The verdict, and the cell that departs more. On few records the verdict is not: their
        band is so wide that it helps nobody, and they may be too few people to be told.
    """
    newest = growth_of_cell(look.before, look.now)
    of_hour, of_newest = (
        judging.score(baseline, read(cell), look.tick.settings) for cell in (look.now, newest)
    )
    if abs(of_newest.score) <= abs(of_hour.score):
        return of_hour, look.now
    return of_newest if of_newest.n >= LEAST_RECORDS else of_hour, newest


def tell_early(look: Look, verdict: Verdict, expected: float | None, cell: Cell) -> None:
    """Tell a departure before its bucket is over, with the origin that the cell shows."""
    stream, start, found = look.stream, verdict.bucket, look.stream.open
    found.versions[start] = found.versions.get(start, 0) + 1
    found.told[verdict.key.kpi] = start
    look.tick.state.changed_open.add(stream.shop)
    verdict = msgspec.structs.replace(
        verdict,
        state="unusual",
        expected=expected,
        lower=verdict.lower if verdict.lower is not None else expected,
        upper=verdict.upper if verdict.upper is not None else expected,
        reason=f"the {verdict.key.span} is still open: {verdict.reason}",
        urgent=True,
        version=found.versions[start],
        judged_at=look.tick.clock,
    )
    bucket = diagnosing.bucket_of({ALL: cell}, start, stream.days)
    tell(look.tick, stream, diagnosing.with_origin(verdict, stream.learned.normals, bucket))
    look.tick.state.changed_shops.add(stream.shop)
