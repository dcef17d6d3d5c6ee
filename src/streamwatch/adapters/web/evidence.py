"""The evidence pack of an incident whose origin is the client, as an archive in memory."""

import io
import zipfile

from sqlalchemy import Engine

from streamwatch.adapters.diagnosing import diagnose_incident, evidence_of
from streamwatch.adapters.evidence_pdf import pdf_of
from streamwatch.diagnosis.evidence import files
from streamwatch.diagnosis.origin import CLIENT
from streamwatch.domain.incidents import Incident
from streamwatch.domain.settings import Settings

_EPOCH = (1980, 1, 1, 0, 0, 0)


def may_have_evidence(incident: Incident) -> bool:
    """Whether a page offers the pack; whether there is one, only the diagnosis can tell."""
    return incident.origin == CLIENT and not incident.is_fleet


def evidence_archive(
    engine: Engine, settings: Settings, incident: Incident, now_ms: int
) -> bytes | None:
    """The archive that `streamwatch evidence` writes; ``None`` if the client is not the origin.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    if not may_have_evidence(incident):
        return None
    report = diagnose_incident(engine, incident, settings)
    if report.found.origin.name != CLIENT:
        return None
    found = files(evidence_of(engine, incident, report, settings, now_ms), pdf_of)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(found):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), found[name])
    return packed.getvalue()
