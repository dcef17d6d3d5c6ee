"""A baseline for other buckets: a shop that was judged by the day is judged by the week now.

The volume of months begins anew, since their days were closed empty before their file came.
"""

import msgspec

from streamwatch.baselines import season
from streamwatch.baselines.counts import VolumeBaseline
from streamwatch.baselines.forgetting import FadingMean
from streamwatch.baselines.judging import Baseline
from streamwatch.baselines.mix import MixBaseline
from streamwatch.baselines.pace import PACES
from streamwatch.baselines.windows import Run
from streamwatch.domain.readings import Span

DAYS: dict[Span, float] = {"hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.4375}
"""How many days a bucket lasts, on average."""


def rescaled(baseline: Baseline, old: Span, new: Span) -> Baseline:
    """The baseline of the same KPI in buckets of another length, as far as the old one tells.

    What depends on the number of records (a mean's or a share's variance) does so by itself. A
    volume is that many times larger; its season is begun anew, and a volume that is warming
    begins anew altogether.

    >>> day = VolumeBaseline(level=FadingMean(10.0, 28.0), weekdays=season.flat(7))
    >>> rescaled(day, "day", "week").level
    FadingMean(mean=70.0, weight=4.0)
    """
    if isinstance(baseline, MixBaseline):
        return msgspec.structs.replace(baseline, last_bucket=-1, departed=0, past=(), former=None)
    if not isinstance(baseline, VolumeBaseline):
        return msgspec.structs.replace(baseline, last_bucket=-1, departure=None, former=None)
    if not baseline.is_warm or "month" in (old, new):
        return VolumeBaseline()
    times = DAYS[new] / DAYS[old]
    most = 1 / (1 - PACES[new].keep)
    level = FadingMean(baseline.typical * times, min(baseline.level.weight / times, most))
    weekdays = () if new == "week" else season.flat(season.WEEKDAYS)
    return VolumeBaseline(level=level, weekdays=weekdays, wobble=baseline.wobble, run=Run())
