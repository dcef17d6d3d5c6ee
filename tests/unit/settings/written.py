"""Settings and mistakes of a text, as a file of the settings."""

from pathlib import Path

import pytest

from streamwatch.adapters.settings.loading import load_settings
from streamwatch.domain.settings import Settings
from streamwatch.errors import ConfigurationError

SOURCE = "sources:\n  - topic: w\n    event: widget-event\n"
RULE = "rules:\n  - name: r\n    event: purchase\n"


def loaded(folder: Path, text: str) -> Settings:
    file = folder / "streamwatch.yaml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file, {})


def mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        loaded(folder, text)
    return [line.removeprefix(f"{folder}/") for line in str(caught.value).splitlines()]
