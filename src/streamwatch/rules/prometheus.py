"""The files of Prometheus: scraping, rules, and the rules' tests."""

from urllib.parse import urlsplit

from streamwatch.domain.settings import Settings
from streamwatch.rules.alert import Alert, Place, Tree, rule, tests
from streamwatch.rules.itself import itself_alerts
from streamwatch.rules.pipeline import pipeline_departure
from streamwatch.rules.platform import JOB
from streamwatch.rules.recording import recording_rules
from streamwatch.rules.shops import shop_alerts

RULES = "streamwatch.rules.yml"
TESTS = "streamwatch.rules-test.yml"
SERVER = "prometheus.yml"
USUAL_ALERTMANAGER = "http://127.0.0.1:9093"
"""Where Alertmanager listens unless it is told otherwise."""


def all_alerts(settings: Settings) -> list[Alert]:
    """Every alert, those on shops first."""
    alerting = settings.alerting
    return [pipeline_departure(alerting), *shop_alerts(), *itself_alerts(alerting)]


def prometheus_files(
    settings: Settings, hold: str | None = None, interval: str = "15s"
) -> dict[str, Tree]:
    """File name → its content.

    Args:
        settings: the configuration.
        hold: replaces how long every alert must be true; for trying things out.
        interval: between two scrapes, and between two evaluations of the rules.
    """
    alerting = settings.alerting
    place = Place(
        runbooks=alerting.runbooks.rstrip("/"),
        grafana=alerting.grafana.rstrip("/"),
        pages=alerting.pages.rstrip("/"),
        hold=hold,
    )
    pipeline, shops = pipeline_departure(alerting), shop_alerts()
    itself = itself_alerts(alerting)
    groups = [
        {"name": "streamwatch-recorded", "rules": recording_rules()},
        {"name": "streamwatch-shops", "rules": [rule(one, place) for one in (pipeline, *shops)]},
        {"name": "streamwatch-itself", "rules": [rule(one, place) for one in itself]},
    ]
    found = [test for one in (pipeline, *shops, *itself) for test in tests(one, place)]
    return {
        SERVER: _server(settings, interval),
        RULES: {"groups": groups},
        TESTS: {"rule_files": [RULES], "evaluation_interval": "1m", "tests": found},
    }


def _server(settings: Settings, interval: str) -> Tree:
    targets = list(settings.alerting.targets)
    if not targets:
        host = settings.metrics_host
        targets = [f"{f'[{host}]' if ':' in host else host}:{settings.metrics_port}"]
    return {
        "global": {"scrape_interval": interval, "evaluation_interval": interval},
        "rule_files": [RULES],
        "alerting": {"alertmanagers": [_alertmanager(settings.alertmanager.url)]},
        "scrape_configs": [{"job_name": JOB, "static_configs": [{"targets": targets}]}],
    }


def _alertmanager(url: str) -> Tree:
    """Where Prometheus sends alerts: a user and a password in the address are left out."""
    address = urlsplit(url or USUAL_ALERTMANAGER)
    port = address.port or (443 if address.scheme == "https" else 80)
    host = f"[{address.hostname}]" if ":" in str(address.hostname) else address.hostname
    found: Tree = {"static_configs": [{"targets": [f"{host}:{port}"]}]}
    if address.scheme == "https":
        found["scheme"] = "https"
    if path := address.path.rstrip("/"):
        found["path_prefix"] = path
    return found
