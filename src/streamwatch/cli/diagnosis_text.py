"""A diagnosis as text for people."""

from collections.abc import Iterator, Sequence

import click
from rich.console import Console
from rich.table import Table

from streamwatch.adapters.sql.diagnosis_queries import Query
from streamwatch.cli.database import written_time
from streamwatch.cli.incidents_table import shown_number
from streamwatch.diagnosis.origin import CLIENT, UNDETERMINED
from streamwatch.diagnosis.report import Report
from streamwatch.diagnosis.stagetable import StageLine
from streamwatch.domain.incidents import Incident

MOST_SHARED = 4
MOST_HYPOTHESES = 3


def print_diagnosis(
    console: Console, report: Report, incident: Incident | None, queries: Sequence[Query]
) -> None:
    """Origin and reasons, the stage table, and the queries."""
    for name, text in headline(report, incident):
        click.echo(f"{name:<11}{text}")
    if report.lines:
        click.echo()
        console.print(_stage_table(report))
    for query in queries:
        click.echo(f"\n-- {query.shows}\n{query.sql}")
    if incident is not None and report.found.origin.name == CLIENT:
        click.echo(
            f"\nnext: streamwatch evidence '{incident.id}' -o pack.zip   (to send to the client)",
            err=True,
        )


def headline(report: Report, incident: Incident | None) -> Iterator[tuple[str, str]]:
    """What is found, in lines of a name and a text."""
    key, origin = report.key, report.found.origin
    day = written_time(report.bucket)
    yield "what", f"{key.shop}: {key.kpi} of {key.event_type}, segment {key.segment}"
    yield "when", f"the day from {day} UTC, against {report.usual_days} days before"
    verdict = report.verdict
    if verdict is not None and verdict.expected is not None:
        band = f"{shown_number(verdict.lower or 0.0)} to {shown_number(verdict.upper or 0.0)}"
        value = f"{shown_number(verdict.value)}, expected {shown_number(verdict.expected)}"
        yield "value", f"{value} ({band}), {verdict.score:+.1f} sd"
    yield "origin", in_words(origin.name)
    yield "", origin.reason
    told = incident is not None and incident.origin not in ("", UNDETERMINED, origin.name)
    if incident is not None and told:
        yield "", f"when it opened: {in_words(incident.origin)} ({incident.origin_reason})"
    for place, one in enumerate(report.found.hypotheses[:MOST_HYPOTHESES]):
        share = f"{one.share:.0%} of the values, log-likelihood {one.gain:+.0f}"
        yield ("looks like" if place == 0 else "or"), f"{one.name} ({share})"
    if report.affected is not None:
        yield "affected", f"{report.affected:.1%} of the records"
    for place, shared in enumerate(report.shared[:MOST_SHARED]):
        text = (
            f"{shared.label} {shared.value or '(none)'}: {shared.support:.0%} of the affected "
            f"records, {shared.lift:.1f} times as frequent as among all"
        )
        yield ("they share" if place == 0 else ""), text
    if report.split is not None:
        split = report.split
        text = f"{split.shift:+.4g} = {split.mix:+.4g} by mix, {split.value:+.4g} by value"
        yield "shift", f"{text} (gender and category)"
    for pair in report.pairs:
        paired = pair.summary
        ratio = "" if paired.ratio is None else f", median ratio {paired.ratio:.4g}"
        text = f"{paired.changed:,} of {paired.records:,} records changed{ratio}"
        if report.pairs_from == "recorder":
            text += " (of the flight recorder)"
        yield "paired", f"{pair.before} to {pair.after}: {text}"
    if report.first_bad is not None:
        bad = report.first_bad
        where = f"{bad.topic}[{bad.partition}] offset {bad.offset}"
        yield "first", f"{where}, the client's event {bad.event_id}"


def in_words(origin: str) -> str:
    """An origin for people.

    >>> in_words("normalise")
    'our stage normalise'
    """
    if origin == CLIENT:
        return "the client: it was sent so"
    return "undetermined" if origin == UNDETERMINED else f"our stage {origin}"


def _stage_table(report: Report) -> Table:
    title = f"{report.feature} after every stage"
    table = Table("after", title=title, title_justify="left")
    for name in ("usual mean", "band", "now", "its part", "records", "missing", "changed"):
        table.add_column(name, justify="right", no_wrap=True)
    for line in report.lines:
        table.add_row(
            line.stage,
            _known(line.usual),
            _band(line),
            _known(line.now) if line.inside else f"[bold]{_known(line.now)} ![/bold]",
            "" if line.deviation is None else f"{_capped(line.deviation)} sd",
            f"{line.records:,}",
            f"{line.missing:,}",
            f"{line.changed:,}",
        )
    return table


def _capped(deviation: float) -> str:
    """Stages that never change anything have a spread of nearly nothing."""
    if abs(deviation) > 1_000:  # noqa: PLR2004
        return ">+1,000" if deviation > 0 else "<-1,000"
    return f"{deviation:+.1f}"


def _known(value: float | None) -> str:
    return "" if value is None else shown_number(value)


def _band(line: StageLine) -> str:
    if line.lower is None or line.upper is None:
        return ""
    return f"{shown_number(line.lower)} to {shown_number(line.upper)}"
