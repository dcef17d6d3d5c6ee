"""Small plots as SVG text: the days before and since, and the values before and now."""

import math
from collections.abc import Mapping, Sequence
from html import escape

import msgspec

from streamwatch.domain.sketch import NOT_POSITIVE, value_of

WIDTH, HEIGHT = 720, 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 12, 28, 34
_INK, _BAND, _BAD, _USUAL = "#1f2933", "#d6e4f0", "#b42318", "#52789c"
_COARSE = 3
_TAIL = 0.001
_MOST_LABELS = 8


class Point(msgspec.Struct, frozen=True):
    """A bucket of the plot: its label, value and band, and whether it is unusual."""

    label: str
    value: float | None
    lower: float | None
    upper: float | None
    unusual: bool


def days_plot(title: str, points: Sequence[Point]) -> str:
    """The value of each day on its expected band, unusual days marked; an SVG element.

    >>> days_plot("mean", [Point("1 March", 1.0, 0.5, 1.5, False)]).startswith("<svg")
    True
    """
    # The band of a day of few records is wide, and would hide what the others show.
    shown = [point for point in points if point.value is not None] or points
    known = [
        one for point in shown for one in (point.value, point.lower, point.upper) if one is not None
    ]
    low, high = _widened(min(known, default=0.0), max(known, default=1.0))
    place = _scale(low, high)
    step = (WIDTH - _LEFT - _RIGHT) / max(len(points), 1)
    middles = [_LEFT + step * (number + 0.5) for number in range(len(points))]
    parts = [*_frame(title, low, high)]
    for middle, point in zip(middles, points, strict=True):
        if point.lower is not None and point.upper is not None:
            top, bottom = place(min(point.upper, high)), place(max(point.lower, low))
            parts.append(_rectangle((middle - step / 2, top, step, bottom - top), _BAND))
    line = " ".join(
        f"{middle:.1f},{place(point.value):.1f}"
        for middle, point in zip(middles, points, strict=True)
        if point.value is not None
    )
    if line:
        parts.append(f'<polyline points="{line}" fill="none" stroke="{_INK}" stroke-width="1.5"/>')
    for middle, point in zip(middles, points, strict=True):
        if point.value is not None:
            colour, size = (_BAD, 4.5) if point.unusual else (_INK, 2.5)
            parts.append(
                f'<circle cx="{middle:.1f}" cy="{place(point.value):.1f}" r="{size}" '
                f'fill="{colour}"/>'
            )
    every = max(1, -(-len(points) // _MOST_LABELS))
    parts += [
        _text(middle, HEIGHT - 12, point.label, "middle")
        for number, (middle, point) in enumerate(zip(middles, points, strict=True))
        if number % every == 0
    ]
    return _svg(title, parts)


def values_plot(
    title: str, usual: Mapping[int, int], now: Mapping[int, int], least: int = 1
) -> str:
    """How the values were distributed before (filled) and are now (line); an SVG element.

    Both are sketches as in `domain.sketch`, taken together three bins at a time, and as many of
    these as it takes for ``least`` values.
    """
    before, today = _bars(usual, least), _bars(now, least)
    bars = [*before, *today]
    if not bars:
        return _svg(title, [*_frame(title, 0, 1)])
    first, last = min(bar.first for bar in bars), max(bar.last for bar in bars)
    high = max(bar.share for bar in bars)
    place = _scale(0.0, high * 1.05)
    step = (WIDTH - _LEFT - _RIGHT) / (last - first + 1)
    parts = [*_frame(title, 0.0, high * 1.05, percent=True)]
    for bar in before:
        left, width = _LEFT + step * (bar.first - first), step * bar.width
        top = place(bar.share)
        parts.append(_rectangle((left, top, width, HEIGHT - _BOTTOM - top), _BAND, _USUAL))
    for bar in today:
        left, y = _LEFT + step * (bar.first - first), place(bar.share)
        parts.append(
            f'<path d="M{left:.1f} {HEIGHT - _BOTTOM}V{y:.1f}H{left + step * bar.width:.1f}'
            f'V{HEIGHT - _BOTTOM}" fill="none" stroke="{_BAD}" stroke-width="1.5"/>'
        )
    every = max(1, (last - first + 1) // _MOST_LABELS)
    parts += [
        _text(_LEFT + step * (index - first + 0.5), HEIGHT - 12, f"{_value(index):.3g}", "middle")
        for index in range(first, last + 1, every)
    ]
    return _svg(title, parts)


class _Bar(msgspec.Struct, frozen=True):
    """Some three-bin places in a row, and the share of the values in each of them."""

    first: int
    last: int
    share: float

    @property
    def width(self) -> int:
        return self.last - self.first + 1


def _bars(sketch: Mapping[int, int], least: int) -> list[_Bar]:
    """Bars of ``least`` values or more; a thousandth of the values at either end is left out.

    Neighbours are taken together until they are enough; too few that are left at the end are
    left out as well.
    """
    together: dict[int, int] = {}
    for index, count in sketch.items():
        if index != NOT_POSITIVE:
            together[index // _COARSE] = together.get(index // _COARSE, 0) + count
    total = sum(together.values())
    below = held = 0
    first: int | None = None
    bars = []
    for index in sorted(together):
        below += together[index]
        if not (_TAIL * total <= below and below - together[index] <= (1 - _TAIL) * total):
            continue
        first = index if first is None else first
        held += together[index]
        if held >= least:
            bars.append(_Bar(first, index, held / total / (index - first + 1)))
            first, held = None, 0
    return bars


def _value(index: int) -> float:
    return value_of(index * _COARSE + _COARSE // 2)


def _widened(low: float, high: float) -> tuple[float, float]:
    reach = (high - low) or abs(high) or 1.0
    return low - 0.06 * reach, high + 0.06 * reach


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers between two ends, four to nine of them.

    >>> _ticks(58.7, 193.7)
    [60.0, 80.0, 100.0, 120.0, 140.0, 160.0, 180.0]
    """
    rough = (high - low) / 5 or 1.0
    size = 10.0 ** math.floor(math.log10(rough))
    step = size * max(one for one in (1, 2, 5) if size * one <= rough)
    first = math.ceil(low / step)
    return [number * step for number in range(first, math.floor(high / step) + 1)]


class _Scale(msgspec.Struct, frozen=True):
    low: float
    high: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM)


def _scale(low: float, high: float) -> _Scale:
    return _Scale(low, high)


def _frame(title: str, low: float, high: float, *, percent: bool = False) -> list[str]:
    place = _scale(low, high)
    parts = [_text(_LEFT, 18, title, "start", bold=True)]
    for value in _ticks(low, high):
        y = place(value)
        parts.append(
            f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" '
            'stroke="#e4e7eb" stroke-width="1"/>'
        )
        label = f"{value:.0%}" if percent else f"{value:.4g}"
        parts.append(_text(_LEFT - 8, y + 4, label, "end"))
    return parts


def _rectangle(box: tuple[float, float, float, float], fill: str, stroke: str = "none") -> str:
    x, y, width, height = box
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{max(height, 0):.1f}" '
        f'fill="{fill}" stroke="{stroke}" stroke-width="0.5"/>'
    )


def _text(x: float, y: float, words: str, anchor: str, *, bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="12" '
        f'fill="{_INK}"{weight}>{escape(words)}</text>'
    )


def _svg(title: str, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="system-ui, sans-serif"><title>{escape(title)}</title>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>{"".join(parts)}</svg>'
    )
