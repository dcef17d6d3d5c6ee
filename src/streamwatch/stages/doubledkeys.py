"""Whether a JSON object has a key twice, of which the decoder keeps the last and says nothing.

Reading the text a second time tells it, but takes several times as long as reading it once.
Counting tells it for nearly every record: each key has a colon behind it, so there are no more
keys than colons outside of texts, and no fewer than fields that were found.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamwatch.domain.events import Received, Time

_fields_of = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_COLON, _BACKSLASH = b":\\"  # as numbers: they are found in a fifth of the time
_SPACE_BEFORE_COLON = re.compile(rb'"[ \t\r\n]+:')


def is_surely_single(value: bytes, event: Received) -> bool:
    """Whether no key stands twice; ``False`` says nothing.

    Args:
        value: a JSON object.
        event: what the decoder made of it.

    >>> from streamwatch.domain.events import ReceivedReturn
    >>> is_surely_single(b'{"event_id":"a","shop":"s"}', ReceivedReturn("a", "s"))
    True
    >>> is_surely_single(b'{"event_id":"a","shop":"r","shop":"s"}', ReceivedReturn("a", "s"))
    False
    """
    if _BACKSLASH in value:  # an escaped colon stands in a text, but is none of those counted
        return False
    fields, time = msgspec.structs.astuple(event), event.time
    in_time = time.count(":") if isinstance(time, str) else 0
    return value.count(_COLON) - in_time == len(fields) - fields.count(None)


def are_surely_single(
    values: Sequence[bytes], times: Sequence[Time], fields: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """`is_surely_single` of many JSON objects at once, shape (n,).

    Args:
        values: n of them; of an empty one nothing is sure.
        times: what the decoder found as their event times.
        fields: shape (n,): how many fields it found in each.

    >>> values = [b'{"shop":"s"}', b'{"shop":"r","shop":"s"}']
    >>> are_surely_single(values, [None, None], np.ones(2, np.int64)).tolist()
    [True, False]
    """
    in_times = np.array([time.count(":") if isinstance(time, str) else 0 for time in times])
    colons = np.array([value.count(_COLON) for value in values])
    single: NDArray[np.bool_] = colons - in_times == fields
    if any(_BACKSLASH in value for value in values):
        single &= np.array([_BACKSLASH not in value for value in values])
    return single


def has_doubled_key(value: bytes, keys: int | None = None) -> bool:
    """Whether any object of a JSON text has a key twice.

    Args:
        value: a JSON object.
        keys: how many different ones it has itself, if that is known.

    >>> has_doubled_key(b'{"a":1,"a":2}'), has_doubled_key(b'{"a":{"a":1}}')
    (True, False)
    """
    if keys is None:
        keys = len(_fields_of(value))
    # Behind a quote a colon ends a key, or it begins a text: no fewer than keys again.
    if value.count(b'":') == keys and not _SPACE_BEFORE_COLON.search(value):
        return False
    return _read_whole(value)


def _read_whole(value: bytes) -> bool:
    found = False

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal found
        result = dict(items)
        found = found or len(result) != len(items)
        return result

    json.loads(value, object_pairs_hook=pairs)
    return found
