"""What leaves the company, and what must not."""

import csv
import hashlib
import io
import re

import msgspec
import pytest
from tests.unit.diagnosis.heights import broken_after, usual_day

from streamwatch.adapters.evidence_pdf import pdf_of
from streamwatch.diagnosis import evidence
from streamwatch.diagnosis.normal import FeatureNormal
from streamwatch.diagnosis.pack import Pack
from streamwatch.diagnosis.paired import Pair
from streamwatch.diagnosis.report import Stored, make_report
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.smallgroups import LEAST_GROUP
from streamwatch.domain.verdicts import Verdict

DAY = 86_400_000
KEY = KpiKey("shop-003", "widget-event", "mean.height")


def files(pack: Pack) -> dict[str, bytes]:
    return evidence.files(pack, pdf_of)


def pair(number: int, event_id: str) -> Pair:
    fields = {"app_version": "5.0.0", "height_unit": "cm", "gender": "female"}
    return Pair("widget-event", 0, number, event_id, 30 * DAY + number, 66.9, 66.9, fields)


@pytest.fixture
def pack(normal: FeatureNormal) -> Pack:
    day = broken_after("decode", 99, lambda _, value: value / 2.54)
    told = Verdict(
        KEY, 30 * DAY, day.last.mean, 400, "unusual", -9.0, 170.0, 165.0, 175.0, "far off"
    )
    stored = Stored(
        key=KEY,
        bucket=30 * DAY,
        before={seed * DAY: {"height": usual_day(seed)} for seed in range(30)},
        departing={},
        days={"height": day},
        verdict=told,
        pairs={("decode", "normalise"): [pair(n, f"e-{n}") for n in range(20)]},
    )
    report = make_report(stored)
    return Pack(
        report=report,
        since=30 * DAY,
        until=None,
        verdicts=[told],
        usual=normal.sketch,
        now=dict(day.sketch),
        bad=report.bad,
        made_at=31 * DAY,
    )


def test_the_pack_shows_what_the_client_sent(pack: Pack) -> None:
    found = {name: data.decode("latin-1") for name, data in files(pack).items()}
    assert set(found) == {
        "evidence.html", "evidence.pdf", "days.svg", "values.svg", "days.csv", "records.csv",
        "message.txt", "SHA256SUMS",
    }  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(found["records.csv"])))
    assert rows[0]["event_id"] == "e-0"
    assert rows[0]["offset"] == "0"
    assert rows[0]["height_as_declared"] == "66.9"
    assert "inches for centimetres" in found["message.txt"]
    assert "e-0" in found["message.txt"]


def test_the_checksums_are_those_of_the_files(pack: Pack) -> None:
    found = files(pack)
    lines = [line.split("  ") for line in found.pop("SHA256SUMS").decode().splitlines()]
    sums = {name: digest for digest, name in lines}
    assert sums == {name: hashlib.sha256(data).hexdigest() for name, data in found.items()}


def test_only_allowed_fields_are_told_of_a_record(pack: Pack) -> None:
    heading = files(pack)["records.csv"].decode().splitlines()[0].split(",")
    assert heading == [
        "topic", "partition", "offset", "event_id", "time_utc", "app_version",
        "height_as_declared", "height_unit",
    ]  # fmt: skip


def test_of_few_records_nothing_is_told(pack: Pack) -> None:
    few = msgspec.structs.replace(
        pack,
        bad=pack.bad[: LEAST_GROUP - 1],
        now={250: LEAST_GROUP - 1},
        report=msgspec.structs.replace(
            pack.report,
            verdict=msgspec.structs.replace(pack.report.verdict, n=3)
            if pack.report.verdict
            else None,
            lines=tuple(
                msgspec.structs.replace(line, records=3, missing=0) for line in pack.report.lines
            ),
        ),
        verdicts=[msgspec.structs.replace(one, n=3) for one in pack.verdicts],
    )
    found = {name: data.decode("latin-1") for name, data in files(few).items()}
    assert "records.csv" not in found
    assert "values.svg" not in found
    for name in ("message.txt", "days.csv", "days.svg"):
        assert "66.9" not in found[name]
        assert "e-0" not in found[name]


def test_an_id_that_may_be_an_address_is_withheld(pack: Pack) -> None:
    named = msgspec.structs.replace(
        pack, bad=tuple(pair(n, f"jane{n}@example.org") for n in range(20))
    )
    for data in files(named).values():
        assert b"jane" not in data


def test_text_of_the_client_is_no_formula_and_no_markup(pack: Pack) -> None:
    wild = msgspec.structs.replace(
        pack, bad=tuple(pair(n, "=HYPERLINK(1)<script>") for n in range(20)),
        report=msgspec.structs.replace(
            pack.report, bad=tuple(pair(n, "<script>alert(1)") for n in range(20)),
            key=KpiKey("<b>shop", "widget-event", "mean.height"),
        ),
    )  # fmt: skip
    found = files(wild)
    assert b"'=HYPERLINK(1)" in found["records.csv"]
    assert b"<script>" not in found["evidence.html"]
    assert b"<b>" not in found["evidence.html"]


def test_the_page_asks_nothing_of_the_network(pack: Pack) -> None:
    page = files(pack)["evidence.html"].decode()
    links = set(re.findall(r"https?://[^\"' <]+", page))
    assert links <= {"http://www.w3.org/2000/svg"}
    assert "src=" not in page
    assert "default-src 'none'" in page


def test_the_same_pack_has_the_same_bytes(pack: Pack) -> None:
    assert files(pack) == files(pack)


def test_no_bar_of_the_values_shows_fewer_than_enough_records(pack: Pack) -> None:
    lonely = msgspec.structs.replace(pack, now={250: 40, 300: LEAST_GROUP - 1})
    enough = msgspec.structs.replace(pack, now={250: 40, 300: LEAST_GROUP})
    bars = [files(one)["values.svg"].count(b"<path") for one in (lonely, enough)]
    assert bars == [1, 2]


def test_the_pdf_is_one_for_any_shop_name(pack: Pack) -> None:
    key = KpiKey("магазин-3", "widget-event", "mean.height")
    report = msgspec.structs.replace(pack.report, key=key)
    found = files(msgspec.structs.replace(pack, report=report))
    assert found["evidence.pdf"].startswith(b"%PDF-")
    assert b"/URI" not in found["evidence.pdf"]
    assert "магазин-3" in found["evidence.html"].decode()
