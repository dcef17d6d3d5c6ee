"""The rules that a team would otherwise use on daily volumes, for all shops of a fleet at once.

Each takes counts as (days, shops) and gives a signed score for every day, by earlier days only.
"""

import copy
import math

import numpy as np
from river import anomaly, time_series

WEEKS = 8
MONTH = 28


def weekday_z(counts: np.ndarray) -> np.ndarray:
    """Distance from the same weekday's mean over eight weeks, in its standard deviations."""
    return _by_weekday(counts, lambda past: (past.mean(axis=0), past.std(axis=0)))


def weekday_mad(counts: np.ndarray) -> np.ndarray:
    """The same with the median and the median absolute deviation."""

    def judge(past):
        middle = np.median(past, axis=0)
        return middle, 1.4826 * np.median(np.abs(past - middle), axis=0)

    return _by_weekday(counts, judge)


def gaussian(counts: np.ndarray) -> np.ndarray:
    """Mean and standard deviation of all before: River's GaussianScorer, without its end at 1."""
    scores = np.zeros(counts.shape)
    for day in range(2, len(counts)):
        past = counts[:day]
        scores[day] = _ratio(counts[day] - past.mean(axis=0), past.std(axis=0, ddof=1))
    return scores


def log_ratio(counts: np.ndarray) -> np.ndarray:
    """Logarithm of the count against the mean of four weeks."""
    scores = np.zeros(counts.shape)
    for day in range(MONTH, len(counts)):
        mean = counts[day - MONTH : day].mean(axis=0)
        scores[day] = np.log((counts[day] + 0.5) / (mean + 0.5))
    return scores


def fourier_band(counts: np.ndarray) -> np.ndarray:
    """Prophet-like: trend and a weekly Fourier series by least squares over eight weeks."""
    scores = np.zeros(counts.shape)
    length = 7 * WEEKS

    def design(days):
        columns = [np.ones_like(days), days / length]
        for term in (1, 2, 3):
            angle = 2 * math.pi * term * days / 7
            columns += [np.sin(angle), np.cos(angle)]
        return np.stack(columns, axis=1)

    for day in range(length, len(counts)):
        before = design(np.arange(-length, 0, dtype=float))
        past = counts[day - length : day]
        weights, *_ = np.linalg.lstsq(before, past, rcond=None)
        spread = (past - before @ weights).std(axis=0)
        scores[day] = _ratio(counts[day] - design(np.zeros(1))[0] @ weights, spread)
    return scores


def _by_weekday(counts, judge):
    scores = np.zeros(counts.shape)
    for day in range(21, len(counts)):
        past = counts[max(day % 7, day - 7 * WEEKS) : day : 7]
        center, spread = judge(past)
        scores[day] = _ratio(counts[day] - center, spread)
    return scores


def _ratio(distance, spread):
    """Nothing is judged where the past never varied, which is kind to the rule."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > 0, distance / spread, 0.0)


class HoltWinters:
    """River's PredictiveAnomalyDetection over HoltWinters, one for each shop.

    Its score ends at 1; with a thousand deviations it never gets there, and the order is the same.
    """

    def __init__(self, shops: int) -> None:
        self._detectors = [
            anomaly.PredictiveAnomalyDetection(
                time_series.HoltWinters(alpha=0.3, beta=0.1, gamma=0.6, seasonality=7),
                horizon=1,
                n_std=1_000,
                warmup_period=15,
            )
            for _ in range(shops)
        ]
        self._days = 0

    def judge(self, counts: np.ndarray) -> np.ndarray:
        """The signed scores of a day, which is learned then."""
        scores = np.zeros(len(counts))
        for shop, detector in enumerate(self._detectors):
            value = float(counts[shop])
            if self._days > 15:  # before that its forecast raises IndexError
                side = value - detector.predictive_model.forecast(1)[0]
                scores[shop] = math.copysign(detector.score_one(None, value), side)
            detector.learn_one(None, value)
        self._days += 1
        return scores

    def forked(self) -> "HoltWinters":
        """Another that knows the same."""
        return copy.deepcopy(self)


RULES = {
    "same-weekday z, 8 weeks": weekday_z,
    "same-weekday MAD, 8 weeks": weekday_mad,
    "River GaussianScorer (running mean and sigma)": gaussian,
    "log ratio to 4 weeks": log_ratio,
    "Fourier band (Prophet-like)": fourier_band,
}
