"""Alerts on the workers: one is gone, does not become ready, or hangs."""

from streamwatch.rules.alert import Alert, Example
from streamwatch.rules.examples import STEADY, selector
from streamwatch.rules.platform import INSTANCE, JOB, platform_alert, wrong_while_zero

_UP = "up" + selector(INSTANCE)
_READY = {"streamwatch_ready" + selector(INSTANCE): f"1{STEADY}"}
_HEARTBEAT = "streamwatch_heartbeat_timestamp_seconds" + selector(INSTANCE)


def worker_alerts() -> list[Alert]:
    """All of them, the most urgent first."""
    return [_worker_down(), _no_worker(), _not_ready(), _heartbeats_stand()]


def _worker_down() -> Alert:
    return platform_alert(
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
        (Example({_UP: f"0{STEADY}"}, INSTANCE), {_UP: f"1{STEADY}"}),
    )


def _no_worker() -> Alert:
    return platform_alert(
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
        (Example({"something": f"1{STEADY}"}, {"job": JOB}), {_UP: f"0{STEADY}"}),
        hold="5m",
    )


def _not_ready() -> Alert:
    return wrong_while_zero(
        "StreamwatchNotReady",
        "ticket",
        "streamwatch_ready",
        (
            "The worker {{ $labels.instance }} does not become ready",
            (
                "The worker {{ $labels.instance }} lives but has not loaded its partitions for "
                "10 minutes: it waits for the database, for Kafka, or for a rebalance that "
                "does not end."
            ),
        ),
        hold="10m",
    )


def _heartbeats_stand() -> Alert:
    return platform_alert(
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
            Example(_READY | {_HEARTBEAT: f"60{STEADY}"}, INSTANCE),
            _READY | {_HEARTBEAT: "0+60x60"},
        ),
        hold="1m",
    )
