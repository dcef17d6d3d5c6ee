"""Values made fit for both databases: text without NUL and lone surrogates, finite numbers."""

import math

INTEGERS = range(-(2**63), 2**63)
"""What a 64-bit column holds."""


def fit_text(text: str) -> str:
    r"""The text with U+FFFD in place of what PostgreSQL or UTF-8 cannot hold.

    >>> ascii(fit_text("S\x00M")), ascii(fit_text("\ud83d!")), fit_text("size")
    ("'S\\ufffdM'", "'\\ufffd!'", 'size')
    """
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def fit_optional_text(text: str | None) -> str | None:
    """The same where there may be none."""
    return None if text is None else fit_text(text)


def finite(number: float | None) -> float | None:
    """The number, or ``None`` for NaN and infinities, which SQL averages would not survive.

    >>> finite(1.5), finite(float("nan"))
    (1.5, None)
    """
    return number if number is not None and math.isfinite(number) else None
