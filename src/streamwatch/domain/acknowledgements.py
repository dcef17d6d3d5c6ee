"""Acknowledgements: what a person said about an incident."""

from typing import Literal, get_args

import msgspec

AcknowledgementKind = Literal["expected", "client-error", "new-trend", "false-alarm"]
KINDS: tuple[AcknowledgementKind, ...] = get_args(AcknowledgementKind)

MEANING: dict[AcknowledgementKind, str] = {
    "expected": "it was to be expected: a sale, a holiday, a planned stop",
    "client-error": "the client sent it wrong",
    "new-trend": "this is the shop's new normal",
    "false-alarm": "nothing was wrong",
}
"""Kind → what choosing it says, for people."""

LONGEST_NOTE = 1_000
"""Characters of a note."""


class Acknowledgement(msgspec.Struct, frozen=True):
    """One person's word on one incident; rows are only ever added, so they are the audit too.

    Attributes:
        id: counts up.
        incident_id: the incident.
        kind: one of `KINDS`.
        note: free text, may be empty.
        who: the person, as far as it is known.
        at: when, milliseconds.
        silence: Alertmanager's id of the silence that stands for it; empty without one.
        silenced_until: when that silence ends unless it is renewed, milliseconds.
    """

    id: int
    incident_id: str
    kind: AcknowledgementKind
    note: str
    who: str
    at: int
    silence: str = ""
    silenced_until: int | None = None
