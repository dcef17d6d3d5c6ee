"""A scorecard, and a sweep of them, as text for people."""

from collections.abc import Sequence
from datetime import UTC, datetime

from streamwatch.backtest.alarms import Alarms
from streamwatch.backtest.scorecard import Delay, Finding, Scorecard
from streamwatch.backtest.tune import Trial
from streamwatch.cli.aligned import aligned

_FAULTS = ("faults", "found", "recall", "median delay", "95 % within")
_ALARMS = ("on a fault", "beside one", "false", "months", "false a month", "unusual a month")
_MOST_MISSED = 20


def scorecard_text(card: Scorecard) -> str:
    """Everything of a scorecard, in tables."""
    parts = [
        (
            f"{card.shops:,} shops judged over {card.shop_months:,.1f} shop-months: "
            f"{card.incidents:,} incidents, and {card.covered:,} that are part of them"
        )
    ]
    if card.faults:
        parts += [
            (
                f"faults found {card.found} of {card.faults} (recall {share(card.recall)}), "
                f"median delay {hours(card.delay_hours.median)}; precision "
                f"{share(card.precision)}: {card.hits} incidents on a fault, {card.beside} beside "
                f"one, {card.false} false"
            ),
            aligned(("fault", *_FAULTS), [_finding(one) for one in card.by_kind]),
            aligned(("events of the shop", *_FAULTS), [_finding(one) for one in card.by_size]),
            _kinds_by_size(card),
        ]
    loud = [one for one in card.alarms_by_kpi if one.hits + one.beside + one.false]
    parts += [
        aligned(("KPI", *_ALARMS), [_alarms(one) for one in loud]),
        f"and {len(card.alarms_by_kpi) - len(loud)} KPIs without an incident (--json has them)",
        aligned(("events of the shop", *_ALARMS), [_alarms(one) for one in card.alarms_by_size]),
    ]
    if card.missed:
        rows = [
            (one.kind, one.shop, _moment(one.start), one.argument)
            for one in card.missed[:_MOST_MISSED]
        ]
        parts.append(aligned(("not found", "shop", "from (UTC)", "argument"), rows))
    return "\n\n".join(parts)


def _kinds_by_size(card: Scorecard) -> str:
    """How many faults of each kind were found in shops of each size."""
    sizes = [one.name for one in card.by_size]
    found = {one.name: f"{one.found} of {one.faults}" for one in card.by_kind_and_size}
    rows = [
        (kind.name, *(found.get(f"{kind.name}, {size}", "") for size in sizes))
        for kind in card.by_kind
    ]
    return aligned(("found, by fault and events of the shop", *sizes), rows)


def sweep_text(trials: Sequence[Trial]) -> str:
    """What each candidate would have given; the configured value is marked."""
    headings = (
        "setting", "value", "incidents", "false", "false a shop-month", "found", "recall",
        "precision", "median delay",
    )  # fmt: skip
    rows = []
    for one in trials:
        card, tried = one.scorecard, one.candidate
        mark = " (configured)" if tried.is_configured else ""
        per_month = card.false / card.shop_months if card.shop_months else None
        rows.append((
            tried.setting, f"{tried.value:g}{mark}", f"{card.incidents:,}", f"{card.false:,}",
            rate(per_month), f"{card.found:,}", share(card.recall), share(card.precision),
            hours(card.delay_hours.median),
        ))  # fmt: skip
    return aligned(headings, rows)


def share(value: float | None) -> str:
    """A share, or ``-`` where there is none.

    >>> share(0.25), share(None)
    ('0.25', '-')
    """
    return "-" if value is None else f"{value:.2f}"


def rate(value: float | None) -> str:
    """A rate with three digits that tell."""
    return "-" if value is None else f"{value:.3g}"


def hours(value: float | None) -> str:
    """A number of hours."""
    return "-" if value is None else f"{value:.1f} h"


def _finding(one: Finding) -> tuple[str, ...]:
    counts = (f"{one.faults:,}", f"{one.found:,}", share(one.recall))
    return (one.name, *counts, *_delay(one.delay_hours))


def _delay(delay: Delay) -> tuple[str, str]:
    return hours(delay.median), hours(delay.p95)


def _alarms(one: Alarms) -> tuple[str, ...]:
    return (
        one.name, f"{one.hits:,}", f"{one.beside:,}", f"{one.false:,}", f"{one.months:,.1f}",
        rate(one.false_per_month), rate(one.unusual_per_month),
    )  # fmt: skip


def _moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M")
