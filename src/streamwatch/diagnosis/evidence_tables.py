"""The tables of the evidence pack, as CSV: the days, and affected records as they were sent."""

import csv
import io
from collections.abc import Sequence

from streamwatch.diagnosis.evidence_words import id_words, moment_words
from streamwatch.diagnosis.pack import Pack
from streamwatch.domain.smallgroups import LEAST_GROUP

MOST_RECORDS = 200


def days_csv(pack: Pack) -> str:
    """The KPI by day with its band; of days of few records only the band."""
    volume = pack.report.key.kpi == "volume"
    rows = [
        (
            moment_words(one.bucket),
            repr(one.value) if volume or one.n >= LEAST_GROUP else "",
            one.n if volume or one.n >= LEAST_GROUP else "",
            "" if one.expected is None else repr(one.expected),
            "" if one.lower is None else repr(one.lower),
            "" if one.upper is None else repr(one.upper),
            one.state,
        )
        for one in pack.verdicts
    ]
    heading = ("day_utc", "value", "records", "expected", "lower", "upper", "state")
    return _csv(heading, rows)


def records_csv(pack: Pack) -> str:
    """Where the first affected records lie, and the departing value as the client sent it."""
    field = pack.report.feature.partition(".")[0]
    unit = f"{field}_unit"
    rows = [
        (
            bad.topic,
            bad.partition,
            bad.offset,
            id_words(bad),
            "" if bad.occurred_at is None else moment_words(bad.occurred_at),
            bad.fields.get("app_version") or "",
            "" if bad.before is None else f"{bad.before:g}",
            bad.fields.get(unit) or "",
        )
        for bad in pack.bad[:MOST_RECORDS]
    ]
    heading = (
        "topic", "partition", "offset", "event_id", "time_utc", "app_version",
        f"{field}_as_declared", unit,
    )  # fmt: skip
    return _csv(heading, rows)


def _csv(heading: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heading)
    writer.writerows([[_harmless(cell) for cell in row] for row in rows])
    return text.getvalue()


def _harmless(cell: object) -> object:
    """Text that a spreadsheet would take for a formula is set off by an apostrophe."""
    if isinstance(cell, str) and cell[:1] in ("=", "+", "@", "\t", "\r"):
        return f"'{cell}"
    if isinstance(cell, str) and cell[:1] == "-" and not cell[1:2].isdigit():
        return f"'{cell}"
    return cell
