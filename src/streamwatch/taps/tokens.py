"""The words of a filter expression, each with its place in the text."""

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

Kind = Literal["name", "number", "text", "sign", "end"]

KEYWORDS = frozenset({"and", "or", "not", "in", "is", "missing"})
SIGNS = ("==", "!=", "<=", ">=", "<", ">", "(", ")", ",")
LONGEST = 4_000
"""Characters of an expression."""

_TOKEN = re.compile(
    r"""(?P<space>\s+)
    |(?P<number>-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?(?![\w.]))
    |(?P<name>[A-Za-z_]\w*)
    |(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    |(?P<sign>==|!=|<=|>=|<|>|\(|\)|,)""",
    re.VERBOSE | re.DOTALL,
)


class ExpressionError(ValueError):
    """A filter expression is wrong.

    Attributes:
        at: where, in characters from the start of the text.
    """

    def __init__(self, text: str, at: int) -> None:
        super().__init__(text)
        self.at = at


class Token(msgspec.Struct, frozen=True):
    """One word: what it is, what it says (a text without its quotes), and where it begins."""

    kind: Kind
    text: str
    at: int

    def is_word(self, word: str) -> bool:
        """Whether it is this keyword."""
        return self.kind == "name" and self.text.lower() == word


def tokens(text: str) -> Iterator[Token]:
    r"""The words of an expression, and an ``end`` behind the last.

    Raises:
        ExpressionError: something is no word of an expression.

    >>> [token.text for token in tokens("height < 1e2 and shop == 'it\\'s'")]
    ['height', '<', '1e2', 'and', 'shop', '==', "it's", '']
    """
    if len(text) > LONGEST:
        raise ExpressionError(f"is longer than {LONGEST} characters", LONGEST)
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ExpressionError(_unknown(text[at:]), at)
        word = match[0]
        if match.lastgroup == "text":
            yield Token("text", re.sub(r"\\(.)", r"\1", word[1:-1], flags=re.DOTALL), at)
        elif match.lastgroup in ("number", "name", "sign"):
            kinds: dict[str, Kind] = {"number": "number", "name": "name", "sign": "sign"}
            yield Token(kinds[match.lastgroup], word, at)
        at = match.end()
    yield Token("end", "", len(text))


def _unknown(rest: str) -> str:
    """What is said of something that is no word."""
    sign = rest[0]
    if sign in "'\"":
        return f"this text has no end; close it with {sign}"
    hints = {
        "=": "write == to compare",
        "!": "write != or `not`",
        "&": "write `and`",
        "|": "write `or`",
    }
    if sign in hints:
        return f"`{sign}` means nothing here; {hints[sign]}"
    if sign.isdigit() or sign in ".-":
        return f"`{rest.split(maxsplit=1)[0][:20]}` is no number; put text in quotes"
    return f"`{sign}` means nothing in a filter"
