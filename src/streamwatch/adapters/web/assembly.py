"""The site of a configuration: database, Alertmanager, Kafka, runbooks, diagnosis and evidence."""

from collections.abc import Callable
from functools import partial

from sqlalchemy import Engine

from streamwatch.adapters.alertmanager import Alertmanager
from streamwatch.adapters.diagnosing import diagnose_incident
from streamwatch.adapters.kafka.acknowledged import publish_acknowledgements
from streamwatch.adapters.web.access import Access
from streamwatch.adapters.web.evidence import evidence_archive
from streamwatch.adapters.web.runbooks import runbook
from streamwatch.adapters.web.site import Site
from streamwatch.diagnosis.report import Report
from streamwatch.diagnosis.telling import told
from streamwatch.domain.incidents import Incident
from streamwatch.domain.settings import Settings


def assemble_site(
    settings: Settings, engine: Engine, access: Access, now_ms: Callable[[], int]
) -> Site:
    """The pages with all that the configuration gives them."""

    def evidence(incident: Incident) -> bytes | None:
        return evidence_archive(engine, settings, incident, now_ms())

    def diagnose(incident: Incident) -> Report:
        return told(diagnose_incident(engine, incident, settings))

    alertmanager = settings.alertmanager
    return Site(
        engine=engine,
        access=access,
        now_ms=now_ms,
        silencer=Alertmanager(alertmanager.url) if alertmanager.url else None,
        silence_ms=alertmanager.silence,
        runbook=runbook,
        evidence=evidence,
        diagnose=diagnose,
        tell=partial(publish_acknowledgements, settings.kafka),
    )
