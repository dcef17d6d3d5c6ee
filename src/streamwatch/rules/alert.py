"""An alert: when it fires, who is told, in which words; and the example that its test runs."""

from typing import Any, Literal
from urllib.parse import quote_plus

import msgspec

Severity = Literal["page", "ticket", "info", "none"]
"""``page`` wakes somebody, ``ticket`` waits for the day, ``info`` is only shown; ``none`` is the
signal that alerting itself works."""

PLATFORM = "platform"
"""The origin of what is wrong with streamwatch itself or with the whole pipeline."""

Tree = dict[str, Any]
"""A document of mappings, lists and plain values."""


class Example(msgspec.Struct, frozen=True):
    """Series that make an alert fire, and what it then says.

    Attributes:
        series: a series → its values in promtool's notation, one a minute.
        labels: the labels of the alert besides its own fixed ones.
        summary, description: as the person reads them; ``None`` takes the alert's own with the
            labels filled in.
        minutes: when the test looks, from the start of the series.
    """

    series: dict[str, str]
    labels: dict[str, str] = {}
    summary: str | None = None
    description: str | None = None
    minutes: int = 22


class Alert(msgspec.Struct, frozen=True):
    """One alert rule.

    Attributes:
        name: in CamelCase; its runbook is ``docs/runbooks/<name>.md``.
        expr: PromQL.
        severity: who is told, and when.
        summary: one line; ``{{ $labels.shop }}`` and the like are filled in.
        description: plain words: what, against what was expected, since when, what now.
        dashboard: path of the dashboard that shows it, with its variables.
        page: path of the page of `streamwatch web` that shows it; empty where none does.
        fires, quiet: examples for the tests; the quiet series make nothing fire, and are empty
            for the one alert that always fires.
        hold: how long it must be true, such as ``2m``.
        keep: how long it goes on firing after the condition ended, over short gaps.
        labels: fixed labels besides severity.
    """

    name: str
    expr: str
    severity: Severity
    summary: str
    description: str
    dashboard: str
    fires: Example
    quiet: dict[str, str]
    page: str = ""
    hold: str = "2m"
    keep: str = ""
    labels: dict[str, str] = {}


class Place(msgspec.Struct, frozen=True):
    """Where the links of alerts lead, and what replaces their own durations.

    Attributes:
        runbooks, grafana: addresses without a last slash.
        hold: replaces the ``for`` of every alert and drops ``keep_firing_for``; ``None`` leaves
            each its own.
    """

    runbooks: str
    grafana: str
    pages: str
    hold: str | None = None


def rule(alert: Alert, place: Place) -> Tree:
    """The alert as a rule of Prometheus."""
    found: Tree = {
        "alert": alert.name,
        "expr": alert.expr,
        "for": alert.hold if place.hold is None else place.hold,
    }
    if alert.keep and place.hold is None:
        found["keep_firing_for"] = alert.keep
    return found | {
        "labels": fixed_labels(alert),
        "annotations": {
            "summary": alert.summary,
            "description": alert.description,
            **_links(alert, place),
        },
    }


def tests(alert: Alert, place: Place) -> list[Tree]:
    """The alert's tests for promtool: it fires with these words, and keeps quiet."""
    example = alert.fires
    labels = fixed_labels(alert) | example.labels
    shown = {
        "summary": example.summary or filled_in(alert.summary, labels),
        "description": example.description or filled_in(alert.description, labels),
        **{name: filled_in(link, labels) for name, link in _links(alert, place).items()},
    }
    expected = [{"exp_labels": labels, "exp_annotations": shown}]
    found = [_test(alert, "fires", example.series, expected)]
    if alert.quiet:
        found.append(_test(alert, "keeps quiet", alert.quiet, []))
    return found


def _links(alert: Alert, place: Place) -> dict[str, str]:
    """Annotation → where it leads, as a template."""
    links = {
        "runbook_url": f"{place.runbooks}/{alert.name}.md",
        "dashboard_url": place.grafana + alert.dashboard,
    }
    return links | ({"incident_url": place.pages + alert.page} if alert.page else {})


def fixed_labels(alert: Alert) -> dict[str, str]:
    """The labels that every instance of the alert carries."""
    return {"severity": alert.severity, **alert.labels}


def filled_in(template: str, labels: dict[str, str]) -> str:
    """A template with its labels filled in, as Prometheus does it.

    >>> filled_in("{{ $labels.topic }} is late", {"topic": "purchase"})
    'purchase is late'
    """
    for name, value in labels.items():
        for end in (" }}", " | urlquery }}"):
            filled = quote_plus(value) if "urlquery" in end else value
            template = template.replace("{{ $labels." + name + end, filled)
    return template


def _test(alert: Alert, name: str, series: dict[str, str], expected: list[Tree]) -> Tree:
    return {
        "name": f"{alert.name} {name}",
        "interval": "1m",
        "input_series": [{"series": one, "values": values} for one, values in series.items()],
        "alert_rule_test": [
            {
                "eval_time": f"{alert.fires.minutes}m",
                "alertname": alert.name,
                "exp_alerts": expected,
            }
        ],
    }
