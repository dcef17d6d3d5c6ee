"""What becomes of a record that is not counted: data, never an exception."""

from typing import Literal

import msgspec

STAGES = ("decode", "validate", "normalise", "pseudonymise", "segment", "aggregate")
"""The built-in stages in their order; the names are file names, tap keys and labels too."""

Stage = str


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """A record that a stage refused, and why.

    Attributes:
        kind: ``dead-letter`` when not even its fields can be read, else ``reject``.
        stage: the stage that refused it.
        reason: a short code, such as ``wrong-type`` or a rule's own.
        field: the field that it is about, or the empty string.
        event_id, shop: of the record, as far as they could be read.
    """

    kind: Literal["reject", "dead-letter"]
    stage: Stage
    reason: str
    field: str = ""
    event_id: str | None = None
    shop: str | None = None
