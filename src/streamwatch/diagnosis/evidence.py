"""The pack that shows a client what it sent: plots, counts, records to look up, a message.

It leaves the company, so it tells nothing of fewer than `LEAST_GROUP` records, no field but the
departing one beside coordinates, and no id that could be an address.
"""

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape

import msgspec

from streamwatch.diagnosis.paired import Pair
from streamwatch.diagnosis.plot import Point, days_plot, values_plot
from streamwatch.diagnosis.report import Report
from streamwatch.domain.verdicts import Verdict

LEAST_GROUP = 10
"""Records of which anything is told."""

MOST_RECORDS = 200
WITHHELD = "withheld"
EVENTS = {"widget-event": "widget events", "purchase": "purchases", "return": "returns"}
UNITS = {"height": "cm", "weight": "kg", "age": "years"}


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


def files(pack: Pack) -> dict[str, bytes]:
    """The files of the pack by name, their checksums last."""
    name = _kpi(pack)
    days = days_plot(f"{name}, by day, and what is usual", _points(pack))
    texts = {
        "evidence.html": _page(pack, days),
        "days.svg": days,
        "days.csv": _days_csv(pack),
        "message.txt": message(pack),
    }
    if _values_may_be_told(pack):
        texts["values.svg"] = _values_plot(pack)
    if len(pack.bad) >= LEAST_GROUP:
        texts["records.csv"] = _records_csv(pack)
    found = {file: text.encode() for file, text in texts.items()}
    sums = [f"{hashlib.sha256(found[file]).hexdigest()}  {file}\n" for file in sorted(found)]
    return {**found, "SHA256SUMS": "".join(sums).encode()}


def message(pack: Pack) -> str:
    """A draft of what to write to the client."""
    report, day = pack.report, _day(pack.since)
    changed = (
        f"since {day} (UTC) the {_events(pack)} of {report.key.shop} that reach us "
        "are no longer what they used to be:"
    )
    request = (
        "The values are so in the records as we receive them, before any processing of ours. "
        "Could you please check what changed on your side, and tell us when it is corrected?"
    )
    lines = [
        f"Subject: {report.key.shop}: {_kpi(pack)} since {day}",
        "",
        "Hello,",
        "",
        changed,
        "",
        *(f"- {line}" for line in _facts(pack)),
        "",
        request,
    ]
    if len(pack.bad) >= LEAST_GROUP:
        lines.append("records.csv names some of the events by your own event ids.")
    return "\n".join([*lines, "", "Kind regards", ""])


def _facts(pack: Pack) -> list[str]:
    """What is told, in sentences; the same on the page and in the message."""
    report = pack.report
    facts = []
    verdict = report.verdict
    enough = verdict is not None and (verdict.n >= LEAST_GROUP or report.key.kpi == "volume")
    if verdict is not None and verdict.expected is not None and enough:
        told = f"{_number(verdict.value)}, expected were about {_number(verdict.expected)}"
        if verdict.lower is not None and verdict.upper is not None:
            told += f" ({_number(verdict.lower)} to {_number(verdict.upper)})"
        records = "" if report.key.kpi == "volume" else f" over {verdict.n:,} records"
        facts.append(f"on {_day(report.bucket)} the {_kpi(pack)} was {told}{records}")
    hypothesis = report.found.hypothesis
    if hypothesis and _values_may_be_told(pack):
        facts.append(f"it looks like {hypothesis}")
    facts += [
        f"{one.support:.0%} of the affected records have {one.label} {one.value}"
        for one in report.shared[:2]
        if min(one.affected, one.records) >= LEAST_GROUP and one.value
    ]
    if report.first_bad is not None and len(pack.bad) >= LEAST_GROUP:
        bad = report.first_bad
        facts.append(
            f"the first such record that we looked at is your event {_id(bad)} "
            f"(at {bad.topic}[{bad.partition}] offset {bad.offset} in our log)"
        )
    return facts


def _values_may_be_told(pack: Pack) -> bool:
    return min(sum(pack.usual.values()), sum(pack.now.values())) >= LEAST_GROUP


