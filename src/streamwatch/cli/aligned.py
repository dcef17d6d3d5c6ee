"""Columns of text that are never cut: an id must be there whole to be copied or piped."""

from collections.abc import Sequence


def aligned(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lines with two blanks between columns; numbers stand to the right.

    >>> print(aligned(("shop", "events"), [("shop-001", "12,000"), ("s", "7")]))
    shop      events
    shop-001  12,000
    s              7
    """
    columns = list(zip(headings, *rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    right = [all(_is_number(cell) for cell in column[1:]) and bool(rows) for column in columns]
    lines = [
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right, strict=True)
        )
        for line in (headings, *rows)
    ]
    return "\n".join(line.rstrip() for line in lines)


def _is_number(cell: str) -> bool:
    return cell.replace(",", "").replace(".", "").lstrip("+-").isdigit() or not cell
