"""Label values: escaped, and short enough."""

import hashlib
from functools import lru_cache

LONGEST = 200
"""Characters of the longest label value."""

_DIGITS = 8


@lru_cache(maxsize=8_192)
def short(text: str) -> str:
    """The text as a label value: 200 characters at most, and valid UTF-8.

    What is cut ends with a hash of the whole, so that two long names stay two series.

    >>> short("shop-001")
    'shop-001'
    >>> long = short("x" * 300)
    >>> len(long), long == short("x" * 299)
    (200, False)
    """
    if not text.isascii():
        text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    if len(text) <= LONGEST:
        return text
    digest = hashlib.blake2s(text.encode("utf-8")).hexdigest()[:_DIGITS]
    return f"{text[: LONGEST - _DIGITS - 1]}~{digest}"


@lru_cache(maxsize=8_192)
def quoted(text: str) -> str:
    r"""The text as it stands between the quotes of the text format.

    >>> quoted('a "b"')
    'a \\"b\\"'
    """
    return short(text).replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
