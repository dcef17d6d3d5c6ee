"""What the doctor asks Prometheus, Alertmanager and the worker's own /metrics."""

import json
import re
import socket
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any

import msgspec
import yaml

from streamwatch.domain.settings import Settings
from streamwatch.rules.alertmanager import alertmanager_configuration
from streamwatch.rules.prometheus import RULES, SERVER, USUAL_ALERTMANAGER, prometheus_files

PATIENCE_S = 3.0
MOST_BYTES = 32 << 20
OURS = b"streamwatch_"
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_SELECTOR = re.compile(rf"\{{((?:[^{{}}\"]|{_QUOTED})*)\}}")
_MATCHER = re.compile(rf"\w+\s*[=!~]+\s*{_QUOTED}")


class MonitoringFacts(msgspec.Struct, frozen=True):
    """What is known of the alerting; ``None`` where nobody answers.

    Attributes:
        metrics: ``streamwatch``, ``other`` or ``nobody``: who answers at the metrics port.
        metrics_address: ``host:port`` of it.
        wanted_targets: the addresses that Prometheus ought to scrape.
        targets: address → health and the last error, of Prometheus's active targets.
        wanted_rules, rules: name of a rule → its expression, as generated and as loaded.
        alertmanagers: those that Prometheus sends to.
        wanted_receivers, receivers: of Alertmanager's routes, as generated and as loaded.
    """

    metrics: str
    metrics_address: str
    prometheus_url: str
    alertmanager_url: str
    wanted_targets: tuple[str, ...] = ()
    targets: Mapping[str, tuple[str, str]] | None = None
    wanted_rules: Mapping[str, str] = {}
    rules: Mapping[str, str] | None = None
    alertmanagers: tuple[str, ...] | None = None
    wanted_receivers: tuple[str, ...] = ()
    receivers: tuple[str, ...] | None = None


def ask_monitoring(settings: Settings) -> MonitoringFacts:
    """Everything that the checks need; whoever does not answer is left ``None``."""
    files = prometheus_files(settings)
    prometheus = settings.alerting.prometheus.rstrip("/")
    alertmanager = (settings.alertmanager.url or USUAL_ALERTMANAGER).rstrip("/")
    host, port = settings.metrics_host, settings.metrics_port
    targets = _json(f"{prometheus}/api/v1/targets?state=active")
    rules = _json(f"{prometheus}/api/v1/rules")
    senders = _json(f"{prometheus}/api/v1/alertmanagers")
    status = _json(f"{alertmanager}/api/v2/status")
    return MonitoringFacts(
        metrics=_who_answers(host, port),
        metrics_address=f"{host}:{port}",
        prometheus_url=prometheus,
        alertmanager_url=alertmanager,
        wanted_targets=tuple(files[SERVER]["scrape_configs"][0]["static_configs"][0]["targets"]),
        targets=None if targets is None else _targets(targets),
        wanted_rules=dict(_rules(files[RULES]["groups"], "expr")),
        rules=None if rules is None else dict(_rules(rules["data"]["groups"], "query")),
        alertmanagers=None if senders is None else _senders(senders),
        wanted_receivers=_receivers(alertmanager_configuration(settings)),
        receivers=None if status is None else _loaded_receivers(status),
    )


def _who_answers(host: str, port: int) -> str:
    if port == 0:
        return "nobody"
    try:
        socket.create_connection((host, port), PATIENCE_S).close()
    except OSError:
        return "nobody"
    body = _body(f"http://{f'[{host}]' if ':' in host else host}:{port}/metrics")
    return "streamwatch" if body is not None and OURS in body else "other"


def _targets(answer: Any) -> dict[str, tuple[str, str]]:
    return {
        urllib.parse.urlsplit(one["scrapeUrl"]).netloc: (one["health"], one["lastError"])
        for one in answer["data"]["activeTargets"]
    }


def _rules(groups: Any, key: str) -> list[tuple[str, str]]:
    return [
        (rule.get("alert") or rule.get("record") or rule.get("name"), canonical(rule[key]))
        for group in groups
        for rule in group["rules"]
    ]


def canonical(expression: str) -> str:
    """An expression as it compares with Prometheus's own way of writing it.

    Blanks and empty parentheses go, and the matchers of a selector come in order.

    >>> canonical('a{ b="1", a="2" } / on (x) group_left () c')
    'a{a="2",b="1"}/on(x)group_leftc'
    """
    ordered = _SELECTOR.sub(
        lambda found: f"{{{','.join(sorted(_MATCHER.findall(found[1])))}}}", expression
    )
    return "".join(ordered.split()).replace("()", "")


def _senders(answer: Any) -> tuple[str, ...]:
    found = answer["data"]["activeAlertmanagers"]
    return tuple(urllib.parse.urlsplit(one["url"]).netloc for one in found)


def _loaded_receivers(status: Any) -> tuple[str, ...]:
    return _receivers(yaml.safe_load(status["config"]["original"]) or {})


def _receivers(configuration: Mapping[str, Any]) -> tuple[str, ...]:
    """The receivers that any route leads to."""
    names: list[str] = []
    waiting = [configuration.get("route") or {}]
    while waiting:
        route = waiting.pop()
        names += [route["receiver"]] if "receiver" in route else []
        waiting += route.get("routes") or ()
    return tuple(sorted(set(names)))


def _json(url: str) -> Any:
    body = _body(url)
    try:
        return None if body is None else json.loads(body)
    except ValueError:
        return None


def _body(url: str) -> bytes | None:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:  # noqa: S310  # settings take http and https only
            body: bytes = answer.read(MOST_BYTES)
            return body
    except urllib.error.HTTPError as error:
        error.close()
        return None
    except (OSError, HTTPException, ValueError):
        return None
