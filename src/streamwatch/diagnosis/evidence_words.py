"""The words of the evidence pack: what is told, in sentences, and the draft of a message."""

from datetime import UTC, datetime

from streamwatch.diagnosis.pack import Pack
from streamwatch.diagnosis.paired import Pair
from streamwatch.domain.smallgroups import LEAST_GROUP

EVENTS = {"widget-event": "widget events", "purchase": "purchases", "return": "returns"}
UNITS = {"height": "cm", "weight": "kg", "age": "years"}
WITHHELD = "withheld"


def message(pack: Pack) -> str:
    """A draft of what to write to the client."""
    report, day = pack.report, day_words(pack.since)
    changed = (
        f"since {day} (UTC) the {events_words(pack)} of {report.key.shop} that reach us "
        "are no longer what they used to be:"
    )
    request = (
        "The values are so in the records as we receive them, before any processing of ours. "
        "Could you please check what changed on your side, and tell us when it is corrected?"
    )
    lines = [
        f"Subject: {report.key.shop}: {kpi_words(pack)} since {day}",
        "",
        "Hello,",
        "",
        changed,
        "",
        *(f"- {line}" for line in facts_of(pack)),
        "",
        request,
    ]
    if len(pack.bad) >= LEAST_GROUP:
        lines.append("records.csv names some of the events by your own event ids.")
    return "\n".join([*lines, "", "Kind regards", ""])


def facts_of(pack: Pack) -> list[str]:
    """What is told, in sentences; the same on the page and in the message."""
    report = pack.report
    facts = []
    verdict = report.verdict
    enough = verdict is not None and (verdict.n >= LEAST_GROUP or report.key.kpi == "volume")
    if verdict is not None and verdict.expected is not None and enough:
        told = f"{number(verdict.value)}, expected were about {number(verdict.expected)}"
        if verdict.lower is not None and verdict.upper is not None:
            told += f" ({number(verdict.lower)} to {number(verdict.upper)})"
        records = "" if report.key.kpi == "volume" else f" over {verdict.n:,} records"
        facts.append(f"on {day_words(report.bucket)} the {kpi_words(pack)} was {told}{records}")
    hypothesis = report.found.hypothesis
    if hypothesis and values_may_be_told(pack):
        facts.append(f"it looks like {hypothesis}")
    facts += [
        f"{one.support:.0%} of the affected records have {one.label} {one.value}"
        for one in report.shared[:2]
        if min(one.affected, one.records) >= LEAST_GROUP and one.value
    ]
    if report.first_bad is not None and len(pack.bad) >= LEAST_GROUP:
        bad = report.first_bad
        facts.append(
            f"the first such record that we looked at is your event {id_words(bad)} "
            f"(at {bad.topic}[{bad.partition}] offset {bad.offset} in our log)"
        )
    return facts


def values_may_be_told(pack: Pack) -> bool:
    """Whether enough values are known for a plot of them."""
    return min(sum(pack.usual.values()), sum(pack.now.values())) >= LEAST_GROUP


def events_words(pack: Pack) -> str:
    """The event type in words."""
    kind = pack.report.key.event_type
    return EVENTS.get(kind, kind)


def kpi_words(pack: Pack) -> str:
    """The KPI in words: ``mean height (cm)``."""
    kind, _, feature = pack.report.key.kpi.partition(".")
    field, _, part = feature.partition(".")
    unit = part or UNITS.get(field, "")
    words = {"missing": "share without", "volume": "number of events"}.get(kind, kind)
    return " ".join(one for one in (words, field, f"({unit})" if unit else "") if one)


def number(value: float) -> str:
    """A number for people.

    >>> number(12345.678), number(66.929)
    ('12,346', '66.93')
    """
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"  # noqa: PLR2004


def id_words(bad: Pair) -> str:
    """The client's own id, unless it may be an address of a person."""
    return WITHHELD if "@" in bad.event_id else bad.event_id


def day_words(milliseconds: int) -> str:
    """A day for people."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%d %B %Y")


def moment_words(milliseconds: int) -> str:
    """A moment, UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M")
