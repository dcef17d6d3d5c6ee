"""Alerts on the workers and on the database behind them."""

from streamwatch.rules.alert import Alert, Example
from streamwatch.rules.examples import STEADY
from streamwatch.rules.platform import INSTANCE, JOB, ONE, platform_alert


def worker_alerts() -> list[Alert]:
    """A worker is gone, does not become ready, or hangs."""
    up = f"up{{{ONE}}}"
    return [
        platform_alert(
            "StreamwatchWorkerDown",
            "page",
            f'up{{job="{JOB}"}} == 0',
            (
                "The worker {{ $labels.instance }} does not answer",
                (
                    "The worker {{ $labels.instance }} does not answer Prometheus. Its partitions "
                    "go to the other workers; if there is none, nothing is read and no shop is "
                    "judged."
                ),
            ),
            (Example({up: f"0{STEADY}"}, INSTANCE), {up: f"1{STEADY}"}),
        ),
        platform_alert(
            "StreamwatchNoWorker",
            "page",
            f'absent(up{{job="{JOB}"}})',
            (
                "Prometheus knows no worker of streamwatch",
                (
                    "Prometheus scrapes no worker at all, so that no other alert of streamwatch "
                    "can fire. Look at the targets of the job streamwatch."
                ),
            ),
            (Example({"something": f"1{STEADY}"}, {"job": JOB}), {up: f"0{STEADY}"}),
            hold="5m",
        ),
        platform_alert(
            "StreamwatchNotReady",
            "ticket",
            "streamwatch_ready == 0",
            (
                "The worker {{ $labels.instance }} does not become ready",
                (
                    "The worker {{ $labels.instance }} lives but has not loaded its partitions for "
                    "10 minutes: it waits for the database, for Kafka, or for a rebalance that "
                    "does not end."
                ),
            ),
            (
                Example({f"streamwatch_ready{{{ONE}}}": f"0{STEADY}"}, INSTANCE),
                {f"streamwatch_ready{{{ONE}}}": f"1{STEADY}"},
            ),
            hold="10m",
        ),
        platform_alert(
            "StreamwatchHeartbeatsStand",
            "page",
            "streamwatch_ready == 1\nand time() - streamwatch_heartbeat_timestamp_seconds > 120",
            (
                "The worker {{ $labels.instance }} hangs",
                (
                    "The worker {{ $labels.instance }} has sent no heartbeat for two minutes "
                    "although it is ready. Its shops are not judged, and silence among them goes "
                    "unseen. Take its stack, then start it again; that is always safe."
                ),
            ),
            (
                Example(
                    {
                        f"streamwatch_ready{{{ONE}}}": f"1{STEADY}",
                        f"streamwatch_heartbeat_timestamp_seconds{{{ONE}}}": f"60{STEADY}",
                    },
                    INSTANCE,
                ),
                {
                    f"streamwatch_ready{{{ONE}}}": f"1{STEADY}",
                    f"streamwatch_heartbeat_timestamp_seconds{{{ONE}}}": "0+60x60",
                },
            ),
            hold="1m",
        ),
    ]


def database_alerts() -> list[Alert]:
    """The database is away or slow."""
    return [
        platform_alert(
            "StreamwatchDatabaseDown",
            "page",
            "streamwatch_database_up == 0",
            (
                "The database does not answer the worker {{ $labels.instance }}",
                (
                    "The database does not answer the worker {{ $labels.instance }}. Reading "
                    "pauses, nothing is lost, and it catches up by itself once the database is "
                    "back; until then no shop is judged."
                ),
            ),
            (
                Example({f"streamwatch_database_up{{{ONE}}}": f"0{STEADY}"}, INSTANCE),
                {f"streamwatch_database_up{{{ONE}}}": f"1{STEADY}"},
            ),
        ),
        platform_alert(
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
                Example(_flushes("0x60", "0+9x60", "0+9x60"), {"step": "count"}),
                _flushes("0+9x60", "0+9x60", "0+9x60"),
            ),
            hold="10m",
        ),
    ]


def _flushes(fast: str, slow: str, all_: str) -> dict[str, str]:
    name = "streamwatch_flush_duration_seconds_bucket"
    bounds = {"5.0": fast, "10.0": slow, "+Inf": all_}
    return {
        f'{name}{{{ONE},step="count",le="{bound}"}}': values for bound, values in bounds.items()
    }
