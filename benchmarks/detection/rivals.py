"""The rules that a team would otherwise use: each gives a score per row, by earlier rows only."""

import itertools
import math
import statistics
from collections import defaultdict, deque

import numpy as np
from river import anomaly, time_series

DAY = 86_400
WEEK = 7 * DAY
WEEKS = 8
HOLT_WINTERS_SIGMAS = 3.0


def expanding_gaussian(times, values, step):
    """Distance from the mean of all before, in their standard deviations (checks the harness)."""
    scores, mean, squares = [], 0.0, 0.0
    for n, value in enumerate(values):
        deviation = math.sqrt(squares / n) if n > 1 else 0.0
        scores.append(abs(value - mean) / deviation if deviation else 0.0)
        distance = value - mean
        mean += distance / (n + 1)
        squares += distance * (value - mean)
    return scores


def _same_weekday(times, values, step, judge):
    """Scores by the same time of the same weekday in the last eight weeks."""
    known = defaultdict(lambda: deque(maxlen=WEEKS))
    scores = []
    for time, value in zip(times, values, strict=True):
        past = known[int(time % WEEK // step)]
        scores.append(judge(value, past) if len(past) > 2 else 0.0)
        past.append(value)
    return scores


def weekday_z(times, values, step):
    """Same-weekday z-score over eight weeks."""

    def judge(value, past):
        deviation = statistics.pstdev(past)
        return abs(value - statistics.fmean(past)) / deviation if deviation else 0.0

    return _same_weekday(times, values, step, judge)


def weekday_mad(times, values, step):
    """The same with median and median absolute deviation."""

    def judge(value, past):
        middle = statistics.median(past)
        spread = 1.4826 * statistics.median(abs(one - middle) for one in past)
        return abs(value - middle) / spread if spread else 0.0

    return _same_weekday(times, values, step, judge)


def river_gaussian(times, values, step):
    """River's GaussianScorer, all history."""
    scorer = anomaly.GaussianScorer(grace_period=50)
    scores = []
    for value in values:
        scores.append(scorer.score_one(None, value))
        scorer.learn_one(None, value)
    return scores


def river_holt_winters(times, values, step):
    """River's PredictiveAnomalyDetection over HoltWinters with a daily (or weekly) season."""
    return _holt_winters(values, step, HOLT_WINTERS_SIGMAS)


def river_holt_winters_wide(times, values, step):
    """The same with 30 sigmas: its score ends at 1, so that a sweep needs a wider scale."""
    return _holt_winters(values, step, 10 * HOLT_WINTERS_SIGMAS)


def _holt_winters(values, step, sigmas):
    season = 7 if step >= DAY else DAY // step
    model = time_series.HoltWinters(alpha=0.3, beta=0.1, gamma=0.6, seasonality=season)
    detector = anomaly.PredictiveAnomalyDetection(
        model, horizon=1, n_std=sigmas, warmup_period=2 * season + 1
    )
    scores = []
    for place, value in enumerate(values):
        if place <= 2 * season + 1:  # before that its forecast raises IndexError
            detector.learn_one(None, value)
            scores.append(0.0)
        else:
            scores.append(detector.score_one(None, value))
            detector.learn_one(None, value)
    return scores


def seasonal_band(times, values, step):
    """Prophet-like: trend, daily and weekly Fourier terms by least squares on 28 days, each night.

    Prophet's own package is not used: it is no part of this environment and is fitted offline.
    """
    times, values = np.asarray(times, float), np.asarray(values, float)
    daily = 0 if step >= DAY else 10

    def design(at, origin, length):
        # Trend and weekly terms only once there are two weeks, as Prophet does by itself.
        long = length >= 2 * WEEK
        columns = [np.ones_like(at)]
        if long:
            columns.append((at - origin) / (28 * DAY))
        for period, terms in ((DAY, daily), (WEEK, 3 if long else 0)):
            for term in range(1, terms + 1):
                angle = 2 * math.pi * term * at / period
                columns += [np.sin(angle), np.cos(angle)]
        return np.stack(columns, axis=1)

    scores = np.zeros(len(values))
    days = (times - times[0]) // DAY
    starts = [0, *np.flatnonzero(np.diff(days)) + 1, len(values)]
    for first, last in itertools.pairwise(starts):
        past = slice(int(np.searchsorted(times, times[first] - 28 * DAY)), first)
        if first - past.start < 2 * (2 + 2 * daily + 6):
            continue
        length = times[first] - times[past.start]
        before = design(times[past], times[first], length)
        weights, *_ = np.linalg.lstsq(before, values[past], rcond=None)
        spread = np.std(values[past] - before @ weights)
        now = design(times[first:last], times[first], length)
        if spread > 0:
            scores[first:last] = np.abs(values[first:last] - now @ weights) / spread
    return scores.tolist()


RIVALS = {
    "same-weekday z, 8 weeks": (weekday_z, 3.0),
    "same-weekday MAD, 8 weeks": (weekday_mad, 3.0),
    "expanding mean and sigma": (expanding_gaussian, 3.0),
    "River GaussianScorer": (river_gaussian, 0.9973),
    "River PAD(HoltWinters)": (river_holt_winters, 1.0),
    "River PAD(HoltWinters), 30 sigmas": (river_holt_winters_wide, 1.0),
    "Fourier band (Prophet-like)": (seasonal_band, 3.0),
}
"""Name → scores of a series, and the threshold that it is usually run with (three sigmas)."""
