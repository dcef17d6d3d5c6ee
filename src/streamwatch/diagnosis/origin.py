"""What a diagnosis says about where a departure came in."""

import msgspec

from streamwatch.diagnosis.normal import Part

CLIENT = "client"
UNDETERMINED = "undetermined"


class Origin(msgspec.Struct, frozen=True):
    """Where a departure came in.

    Attributes:
        name: ``client``, a stage's name, or ``undetermined``.
        reason: the numbers behind it, in words for a person.
        shift: how far the final value departs, in the KPI's unit.
        parts: what each stage contributes; they add up to ``shift``.
    """

    name: str
    reason: str
    shift: float = 0.0
    parts: tuple[Part, ...] = ()


def undetermined(reason: str, shift: float = 0.0, parts: tuple[Part, ...] = ()) -> Origin:
    """Too little to accuse anybody."""
    return Origin(UNDETERMINED, reason, shift, parts)
