"""Lines as clients send them, files of them, and what stands in the database afterwards."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from tests.functional.command import Answer

MONDAY_MS = 1_772_409_600_000
"""2026-03-02, UTC."""
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def envelope(topic: str, value: Mapping[str, Any] | None, arrived: int = MONDAY_MS) -> bytes:
    return json.dumps({"topic": topic, "arrived": arrived, "value": value}).encode()


def widget(number: int, **changed: Any) -> dict[str, Any]:
    event = {"event_id": f"w-{number}", "shop": "shop-001", "time": MONDAY_MS, "height": 170.0}
    return {**event, **changed}


def purchase(number: int, **changed: Any) -> dict[str, Any]:
    event = {"event_id": f"p-{number}", "shop": "shop-001", "time": MONDAY_MS, "price": 9.5}
    return {**event, **changed}


def write_lines(path: Path, lines: Sequence[bytes]) -> None:
    path.write_bytes(b"".join(line + b"\n" for line in lines))


def write_story(path: Path, height_of: Callable[[int, int], float]) -> None:
    """Three weeks of one shop, forty shoppers a day."""
    lines = []
    for day in range(21):
        for number in range(40):
            at = MONDAY_MS + day * DAY_MS + number * 36 * 60_000
            event = widget(day * 100 + number, time=at, height=height_of(day, number))
            lines.append(envelope("widget-event", event, at))
    write_lines(path, lines)


def counts(answer: Answer, topic: str) -> tuple[int, int, int, int]:
    """Lines of a topic that were counted, rejected, dead-lettered and seen before."""
    found = answer.json["accounting"][topic]
    assert found["adds_up"]
    names = ("aggregated", "rejected", "dead_lettered", "duplicates")
    counted, rejected, dead, before = (found[name] for name in names)
    assert found["records_in"] == counted + rejected + dead + before
    return counted, rejected, dead, before


def rows(folder: Path, query: str) -> list[tuple[Any, ...]]:
    engine = create_engine(f"sqlite:///{folder}/streamwatch.db")
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]
    finally:
        engine.dispose()
