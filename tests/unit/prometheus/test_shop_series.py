import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamwatch.adapters.prometheus.shopseries import count_series, most_series, shop_series
from streamwatch.domain.incidents import Incident
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.verdicts import Verdict

KEYS = st.builds(
    KpiKey,
    shop=st.just("shop-001"),
    event_type=st.sampled_from(["purchase", "widget-event"]),
    kpi=st.sampled_from(["volume", "mean.height", "mean.price.EUR", "missing.height"]),
    segment=st.sampled_from(["all", "gender=female"]),
)
NUMBERS = st.floats(allow_nan=True, allow_infinity=True)
VERDICTS = st.builds(
    Verdict,
    key=KEYS,
    bucket=st.just(0),
    value=NUMBERS,
    n=st.integers(0, 20),
    state=st.sampled_from(["warming", "usual", "unusual"]),
    score=NUMBERS,
    expected=st.none() | NUMBERS,
    lower=st.none() | NUMBERS,
    upper=st.none() | NUMBERS,
    reason=st.just(""),
)
INCIDENTS = st.builds(
    Incident,
    id=st.uuids().map(str),
    key=KEYS,
    direction=st.sampled_from(["low", "high"]),
    status=st.sampled_from(["open", "closed"]),
    since=st.integers(0, 10**12),
    until=st.none(),
    last_bucket=st.just(0),
    value=NUMBERS,
    expected=NUMBERS,
    lower=NUMBERS,
    upper=NUMBERS,
    score=NUMBERS,
    buckets=st.just(1),
    reason=st.just(""),
    revision=st.just(1),
    updated_at=st.just(0),
    origin=st.sampled_from(["", "client", "normalise"]),
    hypothesis=st.just(""),
    origin_reason=st.just(""),
)


@given(
    st.lists(VERDICTS, unique_by=lambda one: one.key, max_size=8),
    st.lists(INCIDENTS, max_size=4),
)
def test_what_is_counted_is_what_would_be_rendered(
    verdicts: list[Verdict], incidents: list[Incident]
) -> None:
    rendered = shop_series(verdicts, incidents, 10)
    sizes = rendered.first.series, rendered.segments.series
    assert count_series(verdicts, incidents, 10) == sizes
    assert sum(sizes) <= most_series(verdicts, incidents)


@given(st.lists(INCIDENTS, min_size=1, max_size=4))
def test_no_series_is_told_twice_whatever_incidents_are_known(incidents: list[Incident]) -> None:
    rendered = shop_series([], incidents, 10)
    lines = b"".join(rendered.first.text.values()).decode().splitlines()
    series = [line.rsplit(" ", 1)[0] for line in lines if "_origin_info" not in line]
    assert len(set(series)) == len(series)


OPEN = Incident(
    id="a",
    key=KpiKey("shop-001", "purchase", "volume"),
    direction="low",
    status="open",
    since=0,
    until=None,
    last_bucket=0,
    value=1.0,
    expected=9.0,
    lower=5.0,
    upper=13.0,
    score=-7.0,
    buckets=1,
    reason="",
    revision=1,
    updated_at=0,
    origin="normalise",
)


@pytest.mark.parametrize(
    ("part_of", "covered"), [("*/purchase/volume@0", "fleet"), ("shop-001/a@0", "shop")]
)
def test_an_incident_that_another_stands_for_is_not_open_and_says_who_covers_it(
    part_of: str, covered: str
) -> None:
    part = msgspec.structs.replace(OPEN, part_of=part_of)
    told = shop_series([], [part], 10).first.text
    lines = told["streamwatch_incident_open"].decode().splitlines()
    assert {line.rsplit(" ", 1)[1] for line in lines} == {"0"}
    assert "streamwatch_incident_since_timestamp_seconds" not in told
    assert f'covered="{covered}"'.encode() in told["streamwatch_incident_origin_info"]


def test_the_origin_of_an_open_incident_is_told_and_goes_when_it_closes() -> None:
    incident = OPEN
    gauge = "streamwatch_incident_origin_info"
    (line,) = shop_series([], [incident], 10).first.text[gauge].decode().splitlines()
    assert line.startswith(gauge + '{covered="",direction="low",event_type="purchase",kpi="volume"')
    assert line.endswith(',origin="normalise"} 1')
    unknown = msgspec.structs.replace(incident, origin="")
    assert b'origin="undetermined"' in shop_series([], [unknown], 10).first.text[gauge]
    closed = msgspec.structs.replace(incident, status="closed")
    assert gauge not in shop_series([], [closed], 10).first.text
