"""A tap folder is checked as a whole, every mistake with its place and the right name."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from streamwatch.adapters.settings.tap_files import load_tap_files, load_taps
from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import ShopSettings
from streamwatch.domain.tap_settings import Filter, TapSettings
from streamwatch.errors import ConfigurationError
from streamwatch.taps.inline_tests import unmet

START = "event: widget-event\nafter: [decode, normalise]\n"
DOCUMENTATION = Path(__file__).parents[3] / "docs" / "configuration.md"
PROJECT_TAPS = Path(__file__).parents[3] / "tap_config"


def _load(folder: Path, text: str, settings: Settings = Settings()) -> TapSettings:  # noqa: B008
    (folder / "one.yaml").write_text(text, encoding="utf-8")
    (tap,) = load_taps(folder, settings)
    return tap


def _mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        _load(folder, text)
    return [line.removeprefix(f"{folder}/") for line in str(caught.value).splitlines()]


def test_a_whole_tap_is_read(tmp_path: Path) -> None:
    text = START + (
        "filter:\n"
        "  shops: [shop-001]\n"
        "  equals: {app_version: 5.0}\n"
        "  ranges: {height: [100, 250]}\n"
        "columns: [height, weight]\n"
        "sample: 1%\n"
        "retention: 7d\n"
    )
    assert _load(tmp_path, text) == TapSettings(
        name="one",
        event="widget-event",
        stages=("decode", "normalise"),
        columns=("height", "weight"),
        filter=Filter(("shop-001",), {"app_version": "5.0"}, {"height": (100.0, 250.0)}),
        sample=0.01,
        retention=7 * 86_400_000,
    )


def test_a_short_tap_has_the_defaults(tmp_path: Path) -> None:
    assert _load(tmp_path, START) == TapSettings("one", "widget-event", ("decode", "normalise"))


@pytest.mark.parametrize(("text", "share"), [("1%", 0.01), ("0.5", 0.5), ("1", 1), ("2.5%", 0.025)])
def test_a_sample_is_a_share_or_a_percentage(tmp_path: Path, text: str, share: float) -> None:
    assert _load(tmp_path, f"{START}sample: {text}\n").sample == share


@pytest.mark.parametrize(
    ("lines", "mistake"),
    [
        ("colums: [height]\n", "one.yaml:3:1: unknown key `colums`; did you mean `columns`?"),
        ("columns: [hieght]\n", "3:11: no column `hieght` after decode, normalise; did you mean"),
        ("columns: [shopper]\n", "3:11: column `shopper` is never written; use `pseudonym`"),
        ("columns: [pseudonym]\n", "it is there from pseudonymise on, so give those stages a tap"),
        ("columns: [segments]\n", "it is there from segment on"),
        ("columns: [time]\n", "no column `time` after normalise; it is there up to validate"),
        ("columns: [event_id]\n", "3:11: `event_id` is in every tap row already; leave it out"),
        ("columns: [age, age]\n", "3:16: column `age` stands twice"),
        ("sample: 0\n", "3:9: sample must be"),
        ("sample: 101%\n", "3:9: sample must be"),
        ("sample: 10\n", "3:9: sample must be 1e-09 to 1, not `10`; did you mean `10%`?"),
        ("sample: some\n", "3:9: sample must be a share, such as 1% or 0.01, not `some`"),
        ("retention: 30\n", "3:12: retention must be a time with its unit"),
        ("filter: {equals: {shopper: anna}}\n", "3:19: a filter by person is not possible"),
        ("filter: {equals: {categry: a}}\n", "`categry` (equals of filter); did you mean `categor"),
        ("filter: {equals: {height: tall}}\n", "`height` is numeric, so it never equals `tall`"),
        ("filter: {equals: {time: x}}\n", "widget-event has no field `time` (equals of filter)"),
        ("filter: {ranges: {gender: [1, 2]}}\n", "widget-event has no numeric field `gender`"),
        ("filter: {ranges: {height: [2, 1]}}\n", "the range of `height` must be [lowest, highest]"),
        ("filter: {ranges: {height: 1}}\n", "height in ranges of filter must be two numbers"),
        ("filter: {shop: [a]}\n", "3:10: unknown key `shop` in filter; did you mean `shops`?"),
        ("tests: [{name: a, event: {event_id: a, shop: s}}]\n", "3:9: test a lacks `taken`"),
        (
            "tests: [{name: a, event: {event_id: a}, taken: true}]\n",
            "3:26: the event of test `a` lacks `shop`",
        ),
        (
            "tests: [{name: a, event: {event_id: a, shop: s, heigt: 1}, taken: true}]\n",
            "3:49: widget-event has no field `heigt`; did you mean `height`?",
        ),
        (
            "tests: [{name: a, event: {event_id: a, shop: s, height: x}, taken: true}]\n",
            "3:49: `height` is numeric, and `x` is no number",
        ),
        (
            "tests: [{name: a, event: {event_id: a, shop: s}, taken: true, columns: {size: 1}}]\n",
            "the tap writes no column `size`",
        ),
        (
            "tests: [{name: a, event: {event_id: a, shop: s}, taken: no, columns: {age: 1}}]\n",
            "taken of test a must be true or false",
        ),
        (
            "tests: [{name: a, event: {event_id: a, shop: s}, taken: false, columns: {age: 1}}]\n",
            "an event that is not taken has no columns",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, lines: str, mistake: str) -> None:
    (found,) = _mistakes(tmp_path, START + lines)
    assert found.startswith("one.yaml:")
    assert mistake in found


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", "one.yaml:1:1: the file lacks `event`"),
        (
            "event: widget\nafter: [decode]\n",
            "1:8: event cannot be `widget`; did you mean `widget-",
        ),
        (
            "event: return\nafter: [decde]\n",
            "2:9: no stage is called `decde`; did you mean `decode`",
        ),
        ("event: return\nafter: [decode, decode]\n", "2:17: stage `decode` stands twice"),
        ("event: return\nafter: []\n", "2:8: after names no stage; there are: aggregate, decode"),
        ("event: return\nafter: decode\n", "2:8: after must be a list, such as [a, b]"),
        ("event: !!python/name:os.system x\n", "1:8: tags"),
    ],
)
def test_a_tap_must_say_its_event_and_stages(tmp_path: Path, text: str, mistake: str) -> None:
    assert any(mistake in found for found in _mistakes(tmp_path, text))


def test_a_column_that_a_stage_made_has_no_value_in_a_test(tmp_path: Path) -> None:
    text = (
        "event: return\nafter: [segment]\ntests:\n- name: a\n  event: {event_id: a, shop: s}\n"
        "  taken: true\n  columns: {pseudonym: x}\n"
    )
    (found,) = _mistakes(tmp_path, text)
    assert "7:13: `pseudonym` is made by a stage" in found


def test_the_mistakes_of_all_files_are_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text("after: []\n", encoding="utf-8")
    found = _mistakes(tmp_path, START + "sampl: 1\n")
    assert [line.split(":")[0].rpartition("/")[2] for line in found] == ["one.yaml", "two.yaml"]


def test_two_files_with_one_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "one.yml").write_text(START, encoding="utf-8")
    (found,) = _mistakes(tmp_path, START)
    assert "one.yml:1:1: the tap `one` is also in" in found


def test_a_file_name_must_do_as_a_tap_name(tmp_path: Path) -> None:
    (tmp_path / "My Tap.yaml").write_text(START, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="rename the file"):
        load_taps(tmp_path, Settings())


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    for name in ("README.md", ".hidden.yaml", "one.yaml~"):
        (tmp_path / name).write_text("{", encoding="utf-8")
    assert load_taps(tmp_path, Settings()) == ()


def test_the_default_folder_may_be_missing_and_another_may_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_taps(Path("tap_config"), Settings()) == ()
    with pytest.raises(ConfigurationError, match="tap_confg: is no folder"):
        load_taps(Path("tap_confg"), Settings())


def test_a_filter_that_normalise_changes_the_meaning_of_is_advised_against(tmp_path: Path) -> None:
    text = START + "filter: {ranges: {height: [100, 250]}}\n"
    (tmp_path / "one.yaml").write_text(text, encoding="utf-8")
    (loaded,) = load_tap_files(tmp_path, Settings())
    advice = [str(one).removeprefix(f"{tmp_path}/") for one in loaded.advice]
    assert advice[0].startswith("one.yaml:1:1: tap one has no tests")
    assert advice[1].startswith("one.yaml:3:19: `height` is compared as the client sent it after")


def test_a_shop_that_the_settings_refuse_is_advised_against(tmp_path: Path) -> None:
    settings = Settings(shops={"shop-001": ShopSettings()}, known_only=True)
    text = START + "filter: {shops: [shop-001, shop-002]}\n"
    (tmp_path / "one.yaml").write_text(text, encoding="utf-8")
    (loaded,) = load_tap_files(tmp_path, settings)
    assert "one.yaml:3:28: shop `shop-002` is not in the settings" in str(loaded.advice[1])


def test_a_test_that_differs_says_how(tmp_path: Path) -> None:
    text = START + (
        "filter: {shops: [s]}\n"
        "tests:\n"
        "- {name: right, event: {event_id: a, shop: s, height: 1}, taken: true, "
        "columns: {height: 1.0, category: null}}\n"
        "- {name: left, event: {event_id: a, shop: t}, taken: true}\n"
        "- {name: took, event: {event_id: a, shop: s}, taken: false}\n"
        "- {name: value, event: {event_id: a, shop: s, app_version: 5.0}, taken: true, "
        "columns: {app_version: 5.1}}\n"
    )
    (tmp_path / "one.yaml").write_text(text, encoding="utf-8")
    (loaded,) = load_tap_files(tmp_path, Settings())
    assert [unmet(loaded.tap, test) for test in loaded.tests] == [
        [],
        ["the event is left, but the test says that it is taken"],
        ["the event is taken, but the test says that it is left"],
        ["column app_version holds '5.0', but the test says '5.1'"],
    ]


def test_the_taps_of_the_project_pass_their_own_tests() -> None:
    loaded = load_tap_files(PROJECT_TAPS, Settings())
    assert len(loaded) >= 3
    for one in loaded:
        assert one.advice == ()
        assert [text for test in one.tests for text in unmet(one.tap, test)] == []


def test_the_tap_in_the_documentation_works(tmp_path: Path) -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    (block,) = [part for part in text.split("```") if part.startswith("yaml\nevent:")]
    (tmp_path / "documented.yaml").write_text(block.removeprefix("yaml"), encoding="utf-8")
    (loaded,) = load_tap_files(tmp_path, Settings())
    assert len(loaded.tests) == 2
    assert [text for test in loaded.tests for text in unmet(loaded.tap, test)] == []


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=100) | st.text(max_size=60).map(lambda text: (START + text).encode()))
def test_any_tap_file_is_either_read_or_refused_as_configuration(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "any.yaml").write_bytes(content)
    told = ""
    try:
        taps = load_taps(tmp_path, Settings())
    except ConfigurationError as error:
        told, taps = str(error), ()
    assert (len(taps) == 1) != told.startswith(f"{tmp_path}/any.yaml:")
