"""Writes the files of Prometheus and Grafana that the deployments need, from the code.

python dev/deployments.py                into deploy
python dev/deployments.py FOLDER         elsewhere, to compare
"""

# ruff: noqa: INP001  a script of its own, in no package

import sys
from pathlib import Path

from streamwatch.adapters.rule_files import Content, write_files
from streamwatch.adapters.settings.loading import load_settings
from streamwatch.rules.grafana import grafana_files
from streamwatch.rules.prometheus import RULES, SERVER, prometheus_files

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
DATA_SOURCE = "provisioning/datasources/streamwatch.yaml"


def main() -> None:
    """Write the files of Compose and of Kubernetes."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DEPLOY
    for kind, files in contents().items():
        write_files(folder, kind, files)


def contents() -> dict[str, dict[str, Content]]:
    """The sub-command of `streamwatch rules` → path under deploy → what stands there."""
    compose = load_settings(DEPLOY / "compose" / "streamwatch.yaml", {})
    cluster = load_settings(DEPLOY / "kubernetes" / "base" / "streamwatch.yaml", {})
    rule = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "streamwatch"},
        "spec": prometheus_files(cluster)[RULES],
    }
    return {
        "prometheus": {
            "compose/prometheus.yml": prometheus_files(compose)[SERVER],
            "kubernetes/monitoring/prometheusrule.yaml": rule,
        },
        "grafana": {"compose/datasource.yaml": grafana_files(compose)[DATA_SOURCE]},
    }


if __name__ == "__main__":
    main()
