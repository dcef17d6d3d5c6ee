"""Settings are shown as the file that gives them, without secrets; schemas fit the files."""

from pathlib import Path

import msgspec
import pytest

from streamwatch.adapters.settings.loading import load_settings
from streamwatch.adapters.settings.text import (
    plain_settings,
    settings_schema,
    settings_yaml,
    tap_schema,
)
from streamwatch.adapters.yaml.located import without_secrets
from streamwatch.domain.settings import FlushSettings, Settings
from streamwatch.domain.source_settings import FieldMapping, Rule, ShopSettings, SourceSettings

FULL = Settings(
    sources=(
        SourceSettings(
            "w",
            "widget-event",
            types="lenient",
            fields={
                "height": FieldMapping(path="b.h", unit="ft+in"),
                "app_version": FieldMapping(constant="5.0"),
                "age": FieldMapping(constant=0.1),
            },
            required=("height",),
        ),
    ),
    rules=(
        Rule("a", "purchase", "price", range=(-1e-9, 1e12), when={"category": "no"}),
        Rule("b", "purchase", "size", allowed=("38", "null", "true", " x"), action="mark"),
        Rule("c", "purchase", "size", pattern=r"[^\s:#]+ 'ä\"?"),
        Rule("d", "purchase", "price", below="quantity"),
        Rule("e", "purchase", "size", required=True),
    ),
    shops={"no": ShopSettings("Europe/Berlin"), "1.0": ShopSettings()},
    known_only=True,
    flush=FlushSettings(interval=1_500),
    horizon=90_061_001,
)


@pytest.mark.parametrize("settings", [Settings(), FULL])
def test_what_is_shown_gives_the_same_settings_again(tmp_path: Path, settings: Settings) -> None:
    file = tmp_path / "shown.yaml"
    file.write_text(settings_yaml(settings), encoding="utf-8")
    assert load_settings(file, {}) == settings


@pytest.mark.parametrize(
    "address",
    [
        "postgresql+psycopg://ann:hunter2@db/x",
        "postgresql://ann:hun@hunter2/ter2@db/x",
        "postgresql://hunter2@db/x",
        "postgresql://db/x?user=ann&password=hunter2",
        "postgresql://db/x?sslpassword=hunter2&connect_timeout=5",
    ],
)
def test_passwords_are_never_shown(address: str) -> None:
    settings = Settings(database=address)
    assert "hunter2" not in settings_yaml(settings)
    assert "hunter2" not in str(plain_settings(settings))
    assert "hunter2" not in without_secrets(f"cannot reach {address} today")


def test_an_address_without_secrets_is_shown_whole() -> None:
    assert plain_settings(Settings())["database"] == "sqlite:///streamwatch.db"


@pytest.mark.parametrize("schema", [settings_schema(), tap_schema()])
def test_a_schema_explains_every_field_and_allows_no_other(schema: dict[str, object]) -> None:
    text = msgspec.json.encode(schema).decode()
    assert '"additionalProperties":false' in text
    properties = schema["properties"]
    assert isinstance(properties, dict)
    assert [name for name, field in properties.items() if not field.get("description")] == []


def test_the_schema_writes_lengths_of_time_as_the_file_does() -> None:
    horizon = settings_schema()["properties"]["horizon"]
    assert horizon["type"] == "string"
    assert horizon["default"] == "8d"
