"""Row by row through one series: what is no reading is told, the rest is judged."""

import math

from streamwatch.domain.cells import DAY_MS, LARGEST
from streamwatch.series.cadence import OPENING_ROWS, Cadence, cadence_of
from streamwatch.series.coarse import BucketModel
from streamwatch.series.fine import FineModel
from streamwatch.series.points import Judged, Kind, Sensitivity
from streamwatch.series.proportional import ProportionalModel

_FORGET_MS = 400 * DAY_MS
_LAST_MOMENT = 253_370_764_800_000


class Detector:
    """Judges the rows of one series, each by the rows before it only.

    The first rows tell in which steps the series comes and what it holds. Daily and hourly
    counts are then judged as a shop's volume is, all else by `fine.FineModel`; values that
    are not below zero, by their cube roots.

    Args:
        limits: when a row is unusual, see `points.sensitivity`.
        kind: counts or values; ``None`` to tell it from the first rows.
        name: of the series.

    >>> from streamwatch.series.proportional import ProportionalModel
    >>> from streamwatch.series.points import sensitivity
    >>> detector = Detector(sensitivity(1.0))
    >>> rows = [detector.judge(minute * 300_000, 20.0 + minute % 3) for minute in range(700)]
    >>> rows[-1].state, detector.judge(700 * 300_000, 900.0).state
    ('usual', 'unusual')
    """

    def __init__(self, limits: Sensitivity, kind: Kind | None = None, name: str = "series") -> None:
        self._limits = limits
        self._kind = kind
        self._name = name
        self._opening: list[tuple[int, float]] = []
        self._model: FineModel | BucketModel | ProportionalModel | None = None
        self._cadence: Cadence | None = None
        self._last: int | None = None

    @property
    def cadence(self) -> Cadence | None:
        """Step and kind; ``None`` during the first rows."""
        return self._cadence

    def judge(self, time: int | None, value: float) -> Judged:
        """What is said of the next row; never raises.

        Args:
            time: milliseconds since 1970 UTC; ``None`` for one that could not be read.
            value: NaN for one that could not be read.
        """
        refused = self._refusal(time, value)
        if time is None or refused:
            return Judged("skipped", reason=refused)
        if self._last is not None and time - self._last > _FORGET_MS:
            self._model, self._opening = None, []
        self._last = time
        if self._model is not None:
            return self._model.judge(time, value)
        self._opening.append((time, value))
        if len(self._opening) >= OPENING_ROWS:
            self._begin()
        return Judged("warming", reason=f"row {len(self._opening)}: the step is being told")

    def _refusal(self, time: int | None, value: float) -> str:
        if time is None or not -_LAST_MOMENT < time < _LAST_MOMENT:
            return "the time cannot be read"
        if not math.isfinite(value):
            return "the value is no number"
        if abs(value) > LARGEST:
            return f"larger than {LARGEST:g}: not judged"
        if self._last is not None and time == self._last:
            return "same time as the row before it: not judged"
        if self._last is not None and time < self._last:
            return "older than the row before it: not judged"
        if value < 0 and self._counts():
            return "below 0, which no count is: not judged"
        return ""

    def _counts(self) -> bool:
        return (self._cadence.kind if self._cadence else self._kind) == "count"

    def _begin(self) -> None:
        """Choose the model by the first rows, and let it learn them."""
        times = [time for time, _ in self._opening]
        values = [value for _, value in self._opening]
        cadence = self._cadence = cadence_of(times, values, self._kind)
        if cadence.bucket is not None:
            self._model = BucketModel(cadence.bucket, self._limits, self._name)
        elif cadence.kind == "value" and min(values) >= 0:
            self._model = ProportionalModel(cadence, self._limits)
        else:
            self._model = FineModel(cadence, self._limits)
        for time, value in self._opening:
            self._model.judge(time, value)
        self._opening = []
