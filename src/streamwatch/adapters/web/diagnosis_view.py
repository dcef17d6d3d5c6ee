"""What the diagnosis found about an incident, in sentences, bars and a table."""

from collections.abc import Iterator

import msgspec
from markupsafe import Markup

from streamwatch.adapters.web.bars import Bar, bars
from streamwatch.adapters.web.wording import moment, number, unit_of, with_unit
from streamwatch.diagnosis.mixvalue import GroupShift, Split
from streamwatch.diagnosis.report import Report
from streamwatch.domain.smallgroups import LEAST_GROUP, PERSONAL

MOST_HYPOTHESES = 3
MOST_SHARED = 3
MOST_GROUPS = 8
MOST_OF_IT = 0.8
"""From this share of a shift on, one of mix and value is what moved."""


class SplitView(msgspec.Struct, frozen=True):
    """A mean's shift by mix and by value.

    Attributes:
        said: what it means, in words.
        plot: the two parts as bars.
        groups: those whose part is the largest.
    """

    said: str
    plot: Markup
    groups: tuple[GroupShift, ...]


class DiagnosisView(msgspec.Struct, frozen=True):
    """What the page tells of a diagnosis.

    Attributes:
        facts: a name and a sentence each.
        split: where a mean moved and its groups are known.
    """

    facts: tuple[tuple[str, str], ...]
    split: SplitView | None


def diagnosis_view(report: Report | None) -> DiagnosisView | None:
    """What the page tells; ``None`` where there is nothing to tell."""
    if report is None:
        return None
    found = DiagnosisView(tuple(_facts(report)), _split_view(report))
    return found if found.facts or found.split else None


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    for place, one in enumerate(report.found.hypotheses[:MOST_HYPOTHESES]):
        text = f"{one.name}: {one.share:.0%} of the values"
        yield ("Looks like" if place == 0 else "Or"), text
    if report.affected is not None:
        yield "Affected", f"{report.affected:.1%} of the records"
    for place, shared in enumerate(report.shared[:MOST_SHARED]):
        label = shared.label.replace("_", " ").replace(",", ", ")
        text = (
            f"{label} {shared.value or '(none)'}: {shared.support:.0%} of the affected records, "
            f"{shared.lift:.1f} times as frequent among them as among all"
        )
        yield ("They share" if place == 0 else "And"), text
    for pair in report.pairs:
        told = pair.summary
        if told.changed:
            text = f"{told.changed:,} of {told.records:,} kept records came out differently"
            if told.ratio is not None:
                text += f", typically {told.ratio:.3g} times what they were"
            yield f"{pair.before} to {pair.after}", text
    if report.first_bad is not None:
        bad = report.first_bad
        when = "" if bad.occurred_at is None else f", {moment(bad.occurred_at)}"
        text = f"event {bad.event_id}{when} ({bad.topic} {bad.partition}:{bad.offset})"
        yield "First affected", text


def _split_view(report: Report) -> SplitView | None:
    split = report.split
    if split is None or not split.groups:
        return None
    unit = unit_of(report.key.kpi)
    parts = (Bar("by mix", split.mix), Bar("by value", split.value))
    label = f"Of {_signed(split.shift, unit)}, {_signed(split.mix, unit)} by mix and "
    label += f"{_signed(split.value, unit)} by value"
    plot = bars(parts, label=label, written=lambda one: _signed(one, unit))
    return SplitView(_meaning(split, unit), plot, _enough(report, split)[:MOST_GROUPS])


def _meaning(split: Split, unit: str) -> str:
    told = f"{_signed(split.shift, unit)} in all. "
    whole = abs(split.shift)
    if abs(split.value) >= MOST_OF_IT * whole and abs(split.mix) < abs(split.value):
        return told + (
            "It is the values: within each group (gender and category) they moved, while the "
            "groups are as frequent as before."
        )
    if abs(split.mix) >= MOST_OF_IT * whole:
        return told + (
            "It is the mix: other people came, each group with the values that it always had. "
            "That is no fault of a unit or a stage."
        )
    return told + "Both moved: how frequent the groups are, and the values within them."


def _enough(report: Report, split: Split) -> tuple[GroupShift, ...]:
    """The groups of which a mean may be told: a body measure of few people may not."""
    if report.feature not in PERSONAL:
        return split.groups
    last = report.lines[-1] if report.lines else None
    records = 0 if last is None else last.records - last.missing
    return tuple(one for one in split.groups if one.share_now * records >= LEAST_GROUP)


def _signed(value: float, unit: str) -> str:
    """A difference with its sign.

    >>> _signed(-40.2812, "cm"), _signed(0.001, "cm")
    ('-40.28 cm', '0 cm')
    """
    value = round(value, 2)
    sign = "+" if value > 0 else "-" if value < 0 else ""
    return f"{sign}{with_unit(abs(value), unit) if unit else number(abs(value))}"