def _values_plot(pack: Pack) -> str:
    field, _, part = pack.report.feature.partition(".")
    unit = part or UNITS.get(field, "")
    title = f"{field} ({unit})" if unit else field
    return values_plot(f"{title}: share of the records by value", pack.usual, pack.now)


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


def _days_csv(pack: Pack) -> str:
    rows = [
        (
            _moment(one.bucket),
            "" if point.value is None else repr(point.value),
            one.n if one.n >= LEAST_GROUP or pack.report.key.kpi == "volume" else "",
            "" if one.expected is None else repr(one.expected),
            "" if one.lower is None else repr(one.lower),
            "" if one.upper is None else repr(one.upper),
            one.state,
        )
        for one, point in zip(pack.verdicts, _points(pack), strict=True)
    ]
    heading = ("day_utc", "value", "records", "expected", "lower", "upper", "state")
    return _csv(heading, rows)


def _records_csv(pack: Pack) -> str:
    field = pack.report.feature.partition(".")[0]
    unit = f"{field}_unit"
    rows = [
        (
            bad.topic,
            bad.partition,
            bad.offset,
            _id(bad),
            "" if bad.occurred_at is None else _moment(bad.occurred_at),
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


def _id(bad: Pair) -> str:
    """The client's own id, unless it may be an address of a person."""
    return WITHHELD if "@" in bad.event_id else bad.event_id


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


def _page(pack: Pack, days: str) -> str:
    """One self-contained page; nothing is loaded from anywhere."""
    report = pack.report
    until = "still so" if pack.until is None else f"until {_moment(pack.until)}"
    facts = "".join(f"<li>{escape(fact)}</li>" for fact in _facts(pack))
    values = ""
    if _values_may_be_told(pack):
        plot = _values_plot(pack)
        values = (
            f"<figure>{plot}<figcaption>Filled: the weeks before. "
            f"Line: {_day(report.bucket)}.</figcaption></figure>"
        )
    stages = "".join(
        f"<tr><td>{escape(line.stage)}</td><td>{_cell(line.usual)}</td>"
        f"<td>{_cell(line.now) if line.records - line.missing >= LEAST_GROUP else WITHHELD}</td>"
        f"<td>{line.records:,}</td><td>{line.changed:,}</td></tr>"
        for line in report.lines
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{escape(report.key.shop)}: {escape(_kpi(pack))}</title>
<style>{_STYLE}</style></head><body><main>
<h1>{escape(report.key.shop)}: {escape(_kpi(pack))}</h1>
<p class="quiet">{escape(_events(pack))}, segment {escape(report.key.segment)};
since {_moment(pack.since)} UTC, {until}</p>
<ul>{facts}</ul>
<figure>{days}<figcaption>Shaded: what was expected of each day. Red: outside of it.
</figcaption></figure>
{values}
<h2>Where it came in</h2>
<p>{escape(report.found.origin.reason)}.</p>
<table><thead><tr><th>after</th><th>usual mean</th><th>{_day(report.bucket)}</th>
<th>records</th><th>changed by it</th></tr></thead><tbody>{stages}</tbody></table>
<p class="quiet">The first line is the record as it was received, in the unit that it declares.
A stage that changed nothing passed the value on as it was sent.</p>
<h2>In this pack</h2>
<p>days.csv: the days of the plot. records.csv, if there are enough: affected records with your own
event ids. message.txt: a draft. SHA256SUMS: checksums of all files. Nothing is told of fewer than
{LEAST_GROUP} records, and nothing that names a person.</p>
<p class="quiet">Made on {_moment(pack.made_at)} UTC.</p>
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


def _events(pack: Pack) -> str:
    kind = pack.report.key.event_type
    return EVENTS.get(kind, kind)


def _kpi(pack: Pack) -> str:
    """The KPI in words: ``mean height (cm)``."""
    kind, _, feature = pack.report.key.kpi.partition(".")
    field, _, part = feature.partition(".")
    unit = part or UNITS.get(field, "")
    words = {"missing": "share without", "volume": "number of events"}.get(kind, kind)
    return " ".join(one for one in (words, field, f"({unit})" if unit else "") if one)


def _cell(value: float | None) -> str:
    return "" if value is None else _number(value)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"  # noqa: PLR2004


def _day(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%d %B %Y")


def _moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M")
