"""The origin of an incident, from those of its buckets' verdicts."""

from typing import Protocol

import msgspec

from streamwatch.domain.incidents import Incident

CLIENT = "client"
UNDETERMINED = "undetermined"


class Blamed(Protocol):
    """What a verdict said about where its departure came in."""

    @property
    def origin(self) -> str:
        """``client``, a stage, ``undetermined`` or empty."""
        ...

    @property
    def hypothesis(self) -> str:
        """What may have been done to the values."""
        ...

    @property
    def origin_reason(self) -> str:
        """The numbers behind the origin."""
        ...


def with_origin(incident: Incident, blamed: Blamed, *, worst: bool) -> Incident:
    """The incident after one more unusual bucket, which is the worst so far or not.

    A determined origin takes the place of an undetermined one, and that of the worst bucket the
    place of another. But once a stage of ours was at fault, the client is not accused.
    """
    if not blamed.origin:
        return incident
    if incident.origin not in ("", UNDETERMINED):
        cleared = blamed.origin == CLIENT and incident.origin != CLIENT
        if not worst or blamed.origin == UNDETERMINED or cleared:
            return incident
    elif incident.origin and blamed.origin == UNDETERMINED and not worst:
        return incident
    return msgspec.structs.replace(
        incident,
        origin=blamed.origin,
        hypothesis=blamed.hypothesis,
        origin_reason=blamed.origin_reason,
    )
