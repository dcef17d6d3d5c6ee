"""The sheet of the evidence pack: what is on it, and as a page that loads nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

import msgspec

from streamwatch.diagnosis.evidence_words import (
    UNITS,
    WITHHELD,
    day_words,
    events_words,
    facts_of,
    kpi_words,
    moment_words,
    number,
    values_may_be_told,
)
from streamwatch.diagnosis.pack import Pack
from streamwatch.diagnosis.plot import Point, days_plot, values_plot
from streamwatch.diagnosis.stagetable import StageLine
from streamwatch.domain.smallgroups import LEAST_GROUP

STAGE_NOTE = (
    "The first line is the record as it was received, in the unit that it declares. "
    "A stage that changed nothing passed the value on as it was sent."
)
CONTENT_NOTE = (
    "days.csv: the days of the plot. records.csv, if there are enough: affected records with your "
    "own event ids. message.txt: a draft. SHA256SUMS: checksums of all files. No figure rests on "
    f"fewer than {LEAST_GROUP} records, and nothing names a person."
)


class Figure(msgspec.Struct, frozen=True):
    """A plot: its file's name, the SVG, and what is said below it."""

    file: str
    svg: str
    caption: str


class Sheet(msgspec.Struct, frozen=True):
    """What stands on the sheet, from top to bottom.

    Attributes:
        title: shop and KPI.
        subtitle: event type, segment and time.
        facts: sentences.
        figures: the plots.
        reason: where it came in.
        heading: of the stage table.
        rows: the stage table.
        made_at: milliseconds.
    """

    title: str
    subtitle: str
    facts: Sequence[str]
    figures: Sequence[Figure]
    reason: str
    heading: Sequence[str]
    rows: Sequence[Sequence[str]]
    made_at: int


def sheet_of(pack: Pack) -> Sheet:
    """The sheet of a pack."""
    report = pack.report
    until = "still so" if pack.until is None else f"until {moment_words(pack.until)}"
    since = f"since {moment_words(pack.since)} UTC, {until}"
    return Sheet(
        title=f"{report.key.shop}: {kpi_words(pack)}",
        subtitle=f"{events_words(pack)}, segment {report.key.segment}; {since}",
        facts=facts_of(pack),
        figures=_figures(pack),
        reason=f"{report.found.origin.reason}.",
        heading=("after", "usual mean", day_words(report.bucket), "records", "changed by it"),
        rows=[_row(line) for line in report.lines],
        made_at=pack.made_at,
    )


def _figures(pack: Pack) -> list[Figure]:
    days = days_plot(f"{kpi_words(pack)}, by day, and what is usual", _points(pack))
    caption = "Shaded: what was expected of each day. Red: outside of it."
    figures = [Figure("days.svg", days, caption)]
    if values_may_be_told(pack):
        day = day_words(pack.report.bucket)
        caption = (
            f"Filled: the weeks before. Line: {day}. Each bar holds {LEAST_GROUP} records or more."
        )
        figures.append(Figure("values.svg", _values_plot(pack), caption))
    return figures


def _values_plot(pack: Pack) -> str:
    field, _, part = pack.report.feature.partition(".")
    unit = part or UNITS.get(field, "")
    title = f"{field} ({unit})" if unit else field
    return values_plot(f"{title}: share of the records by value", pack.usual, pack.now, LEAST_GROUP)


def _points(pack: Pack) -> list[Point]:
    volume = pack.report.key.kpi == "volume"
    return [
        Point(
            label=datetime.fromtimestamp(one.bucket / 1000, UTC).strftime("%d %b"),
            value=one.value if volume or one.n >= LEAST_GROUP else None,
            lower=one.lower,
            upper=one.upper,
            unusual=one.state == "unusual",
        )
        for one in pack.verdicts
    ]


def _row(line: StageLine) -> tuple[str, ...]:
    """A line of the stage table; of few records neither their mean nor how many were changed."""
    enough = line.records - line.missing >= LEAST_GROUP
    few_changed = 0 < line.changed < LEAST_GROUP
    return (
        line.stage,
        "" if line.usual is None else number(line.usual),
        ("" if line.now is None else number(line.now)) if enough else WITHHELD,
        f"{line.records:,}",
        f"fewer than {LEAST_GROUP}" if few_changed else f"{line.changed:,}",
    )


def html_of(sheet: Sheet) -> str:
    """One self-contained page; nothing is loaded from anywhere."""
    facts = "".join(f"<li>{escape(fact)}</li>" for fact in sheet.facts)
    figures = "".join(
        f"<figure>{one.svg}<figcaption>{escape(one.caption)}</figcaption></figure>"
        for one in sheet.figures
    )
    heading = "".join(f"<th>{escape(name)}</th>" for name in sheet.heading)
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(text)}</td>' for text in row)}</tr>" for row in sheet.rows
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{escape(sheet.title)}</title>
<style>{_STYLE}</style></head><body><main>
<h1>{escape(sheet.title)}</h1>
<p class="quiet">{escape(sheet.subtitle)}</p>
<ul>{facts}</ul>
{figures}
<h2>Where it came in</h2>
<p>{escape(sheet.reason)}</p>
<table><thead><tr>{heading}</tr></thead><tbody>{rows}</tbody></table>
<p class="quiet">{STAGE_NOTE}</p>
<h2>In this pack</h2>
<p>{CONTENT_NOTE}</p>
<p class="quiet">Made on {moment_words(sheet.made_at)} UTC.</p>
</main></body></html>
"""


_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;color:#1f2933;background:#f5f7fa;margin:0}"
    "main{max-width:780px;margin:0 auto;padding:24px;background:#fff}"
    "h1{font-size:24px;margin:0 0 4px}h2{font-size:18px;margin:28px 0 8px}"
    "figure{margin:20px 0}svg{width:100%;height:auto;display:block;border:1px solid #e4e7eb}"
    "figcaption,.quiet{color:#52606d;font-size:14px}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{text-align:right;padding:4px 8px;border-bottom:1px solid #e4e7eb}"
    "th:first-child,td:first-child{text-align:left}"
)
