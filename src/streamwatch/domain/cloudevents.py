"""An incident as a CloudEvent 1.0: the attributes that go beside its JSON.

In binary mode they are headers: ``ce_id`` and so on in Kafka, ``ce-id`` in HTTP, with
``content-type`` in both.
"""

from datetime import UTC, datetime
from typing import Final

from streamwatch.domain.incidents import Incident

SOURCE: Final = "/streamwatch/fleet"
JSON: Final = "application/json"


def attributes(incident: Incident) -> dict[str, str]:
    """The attributes; the same ``id`` is the same state of the same incident."""
    return {
        "specversion": "1.0",
        "id": f"{incident.id}/{incident.revision}",
        "source": SOURCE,
        "type": f"streamwatch.incident.{incident.status}",
        "subject": incident.key.shop,
        "time": datetime.fromtimestamp(incident.updated_at / 1000, UTC).isoformat(),
    }


def kafka_headers(incident: Incident) -> tuple[tuple[str, bytes], ...]:
    """The headers of a Kafka record in binary mode."""
    named = (
        (f"ce_{name}", value.encode("utf-8", "replace"))
        for name, value in attributes(incident).items()
    )
    return (*named, ("content-type", JSON.encode()))
