"""The files of Grafana: data source, dashboards, and where they lie."""

from streamwatch.domain.settings import Settings
from streamwatch.rules.alert import Tree
from streamwatch.rules.dashboards.fleet import fleet
from streamwatch.rules.dashboards.itself import itself
from streamwatch.rules.dashboards.pipeline import pipeline
from streamwatch.rules.dashboards.shop import shop

FOLDER = "/var/lib/grafana/dashboards/streamwatch"
"""Where Grafana's container or host has the folder ``dashboards``."""


def grafana_files(settings: Settings) -> dict[str, Tree]:
    """File name → its content; the dashboards are JSON, the provisioning is YAML."""
    return {
        "provisioning/datasources/streamwatch.yaml": _data_source(settings.alerting.prometheus),
        "provisioning/dashboards/streamwatch.yaml": _provider(),
        "dashboards/fleet.json": fleet(),
        "dashboards/shop.json": shop(),
        "dashboards/pipeline.json": pipeline(),
        "dashboards/itself.json": itself(),
    }


def _data_source(address: str) -> Tree:
    return {
        "apiVersion": 1,
        "datasources": [
            {
                "name": "streamwatch",
                "uid": "streamwatch",
                "type": "prometheus",
                "access": "proxy",
                "url": address,
                "editable": False,
            }
        ],
    }


def _provider() -> Tree:
    return {
        "apiVersion": 1,
        "providers": [
            {
                "name": "streamwatch",
                "folder": "streamwatch",
                "type": "file",
                "disableDeletion": True,
                "allowUiUpdates": False,
                "options": {"path": FOLDER},
            }
        ],
    }
