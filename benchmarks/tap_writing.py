"""How many tap rows a second one core writes into SQLite, and into PostgreSQL.

    python benchmarks/tap_writing.py --out benchmarks/results/tap_writing.json

Told are rows per second of processor time, since others may use the machine: of this process for
SQLite, and for PostgreSQL of this process and of the server's process that serves it together.
The rows are made beforehand; measured is from there to the commit, in flushes of 20,000 rows as
a worker makes them, into tables with their indexes. Each round begins with an empty database.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from machine import described
from sqlalchemy import Engine, event

from streamwatch.adapters.kafka.collecting import collect_less_often
from streamwatch.adapters.local.postgres import start_postgres
from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.migrations import upgrade
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.domain.records import PartitionId
from streamwatch.domain.rows import TapRows
from streamwatch.runner.ports import Flush

FLUSH, SLICE = 20_000, 2_000
NOW = 1_788_256_800_000
WANTED = {"sqlite": 100_000, "postgresql": 50_000}


def rows(begin: int, end: int) -> list[TapRows]:
    """Rows as a tap of six columns takes them, slice by slice."""
    names = ("height", "weight", "gender", "category", "app_version", "product")
    return [
        TapRows(
            "widget-event",
            "decode",
            "widget-event",
            0,
            0,
            "full",
            names,
            [
                (
                    offset,
                    f"event-{offset:08d}",
                    f"shop-{offset % 50:03d}",
                    NOW + offset,
                    NOW + offset + 40,
                    150.0 + offset % 400 / 10,
                    50.0 + offset % 300 / 10,
                    ("female", "male")[offset % 2],
                    ("shoes", "shirts", "dresses")[offset % 3],
                    "5.0.0",
                    f"dress-{offset % 90}",
                )
                for offset in range(first, min(first + SLICE, end))
            ],
        )
        for first in range(begin, end, SLICE)
    ]


def server_seconds(pid: int) -> float:
    """Processor seconds that a process of this machine has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(url: str, flushes: list[list[TapRows]]) -> float:
    """Rows per second of processor time."""
    upgrade(url)
    engine = create_engine_for(url)
    store = SqlStore(engine, now_ms=lambda: NOW)
    place = PartitionId("count", "widget-event", 0)
    seen = _servers(engine)
    begun = time.process_time()
    for number, batch in enumerate(flushes):
        old, new = number * FLUSH or None, (number + 1) * FLUSH
        store.commit(Flush(place, old, new, 0, "", {}, batch, None))
    seconds = time.process_time() - begun + sum(server_seconds(pid) for pid in seen)
    engine.dispose()
    return sum(len(one) for batch in flushes for one in batch) / seconds


def _servers(engine: Engine) -> set[int]:
    """The server's processes that serve this engine, filled as connections are made."""
    pids: set[int] = set()

    def connected(connection, record) -> None:
        pids.add(connection.info.backend_pid)

    if engine.dialect.name == "postgresql":
        event.listen(engine, "connect", connected)
    return pids


def rounds(count: int, url_of: Callable[[int], str], flushes: list[list[TapRows]]) -> dict:
    """The best and the median of some rounds."""
    found = [measure(url_of(number), flushes) for number in range(count)]
    return {"best": round(max(found)), "median": round(statistics.median(found))}


def main() -> None:
    """Measure both, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=None)
    asked = parser.parse_args()
    collect_less_often()
    flushes = [rows(begin, begin + FLUSH) for begin in range(0, asked.rows, FLUSH)]
    found: dict[str, object] = {"machine": described(), "rows": asked.rows, "wanted": WANTED}
    with tempfile.TemporaryDirectory() as folder:
        found["sqlite"] = rounds(
            asked.rounds, lambda number: f"sqlite:///{folder}/{number}.db", flushes
        )
        server = start_postgres(Path(folder) / "postgres")
        try:
            engine = create_engine_for(server.url).execution_options(isolation_level="AUTOCOMMIT")

            def database(number: int) -> str:
                with engine.connect() as connection:
                    connection.exec_driver_sql(f"CREATE DATABASE taps_{number}")
                return (
                    engine.url.set(database=f"taps_{number}")
                    .set(drivername="postgresql")
                    .render_as_string(hide_password=False)
                )

            found["postgresql"] = rounds(asked.rounds, database, flushes)
            engine.dispose()
        finally:
            server.remove()
    text = json.dumps(found, indent=1)
    print(text)
    if asked.out:
        asked.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
