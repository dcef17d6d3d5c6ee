"""A foreign CSV file of the shape of "Online Retail" through Kafka, by the commands alone."""

import csv
import datetime as dt
import gzip
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

EXAMPLE = Path(__file__).parents[2] / "examples" / "online-retail"
COLUMNS = (
    "InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID",
    "Country",
)  # fmt: skip
COUNTRIES = ("United Kingdom",) * 8 + ("Germany", "France", "EIRE")
DAYS = 40
CUSTOMER = "17850.0"


class Foreign:
    """The file, the folder with the example's configuration, and the commands in it.

    Attributes:
        lines: how many lines the file has.
        kinds: what they are: sale, return, correction, gift, adjustment, broken.
    """

    def __init__(self, folder: Path, kafka: str, name: str) -> None:
        self.folder = folder
        self.kinds: Counter[str] = Counter()
        shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
        for file in ("streamwatch.yaml", "routes.yaml"):
            body = (folder / file).read_text()
            body = body.replace("topic: online-retail", f"topic: {name}")
            body = body.replace("group: online-retail", f"group: {name}")
            (folder / file).write_text(body.replace("prefix: online-retail", f"prefix: {name}"))
        own = {k: v for k, v in os.environ.items() if not k.startswith("STREAMWATCH_")}
        self._environment = {
            **own,
            "STREAMWATCH_KAFKA_BOOTSTRAP": kafka,
            "STREAMWATCH_METRICS_PORT": "0",
        }
        self._write()

    @property
    def lines(self) -> int:
        return self.kinds.total()

    def _write(self) -> None:
        chance = random.Random(7)  # noqa: S311  # a file for a test, the same each time
        with gzip.open(self.folder / "retail.csv.gz", "wt", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(COLUMNS)
            for number in range(1_600):
                share = number / 1_600
                moment = dt.datetime(2011, 3, 1, 8) + share * dt.timedelta(days=DAYS)  # noqa: DTZ001
                country = chance.choice(COUNTRIES)
                for _ in range(chance.randint(1, 4)):
                    rows.writerow(self._row(chance, number, moment, country))
            file.write("a line, that, is, cut, off, in, the, middle, of, nothing\r\n")
            self.kinds["broken"] += 1

    def _row(
        self, chance: random.Random, number: int, moment: dt.datetime, country: str
    ) -> list[str]:
        invoice, quantity, price = f"{536_365 + number}", chance.randint(1, 24), 2.55
        kind = chance.choices(
            ("sale", "return", "correction", "gift", "adjustment"), (900, 60, 20, 20, 2)
        )[0]
        if kind == "return":
            invoice, quantity = f"C{invoice}", -quantity
        elif kind == "correction":
            quantity = -quantity
        elif kind == "gift":
            price = 0.0
        elif kind == "adjustment":
            invoice = f"A{invoice}"
        self.kinds[kind] += 1
        customer = CUSTOMER if chance.random() < 0.75 else ""
        product = "WHITE HANGING HEART, T-LIGHT HOLDER"
        return [
            invoice, "85123A", product, str(quantity), moment.isoformat(" ", "seconds"),
            f"{price}", customer, country,
        ]  # fmt: skip

    def run(self, *arguments: str) -> dict[str, Any]:
        """A command's answer in JSON."""
        done = subprocess.run(
            [sys.executable, "-m", "streamwatch", *arguments, "--json"],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode in (0, 1), done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    @contextmanager
    def worker(self) -> Iterator[None]:
        """A worker that runs meanwhile and ends by SIGTERM without complaint."""
        log = self.folder / "worker.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "streamwatch", "worker"],
                cwd=self.folder,
                env=self._environment,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        try:
            yield
            assert process.poll() is None, log.read_text()
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0, log.read_text()
        finally:
            process.kill()
            process.wait()

    def rows(self, query: str, database: str = "online-retail.db") -> list[tuple[Any, ...]]:
        engine = create_engine(f"sqlite:///{self.folder / database}")
        try:
            with engine.connect() as connection:
                return [tuple(row) for row in connection.execute(text(query))]
        finally:
            engine.dispose()

    def wait_until(self, condition: Callable[[], bool], seconds: float = 90.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, (self.folder / "worker.log").read_text()
            time.sleep(0.2)


@pytest.fixture(name="foreign")
def _foreign(kafka: str, topic_name: Callable[[str], str], tmp_path: Path) -> Foreign:
    return Foreign(tmp_path, kafka, topic_name("retail"))


VERDICTS = """
    SELECT shop, event_type, kpi, span, bucket, n, state, round(value, 6)
    FROM verdicts WHERE bucket < '2011-04-06' ORDER BY 1, 2, 3, 4, 5
"""
"""Without the last days: without a broker returns are judged up to the newest line of all."""


def test_a_foreign_file_through_kafka_adds_up_and_gives_what_watch_gives(foreign: Foreign) -> None:
    watched = foreign.run(
        "watch", "retail.csv.gz", "--routes", "routes.yaml", "--database", "sqlite:///watched.db"
    )
    assert all(one["adds_up"] for one in watched["accounting"].values())
    assert sum(one["records_in"] for one in watched["accounting"].values()) == foreign.lines

    foreign.run("db", "upgrade")
    foreign.run("topics", "create")
    sent = foreign.run("replay", "retail.csv.gz", "--routes", "routes.yaml")
    assert sum(sent["sent"].values()) == foreign.lines

    judged = len(foreign.rows(VERDICTS, "watched.db"))
    with foreign.worker():
        taken = "SELECT coalesce(sum(records_in), 0) FROM accounting"
        foreign.wait_until(lambda: foreign.rows(taken) == [(foreign.lines,)])
        foreign.wait_until(lambda: len(foreign.rows(VERDICTS)) >= judged)

    _check_accounting(foreign)
    _check_taps(foreign)
    assert foreign.rows(VERDICTS) == foreign.rows(VERDICTS, "watched.db")


def _check_accounting(foreign: Foreign) -> None:
    kinds = foreign.kinds
    totals = "sum(aggregated), sum(rejected), sum(dead_lettered), sum(duplicates), sum(gaps)"
    rejected = kinds["correction"] + kinds["gift"] + kinds["adjustment"]
    counted = kinds["sale"] + kinds["return"]
    assert foreign.rows(f"SELECT {totals} FROM accounting") == [
        (counted, rejected, kinds["broken"], 0, 0)
    ]
    assert counted + rejected + kinds["broken"] == foreign.lines
    reasons = "SELECT reason, count(*) FROM rejects GROUP BY 1"
    assert dict(foreign.rows(reasons)) == {
        "stock-correction": kinds["correction"],
        "no-price": kinds["gift"],
        "not-an-order": kinds["adjustment"],
        "undecodable": kinds["broken"],
    }


def _check_taps(foreign: Foreign) -> None:
    returns = foreign.rows(
        "SELECT shop, quantity, pseudonym, event_id, occurred_at FROM tap_return_segment"
    )
    assert len(returns) == foreign.kinds["return"]
    assert {shop for shop, *_ in returns} <= set(COUNTRIES)
    assert all(quantity < 0 for _, quantity, *_ in returns)
    assert all(event_id.startswith("retail.csv.gz:") for *_, event_id, _ in returns)
    # One customer has one pseudonym in a shop, and another one in each shop.
    pseudonyms = {(shop, name) for shop, _, name, *_ in returns if name is not None}
    assert len(pseudonyms) == len({shop for shop, _ in pseudonyms})
    assert len({name for _, name in pseudonyms}) == len(pseudonyms)
    times = sorted(time for *_, time in returns)
    assert times[0].startswith("2011-03-01 ")
    database = (foreign.folder / "online-retail.db").read_bytes()
    assert CUSTOMER.encode() not in database
