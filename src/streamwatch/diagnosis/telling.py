"""What of a diagnosis may be told to whoever asks: nothing that too few people measure."""

import msgspec

from streamwatch.diagnosis.report import Report
from streamwatch.diagnosis.stagetable import StageLine
from streamwatch.domain.smallgroups import LEAST_GROUP, PERSONAL, tells_of_few, withheld


def told(report: Report) -> Report:
    """The diagnosis without the mean body measures of fewer than `LEAST_GROUP` records.

    Origin, deviations and counts stay. The queries that show the rest need read access to the
    tables.
    """
    if report.feature not in PERSONAL:
        return report
    kpi = f"mean.{report.feature}"
    report = msgspec.structs.replace(
        report,
        verdict=None if report.verdict is None else withheld(report.verdict),
        lines=tuple(_line(line, kpi) for line in report.lines),
        shared=tuple(one for one in report.shared if one.records >= LEAST_GROUP),
        bad=tuple(msgspec.structs.replace(one, before=None, after=None) for one in report.bad),
        pairs=tuple(
            msgspec.structs.replace(one, summary=msgspec.structs.replace(one.summary, first=None))
            for one in report.pairs
        ),
    )
    if not any(tells_of_few(kpi, line.records - line.missing) for line in report.lines):
        return report
    origin = report.found.origin
    reason = f"{origin.name}: of fewer than {LEAST_GROUP} records no numbers are told"
    origin = msgspec.structs.replace(origin, reason=reason, shift=0.0, parts=())
    found = msgspec.structs.replace(report.found, origin=origin)
    return msgspec.structs.replace(report, found=found, split=None)


def _line(line: StageLine, kpi: str) -> StageLine:
    if not tells_of_few(kpi, line.records - line.missing):
        return line
    return msgspec.structs.replace(line, now=None, mean_change=None)
