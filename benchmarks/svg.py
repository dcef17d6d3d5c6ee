"""Small plots as SVG: bars with their spread, and curves on logarithmic axes."""

import math
import statistics
from collections.abc import Mapping, Sequence
from html import escape

INK, BAR, OURS, GRID = "#1f2933", "#9fb3c8", "#2f6f9f", "#d9e2ec"
COLOURS = ("#2f6f9f", "#b42318", "#2f855a", "#8a5a00", "#6b46c1", "#52606d")
_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
    'font-family="sans-serif" font-size="12" fill="{ink}">'
    '<rect width="{width}" height="{height}" fill="white"/>'
)


def bars(title: str, unit: str, rows: Sequence[tuple[str, Sequence[float], bool]]) -> str:
    """One horizontal bar a row at the median, with a line from the least to the most.

    Args:
        title: stands above.
        unit: of the values.
        rows: name, values, and whether the bar is one of ours.
    """
    left, width, step = 330, 860, 26
    height = 56 + step * len(rows) + 12
    most = max(max(values) for _, values, _ in rows)
    scale = (width - left - 110) / most
    parts = [_HEAD.format(width=width, height=height, ink=INK)]
    parts.append(f'<text x="12" y="22" font-size="15">{escape(title)}</text>')
    parts.append(f'<text x="12" y="42" fill="#52606d">{escape(unit)}</text>')
    for number, (name, values, ours) in enumerate(rows):
        top = 56 + step * number
        ordered = sorted(values)
        middle = statistics.median(ordered)
        colour = OURS if ours else BAR
        begin, end = left + ordered[0] * scale, left + ordered[-1] * scale
        parts += [
            f'<text x="{left - 8}" y="{top + 14}" text-anchor="end">{escape(name)}</text>',
            (
                f'<rect x="{left}" y="{top + 2}" width="{middle * scale:.1f}" height="17" '
                f'fill="{colour}"/>'
            ),
            (
                f'<line x1="{begin:.1f}" x2="{end:.1f}" y1="{top + 10}" y2="{top + 10}" '
                f'stroke="{INK}" stroke-width="1.5"/>'
            ),
            f'<text x="{end + 8:.1f}" y="{top + 14}">{middle:,.0f}</text>',
        ]
    return "".join([*parts, "</svg>\n"])


def curves(
    title: str, axes: tuple[str, str], lines: Mapping[str, Sequence[tuple[float, float]]]
) -> str:
    """Curves with points on two logarithmic axes."""
    width, height, left, bottom, top = 720, 380, 84, 50, 44
    right = 190
    points = [point for line in lines.values() for point in line]
    xs = _decades([x for x, _ in points])
    ys = _decades([y for _, y in points])

    def at(x: float, y: float) -> tuple[float, float]:
        across = (math.log10(x) - xs[0]) / (xs[1] - xs[0])
        up = (math.log10(y) - ys[0]) / (ys[1] - ys[0])
        return left + across * (width - left - right), height - bottom - up * (
            height - top - bottom
        )

    parts = [_HEAD.format(width=width, height=height, ink=INK)]
    parts.append(f'<text x="12" y="22" font-size="15">{escape(title)}</text>')
    parts.append(
        f'<text x="{left}" y="{height - 10}" fill="#52606d">{escape(axes[0])}</text>'
        f'<text x="{left}" y="{top - 8}" fill="#52606d">{escape(axes[1])}</text>'
    )
    for power in range(math.ceil(xs[0]), math.floor(xs[1]) + 1):
        x, y = at(10.0**power, 10.0 ** ys[0])
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{y:.1f}" stroke="{GRID}"/>'
            f'<text x="{x:.1f}" y="{y + 16:.1f}" text-anchor="middle">{_power(power)}</text>'
        )
    for power in range(math.ceil(ys[0]), math.floor(ys[1]) + 1):
        x, y = at(10.0 ** xs[0], 10.0**power)
        parts.append(
            f'<line x1="{x:.1f}" x2="{width - right}" y1="{y:.1f}" y2="{y:.1f}" stroke="{GRID}"/>'
            f'<text x="{x - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{_power(power)}</text>'
        )
    for number, (name, line) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        places = [at(x, y) for x, y in line]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        parts.append(
            f'<text x="{width - right + 12}" y="{top + 18 * number + 10}" fill="{colour}">'
            f"{escape(name)}</text>"
        )
    return "".join([*parts, "</svg>\n"])


def law(points: Sequence[tuple[float, float]]) -> float:
    """The exponent of the power law that fits best: y grows as x to that power.

    >>> round(law([(1, 3), (10, 30), (100, 300)]), 3)
    1.0
    """
    logs = [(math.log(x), math.log(y)) for x, y in points]
    middle_x = sum(x for x, _ in logs) / len(logs)
    middle_y = sum(y for _, y in logs) / len(logs)
    spread = sum((x - middle_x) ** 2 for x, _ in logs)
    return sum((x - middle_x) * (y - middle_y) for x, y in logs) / spread


def _decades(values: Sequence[float]) -> tuple[float, float]:
    low, high = math.log10(min(values)), math.log10(max(values))
    if math.floor(low) == math.floor(high):
        return math.floor(low), math.floor(low) + 1
    return low - 0.05, high + 0.1


def _power(power: int) -> str:
    return f"{10.0**power:,.0f}" if 0 <= power < 7 else f"1e{power}"
