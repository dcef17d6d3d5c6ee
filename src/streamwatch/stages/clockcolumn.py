"""Reading the times of many records at once.

Nearly all clients write ISO 8601, each always in one form, so that texts of one length can be read
as a table of digits. Whatever is written otherwise is read by itself, with `stages.when`.
"""

from collections.abc import Callable, Sequence
from datetime import date, tzinfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamwatch.domain.cells import DAY_MS
from streamwatch.domain.events import Time
from streamwatch.stages.columns import Ints
from streamwatch.stages.when import event_time_ms

UNREADABLE = -(2**62)
"""Stands for a time that cannot be read."""

FEWEST = 8
"""Texts of one form below which they are read one by one."""

_ORIGIN = date(1970, 1, 1).toordinal()
_MINUTE_MS = 60_000
_LARGEST = {
    "year": 9999, "month": 99, "day": 99, "hour": 23, "minute": 59, "second": 59,
    "micros": 999_999, "zone hour": 23, "zone minute": 59,
}  # fmt: skip
"""The largest number of each part of a moment, as far as it can be told from the part alone."""


class _Form(msgspec.Struct, frozen=True):
    """One way to write a moment.

    Attributes:
        shape: with a 0 for each digit.
        digits, marks: where digits stand, and all else but the zone's sign.
        weights: shape (parts, digits): what each digit adds to each part.
        sign: where the zone's sign stands; ``None`` if there is a Z.
    """

    shape: NDArray[np.uint8]
    digits: Ints
    marks: Ints
    weights: NDArray[np.float32]
    sign: int | None


def _form(fraction: int, *, signed: bool) -> _Form:
    decimals = "." + "f" * fraction if fraction else ""
    layout = "yyyyXmmXddXHHXMMXSS" + decimals.replace(".", "X") + ("XhhXii" if signed else "X")
    text = "0000-00-00T00:00:00" + decimals.replace("f", "0") + ("+00:00" if signed else "Z")
    digits = [at for at, part in enumerate(layout) if part != "X"]
    # In this type a product of matrices is quickest; no part has more than its 24 bits.
    weights = np.zeros((len(_LARGEST), len(digits)), dtype=np.float32)
    for part, letter in enumerate("ymdHMSfhi"):
        rows = [row for row, at in enumerate(digits) if layout[at] == letter]
        scale = 10.0 ** (6 - fraction) if letter == "f" else 1.0
        for power, row in enumerate(reversed(rows)):
            weights[part, row] = scale * 10.0**power
    sign = text.index("+") if signed else None
    marks = [at for at, part in enumerate(layout) if part == "X" and at != sign]
    return _Form(
        shape=np.frombuffer(text.encode(), dtype=np.uint8),
        digits=np.array(digits),
        marks=np.array(marks),
        weights=weights,
        sign=sign,
    )


_LARGEST_PARTS = np.array(list(_LARGEST.values()))[:, np.newaxis]

_FORMS = {
    len(form.shape): form
    for form in (_form(places, signed=signed) for places in (0, 3, 6) for signed in (False, True))
}


def event_times_ms(
    times: Sequence[Time], shops: Sequence[str], zone_of: Callable[[str], tzinfo]
) -> Ints:
    """As `stages.when.event_time_ms` reads each of them; `UNREADABLE` for ``None``.

    >>> from datetime import UTC
    >>> event_times_ms(["2026-09-01T10:00:00.500Z"] * 9, ["s"] * 9, lambda shop: UTC)[8].item()
    1788256800500
    """
    found = np.full(len(times), UNREADABLE, dtype=np.int64)
    if set(map(type, times)) == {str}:
        lengths = np.fromiter(map(len, times), np.int64, len(times))  # type: ignore[arg-type]
    else:
        lengths = np.array([len(time) if isinstance(time, str) else 0 for time in times])
    for length in np.flatnonzero(np.bincount(lengths) >= FEWEST).tolist():
        if length in _FORMS:
            rows = np.flatnonzero(lengths == length)
            texts = times if len(rows) == len(times) else [times[row] for row in rows.tolist()]
            found[rows] = _read(_FORMS[length], texts)  # type: ignore[arg-type]  # all are texts
    for row in np.flatnonzero(found == UNREADABLE).tolist():
        moment = event_time_ms(times[row], zone_of, shops[row])
        if moment is not None:
            found[row] = moment
    return found


def _read(form: _Form, texts: Sequence[str]) -> Ints:
    """The moments of texts of one length; `UNREADABLE` for each that has another form."""
    try:
        written = "".join(texts).encode("ascii")
    except UnicodeEncodeError:
        return np.full(len(texts), UNREADABLE, dtype=np.int64)
    table = np.frombuffer(written, dtype=np.uint8).reshape(len(texts), -1).T
    digits = table[form.digits] - np.uint8(ord("0"))
    has_form = np.all(digits < len("0123456789"), axis=0)
    has_form &= np.all(table[form.marks] == form.shape[form.marks][:, np.newaxis], axis=0)
    parts = (form.weights @ digits.astype(np.float32)).astype(np.int64)
    has_form &= np.all(parts <= _LARGEST_PARTS, axis=0)
    year, month, day, hour, minute, second, micros, zone_hour, zone_minute = parts
    minutes = hour * 60 + minute
    if form.sign is not None:
        signs = table[form.sign]
        has_form &= (signs == ord("+")) | (signs == ord("-"))
        minutes -= (zone_hour * 60 + zone_minute) * np.where(signs == ord("-"), -1, 1)
    moments: Ints = minutes * _MINUTE_MS + second * 1000 + (micros + 500) // 1000
    days = year * 10_000 + month * 100 + day
    for written_day in np.unique(days[has_form]).tolist():
        chosen = days == written_day
        begin = _day_ms(written_day)
        if begin is None:
            has_form &= ~chosen
        else:
            moments[chosen] += begin
    moments[~has_form] = UNREADABLE
    return moments


def _day_ms(day: int) -> int | None:
    """The start of a day that is written as the number YYYYMMDD; ``None`` if there is none."""
    try:
        ordinal = date(day // 10_000, day // 100 % 100, day % 100).toordinal()
    except ValueError:
        return None
    return (ordinal - _ORIGIN) * DAY_MS
