"""Single values as people write them: numbers, yes or no, lengths of time, shares."""

import math
import re

from streamwatch.adapters.yaml.located import Scalar

UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
"""Letters of a length of time → milliseconds."""

SIZES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
"""Letters of a size → bytes."""

SIZE_PATTERN = r"^[0-9]{1,12}(B|kB|MB|GB|TB)$"
DURATION_PATTERN = r"^[0-9]{1,12}(ms|s|m|h|d|w)$"
SHARE_PATTERN = r"^[0-9]{1,3}(\.[0-9]{1,12})?%$"
_WHOLE = re.compile(r"[-+]?[0-9]{1,18}")
_GROUPED = re.compile(r"[-+]?[0-9]{1,3}(_[0-9]{3}){1,5}")
_NUMBER = re.compile(r"[-+]?([0-9]{1,18}(\.[0-9]{0,25})?|\.[0-9]{1,25})([eE][-+]?[0-9]{1,3})?")


def whole_number(scalar: Scalar) -> int | None:
    """A whole number such as ``5000`` or ``5_000``, or ``None``."""
    text = scalar.text
    right = scalar.plain and (_WHOLE.fullmatch(text) or _GROUPED.fullmatch(text))
    return int(text) if right else None


def number(scalar: Scalar) -> float | None:
    """A finite number, or ``None``."""
    whole = whole_number(scalar)
    if whole is not None:
        return float(whole)
    if not scalar.plain or not _NUMBER.fullmatch(scalar.text):
        return None
    value = float(scalar.text)
    return value if math.isfinite(value) else None


def truth(scalar: Scalar) -> bool | None:
    """``true`` or ``false``, or ``None``."""
    return {"true": True, "false": False}.get(scalar.text.lower()) if scalar.plain else None


def duration(scalar: Scalar) -> int | None:
    """Milliseconds of a length of time such as ``90s`` or ``8d``, or ``None``."""
    if not re.match(DURATION_PATTERN, scalar.text) or scalar.text.endswith("\n"):
        return None
    digits = scalar.text.rstrip("mshdw")
    return int(digits) * UNITS[scalar.text[len(digits) :]]


def share(scalar: Scalar) -> float | None:
    """A share such as ``1%`` or ``0.01``, or ``None``."""
    if re.fullmatch(SHARE_PATTERN[1:-1], scalar.text):
        return float(scalar.text[:-1]) / 100
    return number(scalar)


def size(scalar: Scalar) -> int | None:
    """Bytes of a size such as ``500kB`` or ``2GB``, or ``None``."""
    if not re.fullmatch(SIZE_PATTERN[1:-1], scalar.text):
        return None
    digits = scalar.text.rstrip("kMGTB")
    return int(digits) * SIZES[scalar.text[len(digits) :]]


def written_size(count: float) -> str:
    """How a file writes a size, in the largest unit that is exact.

    >>> written_size(10_000_000), written_size(1_500)
    ('10MB', '1500B')
    """
    for unit in ("TB", "GB", "MB", "kB"):
        if count and count % SIZES[unit] == 0:
            return f"{int(count // SIZES[unit])}{unit}"
    return f"{int(count)}B"


def written_duration(milliseconds: float) -> str:
    """How a file writes a length of time, in the largest unit that is exact below weeks.

    >>> written_duration(691_200_000), written_duration(90_000)
    ('8d', '90s')
    """
    for unit in ("d", "h", "m", "s"):
        if milliseconds and milliseconds % UNITS[unit] == 0:
            return f"{int(milliseconds // UNITS[unit])}{unit}"
    return f"{int(milliseconds)}ms"
