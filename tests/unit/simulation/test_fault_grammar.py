import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamwatch.errors import ConfigurationError
from streamwatch.simulation.faults import (
    FAULT_KINDS,
    Fault,
    check_faults,
    parse_fault,
    window,
)
from streamwatch.simulation.fleet import DAY_MS, FleetSettings

FLEET = FleetSettings(4, 60)


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_the_example_of_every_kind_is_read(kind: str) -> None:
    fault = parse_fault(FAULT_KINDS[kind].example)
    assert fault.kind == kind
    check_faults((fault,), FLEET)


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_no_kind_needs_an_argument(kind: str) -> None:
    assert parse_fault(f"{kind}@*:3").length == FAULT_KINDS[kind].length


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("drop@*:40.5+0.25", Fault("drop", "*", 40.5, 0.25, share=0.5)),
        ("surge@shop-001:4:5", Fault("surge", "shop-001", 4, 1, factor=5)),
        ("late@shop-001:4:6", Fault("late", "shop-001", 4, 1, hours=6)),
        ("tenfold@shop-001:4", Fault("tenfold", "shop-001", 4, field="weight")),
        ("tenfold@s:4:price/0.2", Fault("tenfold", "s", 4, field="price", share=0.2)),
        (
            "stage-bug@s:4:normalise/0.3/weight/2",
            Fault("stage-bug", "s", 4, share=0.3, factor=2, field="weight", stage="normalise"),
        ),
        (
            "stage-bug@s:4:validate/5.0.0",
            Fault(
                "stage-bug",
                "s",
                4,
                factor=1 / 2.54,
                field="height",
                stage="validate",
                app_version="5.0.0",
            ),
        ),
    ],
)
def test_arguments_are_read(text: str, fault: Fault) -> None:
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("inchs@shop-001:3", "did you mean 'inches'.*Example: inches@"),
        ("zzz@shop-001:3", "no kind 'zzz' Known: silence"),
        ("silence", "KIND@SHOP:DAY.*Example: silence@"),
        ("silence@:3", "KIND@SHOP:DAY"),
        ("silence@shop-001", "KIND@SHOP:DAY"),
        ("silence@shop-001:3:x", "takes no argument"),
        ("drop@shop-001:3:2", "share above 0 and up to 1, not '2'"),
        ("drop@shop-001:x", "day of 0 or more, not 'x'"),
        ("drop@shop-001:-1", "day of 0 or more"),
        ("drop@shop-001:nan", "day of 0 or more"),
        ("drop@shop-001:1+0", "length in days above 0"),
        ("surge@shop-001:1:1", "factor above 1"),
        ("late@shop-001:1:-3", "hours above 0"),
        ("tenfold@shop-001:1:hight", "did you mean 'height'"),
        ("stage-bug@shop-001:1:normalize/0.3", "did you mean 'normalise'"),
        ("stage-bug@shop-001:1:normalise/all", "a version such as 5.0.0"),
        ("stage-bug@shop-001:1:normalise/1/height/2/3", "at most"),
    ],
)
def test_what_is_not_understood_is_refused_with_a_way_out(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parse_fault(text)


@given(
    st.text(max_size=40)
    | st.sampled_from(["drop@", "late@a:1:", "x@a:1+"]).flatmap(
        lambda start: st.text(max_size=8).map(lambda end: start + end)
    )
)
def test_any_text_is_either_a_fault_or_a_configuration_error(text: str) -> None:
    try:
        assert parse_fault(text).kind in FAULT_KINDS
    except ConfigurationError as error:
        assert "Example: " in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("silence@shop-009:3", "no shop 'shop-009'; there is shop-001 to shop-004"),
        ("silence@shop-001:60", "day 60 is not simulated; the days are 0 to 59"),
    ],
)
def test_shops_and_days_that_are_not_simulated_are_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        check_faults((parse_fault(text),), FLEET)


def test_a_window_ends_with_the_simulation() -> None:
    start = FLEET.start_ms
    assert window(parse_fault("drop@*:2.5"), FLEET) == (
        start + 5 * DAY_MS // 2,
        start + 7 * DAY_MS // 2,
    )
    assert window(parse_fault("inches@*:2"), FLEET) == (start + 2 * DAY_MS, FLEET.end_ms)
    assert window(parse_fault("drop@*:59+9"), FLEET)[1] == FLEET.end_ms
