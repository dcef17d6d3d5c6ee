"""What goes into the pack that shows a client what it sent."""

from collections.abc import Mapping, Sequence

import msgspec

from streamwatch.diagnosis.paired import Pair
from streamwatch.diagnosis.report import Report
from streamwatch.domain.verdicts import Verdict


class Pack(msgspec.Struct, frozen=True):
    """What goes into the pack.

    Attributes:
        report: the diagnosis.
        since, until: of the incident, milliseconds; ``until`` is ``None`` while it lasts.
        verdicts: on the KPI, from some weeks before, oldest first.
        usual, now: sketches of the values.
        bad: affected records as sent, the first ones.
        made_at: when the pack is made, milliseconds.
    """

    report: Report
    since: int
    until: int | None
    verdicts: Sequence[Verdict]
    usual: Mapping[int, int]
    now: Mapping[int, int]
    bad: Sequence[Pair]
    made_at: int
