"""Databases that earlier versions left behind: after `db upgrade` all goes on where it was.

``tests/golden/revision-*.db.gz`` are what `streamwatch watch` of those versions made of the first
three weeks of ``streamwatch simulate --shops 2 --largest 60 --smallest 40 --days 26 --seed 11
--fault inches@shop-001:24``; ``later.jsonl.gz`` is the rest, from noon of the 23rd day on. Stored
verdicts and statistics were deleted to keep the files small.
"""

import gzip
from datetime import date
from pathlib import Path

import pytest
from tests.functional.command import Run
from tests.functional.lines import rows

GOLDEN = Path(__file__).parents[1] / "golden"
EARLIER = sorted(GOLDEN.glob("revision-*.db.gz"))
SENT = {"shop-001": (63, 135, 79), "shop-002": (41, 37, 95)}
"""Widget events of the 23rd, 24th and 25th; of the 23rd half were counted by the old one."""


@pytest.mark.parametrize("database", EARLIER, ids=lambda file: file.name)
def test_what_an_earlier_version_stored_is_read_and_goes_on(
    run: Run, tmp_path: Path, database: Path
) -> None:
    (tmp_path / "streamwatch.db").write_bytes(gzip.decompress(database.read_bytes()))
    later = gzip.decompress((GOLDEN / "later.jsonl.gz").read_bytes())
    (tmp_path / "later.jsonl").write_bytes(later)
    assert "went from revision" in run("db", "upgrade").out
    assert run("watch", "later.jsonl").code == 1
    judged = rows(
        tmp_path,
        "SELECT shop, substr(bucket, 1, 10), n, expected IS NOT NULL FROM verdicts"
        " WHERE event_type = 'widget-event' AND kpi = 'volume' AND segment = 'all'"
        " AND span = 'day' AND bucket >= '2026-09-23' ORDER BY shop, bucket",
    )
    assert judged == [
        (shop, date(2026, 9, 23 + day).isoformat(), sent, True)
        for shop, by_day in SENT.items()
        for day, sent in enumerate(by_day)
    ]
    opened = rows(
        tmp_path, "SELECT id FROM incidents WHERE kpi = 'mean.height' AND segment = 'all'"
    )
    assert opened == [("shop-001/widget-event/mean.height/all/day/low@2026-09-25T00:00:00Z",)]
    status = run("db", "status")
    assert status.code == 0, status.out
