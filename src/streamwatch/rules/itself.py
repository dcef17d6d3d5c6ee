"""All alerts on streamwatch itself."""

from streamwatch.domain.alerting_settings import AlertingSettings
from streamwatch.rules.accounts import accounting_alerts
from streamwatch.rules.alert import Alert
from streamwatch.rules.database import database_alerts
from streamwatch.rules.output import output_alerts, watchdog
from streamwatch.rules.reading import reading_alerts
from streamwatch.rules.workers import worker_alerts


def itself_alerts(settings: AlertingSettings) -> list[Alert]:
    """All of them, the most urgent first."""
    return [
        *worker_alerts(),
        *database_alerts(),
        *reading_alerts(settings),
        *accounting_alerts(),
        *output_alerts(),
        watchdog(),
    ]
