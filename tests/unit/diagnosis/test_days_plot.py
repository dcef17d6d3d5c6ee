"""The plot of the days shows the days, whatever the band of one of them is."""

import re

from streamwatch.diagnosis.plot import Point, days_plot

USUAL = [Point(f"{day} May", 170.0, 165.0, 175.0, unusual=False) for day in range(1, 8)]


def ticks(svg: str) -> set[str]:
    return set(re.findall(r'text-anchor="end"[^>]*>([-0-9.]+)<', svg))


def test_the_wide_band_of_a_day_of_which_nothing_is_told_does_not_squeeze_the_others() -> None:
    few = Point("8 May", None, -500.0, 840.0, unusual=True)
    plain, beside = days_plot("mean height", USUAL), days_plot("mean height", [*USUAL, few])
    assert ticks(plain) == ticks(beside)
    heights = [float(one) for one in re.findall(r'<rect [^>]*height="([0-9.]+)"', beside)]
    assert max(heights) <= 260


def test_a_plot_of_bands_alone_shows_them() -> None:
    few = Point("8 May", None, 100.0, 200.0, unusual=False)
    assert {"100", "200"} <= ticks(days_plot("mean height", [few]))
