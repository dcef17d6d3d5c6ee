"""A few bars to the left and right of zero, as SVG text."""

from collections.abc import Callable, Sequence

import msgspec
from markupsafe import Markup, escape

_WIDTH, _ROW, _TOP = 480, 30, 6
_NAME, _NUMBER = 84, 90
"""What is written at the left, and beside each end of the bars."""


class Bar(msgspec.Struct, frozen=True):
    """A name and how far it goes."""

    name: str
    value: float


def bars(parts: Sequence[Bar], *, label: str, written: Callable[[float], str]) -> Markup:
    """Bars on a shared scale, each with its number.

    Args:
        parts: from top to bottom.
        label: what a screen reader says.
        written: a number as text.
    """
    longest = max((abs(one.value) for one in parts), default=0.0) or 1.0
    left, right = _NAME + _NUMBER, _WIDTH - _NUMBER
    middle, half = (left + right) / 2, (right - left) / 2
    height = _TOP * 2 + _ROW * len(parts)
    drawn = [
        f'<line class="grid" x1="{middle:.1f}" x2="{middle:.1f}" y1="{_TOP}" y2="{height - _TOP}"/>'
    ]
    for place, one in enumerate(parts):
        top = _TOP + place * _ROW
        length = half * abs(one.value) / longest
        start = middle if one.value >= 0 else middle - length
        text_at = start + length + 6 if one.value >= 0 else start - 6
        anchor = "start" if one.value >= 0 else "end"
        drawn.append(
            f'<text class="tick" x="0" y="{top + 19}">{escape(one.name)}</text>'
            f'<rect class="bar" x="{start:.1f}" y="{top + 5}" width="{max(length, 1):.1f}" '
            f'height="{_ROW - 10}"/>'
            f'<text class="tick" x="{text_at:.1f}" y="{top + 19}" text-anchor="{anchor}">'
            f"{escape(written(one.value))}</text>"
        )
    text = escape(label)
    svg = (
        f'<svg class="plot bars" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{text}">'
        f"<title>{text}</title>{''.join(drawn)}</svg>"
    )
    return Markup(svg)  # noqa: S704  every part is a number or escaped
