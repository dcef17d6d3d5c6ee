"""``streamwatch rules``: the files of Prometheus, Alertmanager and Grafana."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import click

from streamwatch.adapters.rule_files import Content, write_files
from streamwatch.adapters.settings.loading import load_settings
from streamwatch.cli.output import OK, json_option, print_json, settings_option
from streamwatch.domain.settings import Settings
from streamwatch.rules.alertmanager import (
    CONFIGURATION,
    ROUTE_TESTS,
    alertmanager_configuration,
    route_tests,
)
from streamwatch.rules.grafana import grafana_files
from streamwatch.rules.prometheus import RULES, TESTS, prometheus_files

_PROMETHEUS_TIME = r"^[0-9]+(ms|s|m|h|d|w)$"


@click.group(
    epilog="\b\nExamples:\n"
    "  streamwatch rules prometheus -o deploy/prometheus\n"
    "  streamwatch rules alertmanager -o deploy/alertmanager\n"
    "  streamwatch rules grafana -o deploy/grafana\n"
    "  promtool test rules deploy/prometheus/streamwatch.rules-test.yml"
)
def command() -> None:
    """Make the files of Prometheus, Alertmanager and Grafana from the configuration."""


def _folder_option(function: Callable[..., int]) -> Callable[..., int]:
    option = click.option(
        "-o",
        "--output",
        "folder",
        type=click.Path(file_okay=False, path_type=Path),
        required=True,
        help="Folder for the files; made when missing, its files of these names replaced.",
    )
    return option(function)


def _time(_: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.match(_PROMETHEUS_TIME, value):
        raise click.BadParameter("write it like 30s, 2m or 1h", param=parameter)
    return value


@command.command(
    epilog="\b\nExamples:\n"
    "  streamwatch rules prometheus -o deploy/prometheus\n"
    "  streamwatch rules prometheus -o /tmp/try --for 0s --interval 1s    to try it out"
)
@_folder_option
@click.option(
    "--for", "hold", callback=_time, help="How long every alert must be true, for trials."
)
@click.option(
    "--interval",
    callback=_time,
    default="15s",
    show_default=True,
    help="Between two scrapes, and between two evaluations of the rules.",
)
@settings_option
@json_option
def prometheus(
    folder: Path, hold: str | None, interval: str, settings_file: str | None, as_json: bool
) -> int:
    """Write prometheus.yml, the recording and alert rules, and their tests for promtool."""
    settings = _settings(settings_file)
    if urlsplit(settings.alertmanager.url).username:
        click.echo(
            "the user and password of alertmanager.url are not written; give Prometheus its own "
            "under basic_auth of the alertmanagers in prometheus.yml",
            err=True,
        )
    files = prometheus_files(settings, hold, interval)
    hint = f"check with: promtool check rules {folder / RULES}"
    hint += f" && promtool test rules {folder / TESTS}"
    return _write(folder, "prometheus", files, hint, as_json)


@command.command(
    epilog="\b\nExamples:\n"
    "  streamwatch rules alertmanager -o deploy/alertmanager\n"
    "  sh deploy/alertmanager/routes-test.sh"
)
@_folder_option
@click.option("--wait", callback=_time, help="How long a group waits to be told, for trials.")
@settings_option
@json_option
def alertmanager(folder: Path, wait: str | None, settings_file: str | None, as_json: bool) -> int:
    """Write alertmanager.yml (routes, grouping, inhibition), and tests of the routes for amtool."""
    settings = _settings(settings_file)
    if not settings.alerting.receivers:
        click.echo(
            "nobody is told yet: alerts show on Alertmanager's page only; name webhooks under "
            "alerting.receivers in streamwatch.yaml (page, ticket, client, platform-page, …)",
            err=True,
        )
    files: dict[str, Content] = {
        CONFIGURATION: alertmanager_configuration(settings, wait),
        ROUTE_TESTS: route_tests(settings),
    }
    hint = f"check with: amtool check-config {folder / CONFIGURATION}"
    hint += f" && sh {folder / ROUTE_TESTS}"
    return _write(folder, "alertmanager", files, hint, as_json)


@command.command(epilog="\b\nExample:\n  streamwatch rules grafana -o deploy/grafana")
@_folder_option
@settings_option
@json_option
def grafana(folder: Path, settings_file: str | None, as_json: bool) -> int:
    """Write Grafana's provisioning: the data source, and four dashboards."""
    hint = (
        f"next: mount {folder / 'provisioning'} as Grafana's provisioning folder, and "
        f"{folder / 'dashboards'} as /var/lib/grafana/dashboards/streamwatch"
    )
    return _write(folder, "grafana", grafana_files(_settings(settings_file)), hint, as_json)


def _write(folder: Path, kind: str, files: Mapping[str, Content], hint: str, as_json: bool) -> int:
    paths = write_files(folder, kind, files)
    if as_json:
        print_json({"folder": str(folder), "files": [str(path) for path in paths]})
        return OK
    for path in paths:
        click.echo(str(path))
    click.echo(hint, err=True)
    return OK


def _settings(file: str | None) -> Settings:
    return load_settings(Path(file) if file else None, os.environ)
