"""Mutations of inputs, for the part of the fuzzing that needs no fuzzer."""

import random
from collections.abc import Sequence

PIECES = (
    b"", b"\x00", b"\xff", b'"', b"'", b"\\", b"\\u0000", b"\\ud800", b"{", b"}", b"[", b"]", b":",
    b",", b"null", b"true", b"-0", b"1e999", b"NaN", b"-9223372036854775809", b"0.1e-400", b"\n",
    b"  ", b"- ", b"&a", b"*a", b"!!x", b"<<:", b"(", b")", b" and ", b" or ", b"not ", b" in ",
    b"is missing", b"99999999999999999999", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"%", b"|", b">",
)  # fmt: skip


def mutated(data: bytes, others: Sequence[bytes], rng: random.Random) -> bytes:
    """One to four changes: a bit, a piece in or out, a repetition, a splice with another input."""
    made = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randint(0, len(made))
        to = min(len(made), at + rng.randint(0, 12))
        kind = rng.randrange(6)
        if kind == 0 and at < len(made):
            made[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            made[at:to] = rng.choice(PIECES)
        elif kind == 2:
            made[at:at] = rng.choice(PIECES)
        elif kind == 3:
            del made[at:to]
        elif kind == 4:
            made[at:at] = made[at:to] * rng.randint(1, 20)
        else:
            other = rng.choice(others)
            made[at:] = other[rng.randint(0, len(other)) :]
    return bytes(made)
