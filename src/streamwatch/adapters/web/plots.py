"""Plots as SVG text: no script, no style of their own, readable without colours.

Colours come from classes in ``style.css``, since the pages' content policy forbids styles
inside; so light and dark follow the page.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Literal

import msgspec
from markupsafe import Markup, escape

from streamwatch.adapters.web.wording import DAY_MS, HOUR_MS, band, bucket, in_unit, with_unit
from streamwatch.domain.readings import Span

PointState = Literal["warming", "usual", "unusual", ""]


LARGEST = 1e100
"""Larger numbers are not drawn."""


MOST_BEHIND = 14
"""Buckets behind the last reading up to which a departure is still drawn."""


class Point(msgspec.Struct, frozen=True):
    """A reading in a plot; what is ``None`` is not drawn. ``at`` is in milliseconds."""

    at: int
    value: float | None
    expected: float | None = None
    lower: float | None = None
    upper: float | None = None
    state: PointState = ""


class Frame(msgspec.Struct, frozen=True):
    """How large a plot is, in CSS pixels, and how much is written around it."""

    name: str = "large"
    width: int = 720
    height: int = 260
    left: int = 64
    right: int = 10
    top: int = 12
    bottom: int = 26
    y_ticks: int = 5
    x_ticks: int = 6


LARGE = Frame()
SMALL = Frame(name="small", width=340, height=120, left=48, top=8, bottom=22, y_ticks=3, x_ticks=3)


class Departure(msgspec.Struct, frozen=True):
    """The time to mark, in milliseconds; ``until`` is ``None`` while it lasts."""

    since: int
    until: int | None


def plot(
    points: Sequence[Point],
    *,
    label: str,
    span: Span,
    frame: Frame = LARGE,
    departure: Departure | None = None,
    values: tuple[float, float] | None = None,
    unit: str = "",
) -> Markup:
    """A KPI over time: its band, what was expected, its values, and where it departed.

    Args:
        points: oldest first.
        label: what a screen reader says.
        span: the buckets' length; a longer distance breaks the line.
        frame: the size.
        departure: the time to mark.
        values: lowest and highest of the axis, for plots to be compared; else by the points.
        unit: of the numbers, see `wording.unit_of`.
    """
    step = {"hour": HOUR_MS, "day": DAY_MS, "week": 7 * DAY_MS, "month": 31 * DAY_MS}[span]
    if not points:
        return Markup('<p class="none">No readings in this time.</p>')
    low, high = values or value_range(points)
    ticks = list(nice_ticks(low, high, frame.y_ticks))
    low, high = min(low, ticks[0]), max(high, ticks[-1])
    begin, end = points[0].at - step // 2, points[-1].at + step // 2
    if departure is not None and end <= departure.since < end + MOST_BEHIND * step:
        end = departure.since + step  # a silence comes after the last reading
    inner_width = frame.width - frame.left - frame.right
    inner_height = frame.height - frame.top - frame.bottom

    def x(at: float) -> float:
        return frame.left + inner_width * (at - begin) / (end - begin)

    def y(value: float) -> float:
        return frame.top + inner_height * (high - value) / (high - low)

    parts = [
        *_marked(departure, begin, end, step, frame, x),
        *(_y_tick(value, y(value), frame, unit) for value in ticks),
        *_x_ticks(points, span, frame, x),
        *_bands(points, step, x, y),
        *_lines(points, step, x, y),
        *_dots(points, span, unit, x, y),
    ]
    text = escape(label)
    svg = (
        f'<svg class="plot {frame.name}" viewBox="0 0 {frame.width} {frame.height}" role="img" '
        f'aria-label="{text}"><title>{text}</title>{"".join(parts)}</svg>'
    )
    return Markup(svg)  # noqa: S704  every part is a number or escaped


def value_range(points: Iterable[Point]) -> tuple[float, float]:
    """The lowest and highest number to draw, a little apart when all are the same.

    >>> value_range([Point(0, 5.0), Point(1, 7.0, lower=4.0, upper=9.0)])
    (4.0, 9.0)
    """
    numbers = [
        one
        for point in points
        for one in (point.value, point.lower, point.upper, point.expected)
        if one is not None and _drawn(one)
    ]
    low, high = min(numbers, default=0.0), max(numbers, default=1.0)
    if high - low <= 1e-9 * max(abs(low), abs(high), 1e-9):
        apart = max(abs(low) * 0.05, 0.5)
        return low - apart, high + apart
    return low, high


def nice_ticks(low: float, high: float, about: int) -> Iterator[float]:
    """Round numbers from just below ``low`` to just above ``high``: steps of 1, 2 or 5.

    >>> list(nice_ticks(3.2, 17.0, 4))
    [0.0, 5.0, 10.0, 15.0, 20.0]
    """
    rough = (high - low) / max(about, 1)
    if not math.isfinite(rough) or rough <= 0:
        yield from (low, high)
        return
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * next(times for times in (1, 2, 5, 10) if rough <= times * power * (1 + 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    yield from (round(count * step, 12) for count in range(first, last + 1))


_Scale = Callable[[float], float]


def _drawn(value: float | None) -> bool:
    # Beyond that, differences of two numbers overflow; NaN is no less either.
    return value is not None and abs(value) < LARGEST


def _runs(points: Iterable[Point], step: int) -> Iterator[list[Point]]:
    """Points without a gap between them: a day may have 23 to 25 hours."""
    run: list[Point] = []
    for point in points:
        if run and point.at - run[-1].at > 1.5 * step:
            yield run
            run = []
        run.append(point)
    if run:
        yield run


def _bands(points: Sequence[Point], step: int, x: _Scale, y: _Scale) -> Iterator[str]:
    banded = [one for one in points if _drawn(one.lower) and _drawn(one.upper)]
    for run in _runs(banded, step):
        left, right = run[0].at - step / 2, run[-1].at + step / 2
        tops = [(left, run[0].upper), *((p.at, p.upper) for p in run), (right, run[-1].upper)]
        bottoms = [(left, run[0].lower), *((p.at, p.lower) for p in run), (right, run[-1].lower)]
        corners = [*tops, *reversed(bottoms)]
        yield f'<polygon class="band" points="{_path(corners, x, y)}"/>'


def _lines(points: Sequence[Point], step: int, x: _Scale, y: _Scale) -> Iterator[str]:
    expected = [Point(one.at, one.expected) for one in points]
    for kind, line in (("expected", expected), ("value", points)):
        for run in _runs((one for one in line if _drawn(one.value)), step):
            yield (
                f'<polyline class="{kind}" '
                f'points="{_path([(one.at, one.value) for one in run], x, y)}"/>'
            )


def _dots(points: Sequence[Point], span: Span, unit: str, x: _Scale, y: _Scale) -> Iterator[str]:
    for one in points:
        if one.value is None or not _drawn(one.value):
            continue
        said = f"{bucket(one.at, span)}: {with_unit(one.value, unit)}"
        if one.lower is not None and one.upper is not None:
            said += f", expected {band(one.lower, one.upper, unit)}"
        if one.state in {"unusual", "warming"}:
            said += f", {one.state}"
        left, top = x(one.at), y(one.value)
        title = f"<title>{escape(said)}</title>"
        if one.state == "unusual":
            # A shape of its own, so that it shows without colours too.
            corners = f"{left:.1f},{top - 5:.1f} {left + 5:.1f},{top:.1f} "
            corners += f"{left:.1f},{top + 5:.1f} {left - 5:.1f},{top:.1f}"
            yield f'<polygon class="dot unusual" points="{corners}">{title}</polygon>'
        else:
            kind = "warming" if one.state == "warming" else "usual"
            place = f'cx="{left:.1f}" cy="{top:.1f}" r="2"'
            yield f'<circle class="dot {kind}" {place}>{title}</circle>'


def _path(corners: Iterable[tuple[float, float | None]], x: _Scale, y: _Scale) -> str:
    return " ".join(f"{x(at):.1f},{y(value or 0.0):.1f}" for at, value in corners)


def _marked(
    departure: Departure | None, begin: int, end: int, step: int, frame: Frame, x: _Scale
) -> Iterator[str]:
    if departure is None:
        return
    left = max(departure.since - step // 2, begin)
    right = min(end if departure.until is None else departure.until - step // 2, end)
    if right > left:
        top, height = frame.top, frame.height - frame.top - frame.bottom
        yield (
            f'<rect class="departure" x="{x(left):.1f}" y="{top}" '
            f'width="{x(right) - x(left):.1f}" height="{height}"/>'
            f'<line class="since" x1="{x(left):.1f}" x2="{x(left):.1f}" '
            f'y1="{top}" y2="{top + height}"/>'
        )


def _y_tick(value: float, top: float, frame: Frame, unit: str) -> str:
    return (
        f'<line class="grid" x1="{frame.left}" x2="{frame.width - frame.right}" '
        f'y1="{top:.1f}" y2="{top:.1f}"/>'
        f'<text class="tick" x="{frame.left - 6}" y="{top + 4:.1f}" text-anchor="end">'
        f"{escape(in_unit(value, unit))}</text>"
    )


def _x_ticks(points: Sequence[Point], span: Span, frame: Frame, x: _Scale) -> Iterator[str]:
    wanted = min(frame.x_ticks, len(points))
    chosen = sorted({round(n * (len(points) - 1) / max(wanted - 1, 1)) for n in range(wanted)})
    places = [(x(points[place].at), points[place].at) for place in chosen]
    close = any(right - left < 60 for (left, _), (right, _) in pairwise(places))  # noqa: PLR2004
    for left, at in places[:: len(places) - 1 or 1] if close else places:
        text = bucket(at, span)
        text = text[4:20][5:] if span == "hour" else text[9:]
        anchor = "start" if left < frame.left + 24 else "middle"
        anchor = "end" if left > frame.width - frame.right - 24 else anchor
        yield (
            f'<text class="tick" x="{left:.1f}" y="{frame.height - 7}" '
            f'text-anchor="{anchor}">{escape(text)}</text>'
        )
