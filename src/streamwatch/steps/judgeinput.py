"""What the judge reads: partials, heartbeats and acknowledgements, checked."""

import msgspec

from streamwatch.domain.messages import JudgeInput, Partial
from streamwatch.steps.calendar import LAST_MOMENT

_inputs: msgspec.msgpack.Decoder[JudgeInput] = msgspec.msgpack.Decoder(JudgeInput)


def read_input(value: bytes | None) -> JudgeInput | None:
    """A record of the readings topic, or ``None`` when it is none of the three."""
    try:
        message = _inputs.decode(value or b"")
    except (msgspec.DecodeError, ValueError):
        return None
    if isinstance(message, Partial) and not _is_possible(message):
        return None
    return message


def _is_possible(partial: Partial) -> bool:
    counts = (cell.count for cell in partial.cells.values())
    return 0 <= partial.hour < LAST_MOMENT and all(count >= 0 for count in counts)
