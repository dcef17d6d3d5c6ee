"""The runbooks of the alerts, as the package or the checkout holds them."""

from importlib.resources import files
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[4] / "docs" / "runbooks"
"""Where they stand in a checkout; the built package carries them beside this file."""


def runbook(name: str) -> str | None:
    """The text of an alert's runbook; ``None`` where there is none of that name."""
    if not name.isalnum() or not name.isascii():
        return None
    packaged = files("streamwatch.adapters.web").joinpath("runbooks", f"{name}.md")
    for place in (packaged, CHECKOUT / f"{name}.md"):
        if place.is_file():
            return place.read_text(encoding="utf-8")
    return None
