import pytest

from streamwatch.backtest.labels import faults_of
from streamwatch.errors import ConfigurationError

HEAD = "fault,shop,event_type,kpi,segment,start,end,origin,argument"
DAY = "2026-09-01T00:00:00.000Z,2026-09-02T00:00:00.000Z"


def test_the_rows_of_one_fault_are_one_fault() -> None:
    lines = [
        HEAD,
        f"silence,a,purchase,volume,all,{DAY},client,",
        f"silence,a,return,volume,all,{DAY},client,",
        f"silence,b,return,volume,all,{DAY},client,",
    ]
    first, second = faults_of(lines, "truth.csv")
    assert first.kpis == {("purchase", "volume"), ("return", "volume")}
    assert (first.shop, second.shop) == ("a", "b")
    assert first.end - first.start == 86_400_000


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["fault,shop,event_type,kpi,segment,begin,end"], "truth.csv:1: no column `start`"),
        ([HEAD, "x,a,purchase,volume,all,soon,later,,"], "truth.csv:2: 'soon' is no time"),
        ([HEAD, "x,a,purchase,volume,all,2026-09-01,2026-09-02,,"], "lacks its zone"),
        (
            [HEAD, "x,a,purchase,volume,all,2026-09-02T00:00Z,2026-09-01T00:00Z,,"],
            "truth.csv:2: the fault ends before it starts",
        ),
        ([HEAD, "x,a"], "truth.csv:2: None is no time"),
        ([], "truth.csv:1: no column `fault`"),
    ],
)
def test_a_wrong_label_file_is_refused_with_its_line(lines: list[str], told: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        faults_of(lines, "truth.csv")
    assert told in str(error.value)
