"""Environment variables go over the file, and are checked as the file is."""

import logging
from pathlib import Path

import pytest

from streamwatch.adapters.settings.environment import unknown_variables, variables
from streamwatch.adapters.settings.loading import load_settings
from streamwatch.domain.settings import Settings
from streamwatch.errors import ConfigurationError


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    file = tmp_path / "streamwatch.yaml"
    file.write_text("kafka: {bootstrap: 'file:1', group: g}\nmetrics_port: 1\n", encoding="utf-8")
    return file


def test_a_variable_goes_over_the_file_and_leaves_the_rest(file: Path) -> None:
    loaded = load_settings(
        file, {"STREAMWATCH_KAFKA_BOOTSTRAP": "env:2,env:3", "STREAMWATCH_METRICS_PORT": "0"}
    )
    assert loaded.kafka.bootstrap == "env:2,env:3"
    assert loaded.kafka.group == "g"
    assert loaded.metrics_port == 0


def test_lists_truths_and_lengths_of_time_are_read(file: Path) -> None:
    loaded = load_settings(
        file,
        {
            "STREAMWATCH_CURRENCIES": "EUR, SEK",
            "STREAMWATCH_HORIZON": "30d",
            "STREAMWATCH_FLUSH_INTERVAL": "2s",
            "STREAMWATCH_KNOWN_ONLY": "false",
            "STREAMWATCH_JUDGING_THRESHOLD": "6",
        },
    )
    assert loaded.currencies == ("EUR", "SEK")
    assert (loaded.horizon, loaded.flush.interval) == (30 * 86_400_000, 2_000)
    assert loaded.judging.threshold == 6.0


def test_every_single_setting_has_a_variable() -> None:
    named = set(variables().values())
    plain = {"database", "known_only", "horizon", "future", "metrics_host", "metrics_port", "taps"}
    assert {(name,) for name in plain} <= named
    for section in ("kafka", "judging", "flush"):
        for name in type(getattr(Settings(), section)).__struct_fields__:
            assert (section, name) in named


def test_the_address_of_the_database_can_stand_in_a_secret_file(file: Path, tmp_path: Path) -> None:
    secret = tmp_path / "database"
    secret.write_text("postgresql+psycopg://ann:hunter2@db/x\n", encoding="utf-8")
    loaded = load_settings(file, {"STREAMWATCH_DATABASE_FILE": str(secret)})
    assert loaded.database == "postgresql+psycopg://ann:hunter2@db/x"


@pytest.mark.parametrize(
    ("name", "value", "mistake"),
    [
        ("STREAMWATCH_METRICS_PORT", "x", "the value must be a whole number, not `x`"),
        ("STREAMWATCH_METRICS_PORT", "99999", "the value must be 0 to 65535"),
        ("STREAMWATCH_HORIZON", "5", "the value must be a time with its unit"),
        ("STREAMWATCH_HORIZON", "", "the value must be a single value"),
        ("STREAMWATCH_KAFKA_BOOTSTRAP", "nowhere", "bootstrap of kafka must be host:port"),
        ("STREAMWATCH_SEGMENTS", "gender,gendr", "no event type has a label `gendr`"),
        ("STREAMWATCH_DATABASE", "postgresql://a:hunter2@b:x/y", "database is no SQLAlchemy add"),
        ("STREAMWATCH_DATABASE_FILE", "/nowhere/at/all", "cannot be read"),
    ],
)
def test_a_wrong_value_names_its_variable(file: Path, name: str, value: str, mistake: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(file, {name: value})
    assert str(caught.value).startswith(f"environment variable {name}: ")
    assert mistake in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_an_unknown_variable_is_told_with_the_nearest_name(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        load_settings(file, {"STREAMWATCH_KAFKA_BOOTSTRP": "a:1"})
    (message,) = caplog.messages
    assert message == (
        "environment variable STREAMWATCH_KAFKA_BOOTSTRP is not known; "
        "did you mean `STREAMWATCH_KAFKA_BOOTSTRAP`?"
    )


def test_variables_of_other_parts_and_programs_are_left_alone() -> None:
    environment = {
        "STREAMWATCH_TEST_POSTGRES": "x",
        "STREAMWATCH_PSEUDONYM_KEY": "x",
        "STREAMWATCH_PSEUDONYM_KEY_FILE": "x",
        "STREAMWATCH_DATABASE_FILE": "x",
        "PATH": "x",
    }
    assert unknown_variables(environment) == []
