import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamwatch.errors import ConfigurationError
from streamwatch.simulation.fleet import (
    RHYTHMS,
    FleetSettings,
    build_fleet,
    shop_names,
    shop_sizes,
)
from streamwatch.simulation.season import expected_visits, is_holiday, visits


@given(shops=st.integers(1, 300), smallest=st.floats(0.5, 100), ratio=st.floats(1, 1e4))
def test_sizes_fall_in_even_steps_of_the_logarithm(
    shops: int, smallest: float, ratio: float
) -> None:
    settings = FleetSettings(shops, 1, smallest=smallest, largest=smallest * ratio)
    sizes = shop_sizes(settings)
    steps = np.diff(np.log(sizes))
    assert sizes[0] == pytest.approx(smallest * ratio)
    assert shops == 1 or sizes[-1] == pytest.approx(smallest)
    assert np.allclose(steps, steps[:1], atol=1e-9)
    assert (steps <= 0).all() or ratio < 1 + 1e-9


def test_shops_are_named_from_the_largest() -> None:
    assert shop_names(FleetSettings(3, 1)) == ("shop-001", "shop-002", "shop-003")
    assert shop_names(FleetSettings(1000, 1))[-1] == "shop-1000"


def test_ten_shops_have_all_three_rhythms() -> None:
    rhythm = build_fleet(FleetSettings(10, 1)).rhythm
    assert [RHYTHMS[number] for number in rhythm[[0, 3, 6, 8]]] == [
        "continuous",
        "daily file",
        "weekly file",
        "daily file",
    ]
    assert (rhythm == 0).sum() == 7


def test_scale_multiplies_every_shop() -> None:
    whole, tenth = shop_sizes(FleetSettings(5, 1)), shop_sizes(FleetSettings(5, 1, scale=0.1))
    assert np.allclose(tenth * 10, whole)


def test_most_shops_are_quieter_on_a_holiday() -> None:
    settings = FleetSettings(50, 7, start=dt.date(2026, 12, 18), sale_rate=0)
    fleet = build_fleet(settings)
    assert is_holiday(dt.date(2026, 12, 25))
    quieter = expected_visits(fleet, 7) < 0.8 * expected_visits(fleet, 0)
    assert 0.6 < quieter.mean() < 1


def test_all_shops_sell_more_on_black_friday_unless_sales_are_off() -> None:
    start = dt.date(2026, 11, 20)
    fleet = build_fleet(FleetSettings(20, 8, start=start, sale_rate=1e-12))
    calm = build_fleet(FleetSettings(20, 8, start=start, sale_rate=0))
    assert (expected_visits(fleet, 7) > 1.2 * expected_visits(fleet, 0)).all()
    assert (expected_visits(calm, 7) < 1.1 * expected_visits(calm, 0)).all()


def test_days_vary_by_more_than_poisson() -> None:
    fleet = build_fleet(FleetSettings(1, 1, largest=10_000, sale_rate=0))
    counts = np.array([visits(fleet, 7 * week)[0] for week in range(200)])
    expected = np.array([expected_visits(fleet, 7 * week)[0] for week in range(200)])
    assert np.std(counts / expected) > 3 / np.sqrt(10_000)
    assert np.mean(counts / expected) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(
    "settings",
    [
        FleetSettings(0, 1),
        FleetSettings(1, 0),
        FleetSettings(1, 1, seed=-1),
        FleetSettings(1, 1, smallest=0),
        FleetSettings(1, 1, smallest=10, largest=5),
        FleetSettings(1, 1, scale=0),
        FleetSettings(1, 1, scale=float("nan")),
        FleetSettings(1, 1, largest=1e9),
        FleetSettings(1, 1, history_days=-1),
        FleetSettings(1, 1, sale_rate=2),
    ],
)
def test_settings_out_of_range_are_refused(settings: FleetSettings) -> None:
    with pytest.raises(ConfigurationError, match="simulation: "):
        build_fleet(settings)
