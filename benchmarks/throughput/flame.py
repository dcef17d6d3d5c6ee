"""A flame graph of a worker, from the stacks that a sampling profiler counted.

    py-spy record --gil --function --format raw --output stacks.txt -- COMMAND
    python benchmarks/throughput/flame.py stacks.txt flame.svg

The loading of modules and the migration of the database are left out: a worker does both once.
"""

import sys
from html import escape
from pathlib import Path

import msgspec

WIDTH, ROW, LEAST = 1_200, 17, 0.0015
_ONCE = ("importlib", "alembic", "<module> (")
_FILLS = ("#e8b04b", "#e39a4e", "#dd8452", "#d9a441", "#e0bb66")
_OURS = "#2f6f9f"
_RUNS = "execute_from_commandline"


class Frame(msgspec.Struct):
    """A function in its place: samples in it and in what it called."""

    name: str
    samples: int = 0
    callees: dict[str, "Frame"] = {}


def read(text: str) -> Frame:
    """The tree of all stacks of a file of ``frame;frame;… samples`` lines."""
    root = Frame("worker")
    for line in text.splitlines():
        stack, _, samples = line.rpartition(" ")
        names = stack.split(";")
        running = [
            number for number, name in enumerate(names) if "execute_from_commandline" in name
        ]
        if running:
            names = names[running[0] :]
        if any(part in name for name in names for part in _ONCE):
            continue
        frame = root
        frame.samples += int(samples)
        for name in names:
            frame = frame.callees.setdefault(name, Frame(name))
            frame.samples += int(samples)
    return root


def depth(frame: Frame, least: float) -> int:
    """How many rows the tree takes."""
    wide = [one for one in frame.callees.values() if one.samples >= least]
    return 1 + max((depth(one, least) for one in wide), default=0)


def blocks(frame: Frame, left: float, row: int, whole: int) -> list[str]:
    """A frame's block and those above it, as SVG."""
    width = WIDTH * frame.samples / whole
    share = 100 * frame.samples / whole
    name = escape(frame.name)
    fill = _OURS if "streamwatch" in frame.name else _FILLS[sum(map(ord, name)) % len(_FILLS)]
    ink = "white" if fill == _OURS else "black"
    letters = int(width / 6.2)
    shown = escape(frame.name[:letters]) if letters > 3 else ""
    parts = [
        (
            f'<g><title>{name}: {share:.1f} %</title><rect x="{left:.1f}" y="{row * ROW}" '
            f'width="{width:.1f}" height="{ROW - 1}" fill="{fill}"/>'
        ),
        f'<text x="{left + 3:.1f}" y="{row * ROW + 12}" fill="{ink}">{shown}</text></g>',
    ]
    for one in sorted(frame.callees.values(), key=lambda callee: callee.name):
        if one.samples >= whole * LEAST:
            parts += blocks(one, left, row + 1, whole)
            left += WIDTH * one.samples / whole
    return parts


def draw(root: Frame) -> str:
    """The SVG, callers above what they call; a block's title tells its share."""
    height = ROW * depth(root, root.samples * LEAST)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="monospace" font-size="11">'
    )
    return "\n".join([head, *blocks(root, 0, 0, root.samples), "</svg>"]) + "\n"


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(draw(read(Path(sys.argv[1]).read_text())))
