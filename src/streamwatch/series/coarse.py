"""The model of a daily or hourly count: the judging of the shops' volumes itself."""

from datetime import UTC, datetime

from streamwatch.baselines import judging
from streamwatch.domain.readings import KpiKey, Reading, Span
from streamwatch.domain.settings import JudgingSettings
from streamwatch.series.points import Judged, Sensitivity

_JUST_USUAL = 0.499_999


class BucketModel:
    """Judges each row as a volume of one day or hour, through `baselines.judging`.

    Args:
        span: what a row counts.
        limits: when a departure is unusual.
        name: of the series.
    """

    def __init__(self, span: Span, limits: Sensitivity, name: str) -> None:
        self._key = KpiKey(name, "series", "volume", "all", span)
        self._settings = JudgingSettings(threshold=limits.threshold)
        self._baseline = judging.begin(self._key)

    def judge(self, time: int, value: float) -> Judged:
        """Judge a row by what came before it, then learn it."""
        moment = datetime.fromtimestamp(time / 1000, UTC)
        slot = moment.weekday()
        if self._key.span == "hour":
            slot = slot * 24 + moment.hour
        reading = Reading(self._key, time, slot, value, int(value))
        verdict = judging.score(self._baseline, reading, self._settings)
        self._baseline = judging.learn(self._baseline, reading, verdict, self._settings)
        if verdict.state == "warming":
            return Judged("warming", reason=verdict.reason)
        size = abs(verdict.score)
        score = size / (size + self._settings.threshold)
        unusual = verdict.state == "unusual"
        return Judged(
            verdict.state,
            max(score, 0.5) if unusual else min(score, _JUST_USUAL),
            verdict.expected,
            verdict.lower,
            verdict.upper,
            verdict.reason if unusual else "",
        )
