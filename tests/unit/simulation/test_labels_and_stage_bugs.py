from pathlib import Path

import pytest

from streamwatch.domain.events import Purchase, WidgetEvent
from streamwatch.errors import ConfigurationError
from streamwatch.simulation.faults import FAULT_KINDS, parse_fault
from streamwatch.simulation.fleet import DAY_MS, FleetSettings
from streamwatch.simulation.labels import labels, read_labels, write_labels
from streamwatch.simulation.stagebug import StageBug, misbehave, stage_bugs

FLEET = FleetSettings(4, 60)
HEAD = "fault,shop,event_type,kpi,segment,start,end,origin,argument\n"
START = FLEET.start_ms


def truth(*texts: str) -> list[tuple[str, str, str]]:
    found = labels(FLEET, [parse_fault(text) for text in texts])
    return [(label.event_type, label.kpi, label.segment) for label in found]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("silence@shop-001:3", ("widget-event", "volume", "all")),
        ("drop@shop-001:3", ("widget-event", "volume", "all")),
        ("surge@shop-001:3", ("widget-event", "volume", "all")),
        ("inches@shop-001:3", ("widget-event", "mean.height", "all")),
        ("tenfold@shop-001:3", ("widget-event", "mean.weight", "all")),
        ("tenfold@shop-001:3:quantity", ("purchase", "mean.quantity", "all")),
        ("missing-field@shop-001:3", ("widget-event", "missing.height", "all")),
        ("missing-field@shop-001:3:size", ("purchase", "missing.size", "all")),
        ("sizes-lost@shop-001:3", ("purchase", "mix.size", "all")),
        ("wrong-label@shop-001:3", ("widget-event", "mean.height", "gender=female")),
        ("duplicate-file@shop-001:3", ("widget-event", "volume", "all")),
        ("late@shop-001:3", ("widget-event", "silence", "all")),
        ("stage-bug@shop-001:3", ("widget-event", "mean.height", "all")),
    ],
)
def test_the_main_kpi_comes_first(text: str, first: tuple[str, str, str]) -> None:
    assert truth(text)[0] == first


def test_a_fault_of_all_shops_has_labels_for_each() -> None:
    found = labels(FLEET, [parse_fault("inches@*:3")])
    assert [label.shop for label in found] == ["shop-001", "shop-002", "shop-003", "shop-004"]


def test_labels_tell_time_and_origin() -> None:
    client, stage = labels(
        FLEET, [parse_fault("inches@shop-001:3.5+2"), parse_fault("stage-bug@shop-001:4:segment")]
    )
    assert (client.start_ms, client.end_ms) == (START + 7 * DAY_MS // 2, START + 11 * DAY_MS // 2)
    assert (client.origin, stage.origin) == ("client", "segment")
    assert stage.end_ms == FLEET.end_ms


def test_labels_are_read_as_they_were_written(tmp_path: Path) -> None:
    rows = labels(FLEET, [parse_fault(kind.example) for kind in FAULT_KINDS.values()])
    file = tmp_path / "truth.csv"
    write_labels(file, rows)
    assert [label for _, label in read_labels(file)] == rows
    head, first = file.read_text(encoding="utf-8").splitlines()[:2]
    assert head == "fault,shop,event_type,kpi,segment,start,end,origin,argument"
    assert "2026-10-11T00:00:00.000Z" in first


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_a_labels_argument_describes_the_fault_in_full(kind: str) -> None:
    fault = parse_fault(FAULT_KINDS[kind].example)
    label = labels(FLEET, [fault])[0]
    length = "" if fault.length is None else f"+{fault.length:g}"
    again = f"{kind}@{fault.shop}:{fault.day:g}{length}:{label.argument}"
    assert parse_fault(again.rstrip(":")) == fault


def test_bugs_are_read_back_from_the_labels(tmp_path: Path) -> None:
    file = tmp_path / "truth.csv"
    faults = [
        "inches@shop-001:3",
        "stage-bug@shop-002:57:normalise/0.3",
        "stage-bug@shop-003:57+1:validate/5.0.0/quantity/10",
    ]
    write_labels(file, labels(FLEET, [parse_fault(text) for text in faults]))
    start = START + 57 * DAY_MS
    assert stage_bugs(file) == [
        StageBug("normalise", "shop-002", start, FLEET.end_ms, share=0.3),
        StageBug(
            "validate",
            "shop-003",
            start,
            start + DAY_MS,
            field="quantity",
            factor=10.0,
            app_version="5.0.0",
        ),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "truth.csv:1: the columns must be fault,shop"),
        (
            HEAD + "x,y,z\n",
            "truth.csv:2: not a label",
        ),
        (
            HEAD + "drop,s,purchase,volume,all,2026-09-01,2026-09-02,client,\n",
            "truth.csv:2: not a label: time '2026-09-01' has no zone",
        ),
        (
            HEAD
            + "stage-bug,s,purchase,volume,all,2026-09-01T00:00:00Z,2026-09-02T00:00:00Z,x,y/1\n",
            "truth.csv:2: .*knows no stage 'y'",
        ),
    ],
)
def test_a_wrong_labels_file_is_refused_with_its_line(
    tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "truth.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=message):
        stage_bugs(file)


def test_a_labels_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.csv: the labels cannot be read"):
        stage_bugs(tmp_path / "none.csv")


BUG = StageBug("normalise", "shop-001", 1000, 2000, factor=0.5)


def widget(event_id: str = "a", shop: str = "shop-001", version: str = "5.0.0") -> WidgetEvent:
    return WidgetEvent(event_id, shop, height=170.0, weight=60.0, app_version=version)


def test_a_bug_changes_one_field_of_its_shop_in_its_time() -> None:
    event = widget()
    broken = misbehave([BUG], event, 1000)
    assert isinstance(broken, WidgetEvent)
    assert (broken.height, broken.weight) == (85.0, 60.0)
    assert misbehave([BUG], event, 999) is event
    assert misbehave([BUG], event, 2000) is event
    other = widget(shop="shop-002")
    assert misbehave([BUG], other, 1500) is other


def test_a_bug_leaves_events_alone_that_lack_its_field() -> None:
    for event in (WidgetEvent("a", "shop-001"), Purchase("a", "shop-001", price=3.0)):
        assert misbehave([BUG], event, 1500) is event


def test_a_bug_of_a_version_hits_only_its_records() -> None:
    bug = StageBug("normalise", "shop-001", 0, 2000, app_version="5.0.0")
    old, new = widget(version="4.2.0"), widget(version="5.0.0")
    assert misbehave([bug], old, 5) is old
    assert misbehave([bug], new, 5) is not new


def test_a_share_of_events_is_chosen_by_their_id_alone() -> None:
    bug = StageBug("normalise", "shop-001", 0, 2000, share=0.3)
    hits = [misbehave([bug], widget(f"e{n}"), n % 2000) is not None for n in range(10)]
    changed = [misbehave([bug], widget(f"e{n}"), 5) != widget(f"e{n}") for n in range(3000)]
    again = [misbehave([bug], widget(f"e{n}"), 9) != widget(f"e{n}") for n in range(3000)]
    assert all(hits)
    assert changed == again
    assert sum(changed) / 3000 == pytest.approx(0.3, abs=0.03)
