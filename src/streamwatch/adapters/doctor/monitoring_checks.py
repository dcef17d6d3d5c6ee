"""The mistakes that people make with Prometheus and Alertmanager."""

from collections.abc import Iterator

from streamwatch.adapters.doctor.check import Advice, Check
from streamwatch.adapters.doctor.monitoring_facts import MonitoringFacts

_NAMED = 5


def _port(facts: MonitoringFacts) -> Iterator[Advice]:
    if facts.metrics == "other":
        yield Advice(
            f"another program answers at {facts.metrics_address}, where /metrics is to be served",
            "a worker does not start when its port is taken",
            "set metrics_port (STREAMWATCH_METRICS_PORT) to a free one",
            "error",
        )


def _prometheus(facts: MonitoringFacts) -> Iterator[Advice]:
    if facts.targets is None:
        yield Advice(
            f"Prometheus does not answer at {facts.prometheus_url}",
            "without it nobody is told of an incident, unless by the webhook",
            "start it, or put alerting.prometheus right",
        )


def _scraped(facts: MonitoringFacts) -> Iterator[Advice]:
    if facts.targets is None:
        return
    for target in facts.wanted_targets:
        health, error = facts.targets.get(target, ("", ""))
        if not health:
            yield Advice(
                f"Prometheus does not scrape {target}",
                "alerts are made of what it scrapes, so that this worker can raise none",
                "run: streamwatch rules prometheus -o DIR, and have it read prometheus.yml",
                "error",
            )
        elif health == "down" and facts.metrics == "streamwatch":
            yield Advice(
                f"Prometheus cannot scrape {target}: {error}",
                "alerts are made of what it scrapes, so that this worker can raise none",
                "set metrics_host to an address that Prometheus reaches, and check firewalls",
                "error",
            )


def _rules(facts: MonitoringFacts) -> Iterator[Advice]:
    if facts.rules is None:
        return
    missing = sorted(facts.wanted_rules.keys() - facts.rules.keys())
    if missing:
        yield Advice(
            f"{len(missing)} of {len(facts.wanted_rules)} rules are not loaded into Prometheus: "
            f"{_some(missing)}",
            "what has no rule alerts nobody",
            "run: streamwatch rules prometheus -o DIR, and name streamwatch.rules.yml under "
            "rule_files",
            "error",
        )


def _stale(facts: MonitoringFacts) -> Iterator[Advice]:
    if facts.rules is None:
        return
    loaded = facts.rules
    stale = sorted(
        name
        for name, expression in facts.wanted_rules.items()
        if name in loaded and loaded[name] != expression
    )
    if stale:
        yield Advice(
            f"Prometheus has older rules than these settings make: {_some(stale)}",
            "an alert then fires by limits that hold no more",
            "run: streamwatch rules prometheus -o DIR, and reload Prometheus",
        )


def _sends(facts: MonitoringFacts) -> Iterator[Advice]:
    if facts.alertmanagers is not None and not facts.alertmanagers:
        yield Advice(
            "Prometheus knows no Alertmanager",
            "its alerts stand on its own page and reach nobody",
            "run: streamwatch rules prometheus -o DIR, and have it read prometheus.yml",
            "error",
        )


def _routes(facts: MonitoringFacts) -> Iterator[Advice]:
    if facts.receivers is None:
        if facts.alertmanagers:
            yield Advice(
                f"Alertmanager does not answer at {facts.alertmanager_url}",
                "alerts reach nobody, and acknowledged incidents are not silenced",
                "start it, or put alertmanager.url right",
            )
        return
    missing = sorted(set(facts.wanted_receivers) - set(facts.receivers))
    if missing:
        yield Advice(
            f"Alertmanager has no route to {_some(missing)}",
            "such alerts go to its default receiver, or to nobody",
            "run: streamwatch rules alertmanager -o DIR, and take its routes over",
        )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


MONITORING: tuple[Check[MonitoringFacts], ...] = (
    Check("metrics-port", "the port of /metrics is free, or a worker's", _port),
    Check("prometheus", "Prometheus answers", _prometheus),
    Check("scraped", "Prometheus scrapes every worker", _scraped),
    Check("rules-loaded", "every rule is loaded", _rules),
    Check("rules-stale", "the loaded rules are those of these settings", _stale),
    Check("alertmanager", "Prometheus sends to Alertmanager", _sends),
    Check("routes", "Alertmanager has a route for every alert", _routes),
)
