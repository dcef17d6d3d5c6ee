"""What the judge reads: partials, heartbeats and acknowledgements, checked."""

import msgspec

from streamwatch.domain.cells import Cell
from streamwatch.domain.messages import Acknowledge, Heartbeat, Partial
from streamwatch.steps.calendar import LAST_MOMENT


class ReadPartial(Partial, frozen=True, tag="partial"):
    """A partial, and its cells as they came."""

    sent: bytes = b""


class _Received(msgspec.Struct, frozen=True, tag="partial"):
    """A `Partial` whose cells are not read yet."""

    event_type: str
    topic: str
    partition: int
    shop: str
    hour: int
    version: int
    newest: int
    cells: msgspec.Raw
    epoch: int = 0


_inputs: msgspec.msgpack.Decoder[_Received | Heartbeat | Acknowledge] = msgspec.msgpack.Decoder(
    _Received | Heartbeat | Acknowledge
)
_cells = msgspec.msgpack.Decoder(dict[str, Cell])


def read_input(value: bytes | None) -> ReadPartial | Heartbeat | Acknowledge | None:
    """A record of the readings topic, or ``None`` when it is none of the three."""
    try:
        message = _inputs.decode(value or b"")
        if not isinstance(message, _Received):
            return message
        cells = _cells.decode(message.cells)
    except (msgspec.DecodeError, ValueError):
        return None
    counts = (cell.count for cell in cells.values())
    if not 0 <= message.hour < LAST_MOMENT or any(count < 0 for count in counts):
        return None
    return ReadPartial(
        event_type=message.event_type,
        topic=message.topic,
        partition=message.partition,
        shop=message.shop,
        hour=message.hour,
        version=message.version,
        newest=message.newest,
        cells=cells,
        epoch=message.epoch,
        sent=bytes(message.cells),
    )
