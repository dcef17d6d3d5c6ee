"""How fast the pages are with many shops: fills a database, then asks each page.

    python benchmarks/web_pages.py [FOLDER] [--out benchmarks/results]

Told are the median and the slowest of 20 answers of each page. The folder keeps the database (about
0.8 GB), which is made once.
"""

import argparse
import json
import os
import platform
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

from streamwatch.adapters.diagnosing import diagnose_incident
from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.migrations import upgrade
from streamwatch.adapters.web.access import Access
from streamwatch.adapters.web.exchange import Request
from streamwatch.adapters.web.site import Site
from streamwatch.diagnosis.telling import told
from streamwatch.domain.settings import Settings

SHOPS = 5_000
LONG_SHOPS = 3
LONG_DAYS, DAYS = 400, 5
REPEATS = 20
KINDS = ("volume", "silence", "mean.a", "mean.b", "mean.c", "missing.a", "missing.b", "missing.c",
         "mix.category", "mix.gender")  # fmt: skip
KPIS = [(event, kpi) for event in ("widget-event", "purchase", "return") for kpi in KINDS]
SEGMENTS = ("all", "gender=female", "gender=male")
PAGES = {
    "/": "",
    "/ new": "status=new",
    "/ acknowledged": "status=acknowledged&page=5",
    "/ all": "status=all",
    "/ closed, page 100": "status=closed&page=100",
    "/ part of a name": "shop=17",
    "/ one KPI": "kpi=mean.a",
    "/shops": "",
    "/shops part of a name": "search=49",
    "/shop of 400 days": "name=shop-0001",
    "/shop of 5 days": "name=shop-0100",
    "/incident": "id=1%2F0",
    "/api/v1/incidents": "",
}

today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)


def day(ago: int) -> str:
    """A day so many days ago, as SQLite keeps it."""
    return f"{today - timedelta(days=ago):%Y-%m-%d %H:%M:%S.000000}"


def verdicts(chance: random.Random) -> Iterator[dict[str, Any]]:
    for shop in range(SHOPS):
        for event, kpi in KPIS:
            for segment in SEGMENTS:
                for ago in range(1, (LONG_DAYS if shop < LONG_SHOPS else DAYS) + 1):
                    yield {
                        "shop": f"shop-{shop:04d}", "event_type": event, "kpi": kpi,
                        "segment": segment, "span": "day", "bucket": day(ago),
                        "value": chance.gauss(100, 5), "n": 100, "state": "usual", "score": 0.3,
                        "expected": 100.0, "lower": 85.0, "upper": 115.0,
                        "reason": "as expected", "version": 1, "judged_at": day(0),
                    }  # fmt: skip


def incidents(chance: random.Random) -> Iterator[dict[str, Any]]:
    for shop in range(SHOPS):
        for place in range(14):
            event, kpi = chance.choice(KPIS)
            is_open = place < 2
            ago = chance.randint(1, 5) if is_open else chance.randint(6, 390)
            yield {
                "id": f"{shop}/{place}", "shop": f"shop-{shop:04d}", "event_type": event,
                "kpi": kpi, "segment": "all", "span": "day",
                "direction": chance.choice(["low", "high"]),
                "status": "open" if is_open else "closed", "since": day(ago),
                "until": None if is_open else day(ago - 2), "last_bucket": day(1), "value": 50.0,
                "expected": 100.0, "lower": 85.0, "upper": 115.0, "score": chance.gauss(0, 9),
                "buckets": ago, "reason": "below", "revision": 1, "updated_at": day(0),
            }  # fmt: skip


def insert(database: sqlite3.Connection, table: str, rows: Iterator[dict[str, Any]]) -> None:
    first = next(rows)
    names = ", ".join(first)
    marks = ", ".join(f":{name}" for name in first)
    statement = f"INSERT INTO {table} ({names}) VALUES ({marks})"
    database.execute(statement, first)
    database.executemany(statement, rows)


def fill(file: Path) -> None:
    upgrade(f"sqlite:///{file}")
    chance = random.Random(1)
    database = sqlite3.connect(file)
    database.execute("PRAGMA synchronous = OFF")
    insert(database, "verdicts", verdicts(chance))
    insert(database, "incidents", incidents(chance))
    database.execute(
        "INSERT INTO acknowledgements (incident_id, kind, note, who, at, silence) "
        "SELECT id, 'expected', '', 'me', updated_at, '' FROM incidents "
        "WHERE status = 'open' AND id LIKE '%/0' AND rowid % 3 = 0"
    )
    database.commit()
    database.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, help="keeps the database")
    parser.add_argument("--out", type=Path, default=None, help="folder for the results")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="pages-"))
    file = folder / "pages.db"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        print(f"filling {file}", file=sys.stderr)
        fill(file)
    engine = create_engine_for(f"sqlite:///{file}")
    site = Site(
        engine,
        Access(b"s" * 32),
        lambda: time.time_ns() // 1_000_000,
        diagnose=lambda one: told(diagnose_incident(engine, one, Settings())),
    )
    found = [measured(site, name, query) for name, query in PAGES.items()]
    engine.dispose()
    head = (
        f"`python benchmarks/web_pages.py`, {time.strftime('%Y-%m-%d')}, Python "
        f"{platform.python_version()}, {os.cpu_count()} cores of {platform.machine()} that others "
        f"use too, SQLite; {SHOPS:,} shops of {len(KPIS)} KPIs, 10,000 open and 60,000 closed "
        f"incidents, seed 1; each page {REPEATS} times.\n\n"
    )
    lines = ["| page | median | slowest | processor, median | KiB |", "|---|---:|---:|---:|---:|"]
    lines += [
        f"| {one['page']} | {one['median_ms']} ms | {one['slowest_ms']} ms | "
        f"{one['cpu_median_ms']} ms | {one['kib']} |"
        for one in found
    ]
    text = head + "\n".join(lines) + "\n"
    print(text)
    if options.out is not None:
        (options.out / "web_pages.md").write_text("# How fast the pages are\n\n" + text)
        (options.out / "web_pages.json").write_text(json.dumps(found, indent=1) + "\n")


def measured(site: Site, name: str, query: str) -> dict[str, Any]:
    """One page, asked a few times."""
    request = Request("GET", name.partition(" ")[0], query, {"host": "localhost"})
    took, used, size = [], [], 0
    for _ in range(REPEATS):
        began, cpu = time.perf_counter(), time.process_time()
        answer = site.answer(request)
        took.append(1000 * (time.perf_counter() - began))
        used.append(1000 * (time.process_time() - cpu))
        assert answer.status == HTTPStatus.OK, (name, answer.status)
        size = len(answer.body)
    return {
        "page": name,
        "median_ms": round(statistics.median(took)),
        "slowest_ms": round(max(took)),
        "cpu_median_ms": round(statistics.median(used)),
        "kib": round(size / 1024),
    }


if __name__ == "__main__":
    main()
