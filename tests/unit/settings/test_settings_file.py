"""A file gives the settings that it says, and its documentation says what there is."""

from pathlib import Path

import msgspec
import pytest
from tests.unit.settings.written import RULE, SOURCE, loaded

from streamwatch.adapters.settings.fields import MEANINGS
from streamwatch.adapters.settings.loading import load_settings
from streamwatch.domain.events import EVENT_TYPES
from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import FieldMapping
from streamwatch.errors import ConfigurationError

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "configuration.md"
PROJECT_FILE = Path(__file__).parents[3] / "streamwatch.yaml"


def test_without_a_file_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings(None, {}) == Settings()


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_settings(tmp_path / "none.yaml", {})


def test_the_file_of_the_project_says_the_defaults_and_some_rules() -> None:
    loaded = load_settings(PROJECT_FILE, {})
    assert loaded.rules
    assert msgspec.structs.replace(loaded, rules=()) == Settings()


def test_the_file_of_the_project_names_every_setting() -> None:
    text = PROJECT_FILE.read_text(encoding="utf-8")
    assert [name for name in Settings.__struct_fields__ if f"\n{name}:" not in text] == []


def test_lengths_of_time_are_read_with_their_units(tmp_path: Path) -> None:
    text = "horizon: 2w\nfuture: 90s\nflush: {interval: 500ms}\njudging: {lateness: 15m}\n"
    found = loaded(tmp_path, text)
    assert (found.horizon, found.future) == (14 * 86_400_000, 90_000)
    assert (found.flush.interval, found.judging.lateness) == (500, 900_000)


def test_text_is_taken_as_it_is_written(tmp_path: Path) -> None:
    text = (
        RULE + "    field: size\n    allowed: [38, 40.5, no, 1e3]\n    when: {app_version: 5.0}\n"
    )
    (rule,) = loaded(tmp_path, text).rules
    assert rule.allowed == ("38", "40.5", "no", "1e3")
    assert rule.when == {"app_version": "5.0"}


def test_fields_are_mapped_in_four_ways(tmp_path: Path) -> None:
    text = SOURCE + (
        "    fields:\n"
        "      product: item.sku\n"
        "      height: {path: body.h, unit_path: body.unit}\n"
        "      weight: {unit: lb}\n"
        '      app_version: {constant: "5.0"}\n'
        "      age: {constant: 30}\n"
    )
    fields = loaded(tmp_path, text).sources[0].fields
    assert fields == {
        "product": FieldMapping(path="item.sku"),
        "height": FieldMapping(path="body.h", unit_path="body.unit"),
        "weight": FieldMapping(unit="lb"),
        "app_version": FieldMapping(constant="5.0"),
        "age": FieldMapping(constant=30.0),
    }


@pytest.mark.parametrize("text", ["sources: []\n", "sources:\n", "rules:\nshops:\n"])
def test_an_empty_section_leaves_the_default(tmp_path: Path, text: str) -> None:
    assert loaded(tmp_path, text) == Settings()


def test_every_field_of_the_configuration_is_explained() -> None:
    for struct, meanings in MEANINGS.items():
        assert tuple(meanings) == struct.__struct_fields__


def test_the_documentation_names_every_field_and_its_example_works(tmp_path: Path) -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    (block,) = [part for part in text.split("```") if part.startswith("yaml\nsources:")]
    assert len(loaded(tmp_path, block.removeprefix("yaml")).sources[0].fields) == 4
    for kind in EVENT_TYPES.values():
        (line,) = [line for line in text.splitlines() if line.startswith(f"| `{kind.name}` |")]
        named = {name.strip() for cell in line.split("|")[2:] for name in cell.split(",")}
        assert named - {""} == set(kind.received.__struct_fields__)
