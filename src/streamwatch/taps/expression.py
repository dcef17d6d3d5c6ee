r"""Filter expressions: text to a tree, which `taps.condition` compiles; nothing is ever evaluated.

    condition  := one ("or" one)*                 one := part ("and" part)*
    part       := "not" part | "(" condition ")" | comparison
    comparison := value ("==" | "!=" | "<" | "<=" | ">" | ">=") value
                | field ["not"] "in" "(" literal ("," literal)* ")"
                | field "is" ["not"] "missing"
    value      := field | number | 'text'

A field without a value meets no comparison, neither ``==`` nor ``!=``; ask ``is missing``.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import msgspec

from streamwatch.domain.findings import did_you_mean
from streamwatch.taps.tokens import KEYWORDS, ExpressionError, Token, tokens

COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
DEEPEST = 40
"""Levels of parentheses and of `not`."""

Literal = str | float


class Fields(msgspec.Struct, frozen=True):
    """What an expression may ask about.

    Attributes:
        numbers: the numeric fields.
        texts: the others.
        refused: field → why it cannot be asked about.
    """

    numbers: frozenset[str]
    texts: frozenset[str]
    refused: Mapping[str, str] = {}


class Field(msgspec.Struct, frozen=True):
    """A field of the event."""

    name: str


class Comparison(msgspec.Struct, frozen=True):
    """Two values and how they must stand to each other."""

    sign: str
    left: "Field | Literal"
    right: "Field | Literal"


class OneOf(msgspec.Struct, frozen=True):
    """A field that must, or must not, have one of these values."""

    field: Field
    values: frozenset[Literal]
    negated: bool


class Missing(msgspec.Struct, frozen=True):
    """A field that must lack its value, or must have one."""

    field: Field
    negated: bool


class Not(msgspec.Struct, frozen=True):
    """The opposite."""

    part: "Node"


class Both(msgspec.Struct, frozen=True):
    """All parts must hold."""

    parts: "tuple[Node, ...]"


class Either(msgspec.Struct, frozen=True):
    """One part must hold at least."""

    parts: "tuple[Node, ...]"


Node = Comparison | OneOf | Missing | Not | Both | Either


def parse(text: str, fields: Fields) -> Node:
    """The tree of an expression.

    Raises:
        ExpressionError: it is wrong; says what, where, and the nearest right name.

    >>> fields = Fields(frozenset({"height"}), frozenset({"shop"}))
    >>> parse("height < 100 and shop in ('a')", fields).parts[0].sign
    '<'
    """
    return _Parser(text, fields).whole()


def fields_in(node: Node) -> set[str]:
    """The names of the fields that an expression asks about."""
    if isinstance(node, Both | Either):
        return set().union(*(fields_in(part) for part in node.parts))
    if isinstance(node, Not):
        return fields_in(node.part)
    if isinstance(node, Comparison):
        return {one.name for one in (node.left, node.right) if isinstance(one, Field)}
    return {node.field.name}


class _Parser:
    """Recursive descent over the words; one method for each line of the grammar."""

    def __init__(self, text: str, fields: Fields) -> None:
        self._tokens = list(tokens(text))
        self._place = 0
        self._fields = fields
        self._depth = 0

    def whole(self) -> Node:
        if not self._next.text and self._next.kind == "end":
            self._fail("the filter says nothing; leave it out to take everything")
        node = self._condition()
        if self._next.kind != "end":
            self._fail(f"`{self._next.text}` does not go on here; join conditions by `and` or `or`")
        return node

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        token = self._next
        self._place += 1
        return token

    def _takes(self, word: str) -> bool:
        if self._next.is_word(word) or (self._next.kind == "sign" and self._next.text == word):
            self._place += 1
            return True
        return False

    def _fail(self, text: str, token: Token | None = None) -> NoReturn:
        raise ExpressionError(text, (token or self._next).at)

    def _condition(self) -> Node:
        parts = [self._one()]
        while self._takes("or"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def _one(self) -> Node:
        parts = [self._part()]
        while self._takes("and"):
            parts.append(self._part())
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def _part(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            self._fail(f"is nested deeper than {DEEPEST} levels")
        try:
            if self._takes("not"):
                return Not(self._part())
            if self._takes("("):
                inner = self._condition()
                if not self._takes(")"):
                    self._fail("a parenthesis is not closed; `)` is missing")
                return inner
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> Node:
        begin = self._next
        left = self._value()
        if self._next.kind == "name" and self._next.text.lower() in ("in", "not", "is"):
            if not isinstance(left, Field):
                self._fail("a field must stand before `in` and `is`", begin)
            return self._membership(left)
        sign = self._take()
        if sign.kind != "sign" or sign.text not in COMPARISONS:
            signs = ", ".join(COMPARISONS)
            self._fail(f"a comparison is missing here: {signs}, in, not in, is missing", sign)
        at = self._next
        right = self._value()
        self._check_kinds(sign, left, right, at)
        if not isinstance(left, Field) and not isinstance(right, Field):
            self._fail("two constants are compared; one side must be a field", begin)
        if self._next.kind == "sign" and self._next.text in COMPARISONS:
            self._fail("comparisons do not chain; write `a < b and b < c`")
        return Comparison(sign.text, left, right)

    def _membership(self, field: Field) -> Node:
        if self._takes("is"):
            negated = self._takes("not")
            if not self._takes("missing"):
                self._fail("after `is` comes `missing` or `not missing`")
            return Missing(field, negated)
        negated = self._takes("not")
        if not self._takes("in"):
            self._fail("`in` is missing after `not`")
        if not self._takes("("):
            self._fail("after `in` comes a list in parentheses, such as ('a', 'b')")
        values: list[Literal] = []
        while True:
            at = self._next
            value = self._value()
            if isinstance(value, Field):
                self._fail("a list holds numbers and quoted texts only", at)
            self._check_kinds(None, field, value, at)
            values.append(value)
            if self._takes(")"):
                return OneOf(field, frozenset(values), negated)
            if not self._takes(","):
                self._fail("in a list, values are separated by commas and `)` ends it")

    def _value(self) -> Field | Literal:
        token = self._take()
        if token.kind == "text":
            return token.text
        if token.kind == "number":
            return float(token.text)
        if token.kind != "name" or token.text.lower() in KEYWORDS:
            found = f"`{token.text}`" if token.text else "the end"
            self._fail(f"a field, a number or a quoted text is missing before {found}", token)
        name, fields = token.text, self._fields
        if name in fields.refused:
            self._fail(fields.refused[name], token)
        known = fields.numbers | fields.texts
        if name not in known:
            hint = did_you_mean(name, known)
            self._fail(f"no field is called `{name}`{hint} (texts stand in quotes)", token)
        return Field(name)

    def _check_kinds(
        self, sign: Token | None, left: Field | Literal, right: Field | Literal, at: Token
    ) -> None:
        """Numbers are compared with numbers, and texts only for being equal."""
        if self._is_number(left) != self._is_number(right):
            numeric, text = (left, right) if self._is_number(left) else (right, left)
            hint = "take the quotes off" if isinstance(text, str) else "put text in quotes"
            if isinstance(text, Field) and isinstance(numeric, Field):
                hint = "compare fields of one kind"
            self._fail(f"{_shown(numeric)} is a number and {_shown(text)} is text; {hint}", at)
        if sign and not self._is_number(left) and sign.text not in ("==", "!="):
            self._fail(f"texts have no order, so `{sign.text}` needs numbers; use == or in", sign)

    def _is_number(self, value: Field | Literal) -> bool:
        if isinstance(value, Field):
            return value.name in self._fields.numbers
        return isinstance(value, float)


def _shown(value: Field | Literal) -> str:
    if isinstance(value, Field):
        return f"`{value.name}`"
    return f"`{value:g}`" if isinstance(value, float) else f"'{value}'"
