"""Alerts on the database behind the workers: away or slow."""

from streamwatch.rules.alert import Alert, Example
from streamwatch.rules.examples import selector
from streamwatch.rules.platform import INSTANCE, platform_alert, wrong_while_zero


def database_alerts() -> list[Alert]:
    """All of them, the most urgent first."""
    return [_database_down(), _flush_slow()]


def _database_down() -> Alert:
    return wrong_while_zero(
        "StreamwatchDatabaseDown",
        "page",
        "streamwatch_database_up",
        (
            "The database does not answer the worker {{ $labels.instance }}",
            (
                "The database does not answer the worker {{ $labels.instance }}. Reading "
                "pauses, nothing is lost, and it catches up by itself once the database is "
                "back; until then no shop is judged."
            ),
        ),
    )


def _flush_slow() -> Alert:
    return platform_alert(
        "StreamwatchFlushSlow",
        "ticket",
        "histogram_quantile(0.99, sum by (step, le) "
        "(rate(streamwatch_flush_duration_seconds_bucket[10m]))) > 5",
        (
            "Flushes of {{ $labels.step }} take more than 5 seconds",
            (
                "One in a hundred flushes of {{ $labels.step }} takes more than 5 seconds in "
                "the database. Alerts come later by as much, and taps are shed first."
            ),
        ),
        (
            Example(_flushes("0x60", "0+9x60"), {"step": "count"}),
            _flushes("0+9x60", "0+9x60"),
        ),
        hold="10m",
    )


def _flushes(fast: str, all_: str) -> dict[str, str]:
    """Flushes that took up to 5 s, and all of them, none longer than 10 s."""
    name = "streamwatch_flush_duration_seconds_bucket"
    bounds = {"5.0": fast, "10.0": all_, "+Inf": all_}
    return {
        name + selector(INSTANCE | {"step": "count", "le": bound}): values
        for bound, values in bounds.items()
    }
