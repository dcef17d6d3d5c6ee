"""What is stored: who changes its form gives it a new version, so that no reader takes it wrongly.

``tests/golden/formats.json`` holds, for each step and version, the JSON Schema of what is stored. A
field that may lack can be added at any time: older values are read without it. Anything else needs
a higher version and its entry here: ``python tests/unit/runner/test_stored_formats.py`` adds it.
"""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from streamwatch.baselines.fleetfactor import Common
from streamwatch.domain.cells import Cell, Cells
from streamwatch.domain.messages import Message
from streamwatch.runner import partition
from streamwatch.steps import countstate, fleetstate, judgestate
from streamwatch.steps.clocks import Clocks
from streamwatch.steps.streams import Learned, OpenDays
from streamwatch.taps.meters import Reading

GOLDEN = Path(__file__).parents[2] / "golden" / "formats.json"
STORED: dict[str, tuple[int, tuple[Any, ...]]] = {
    "count": (
        countstate.VERSION,
        (countstate.Progress, Cells, dict[str, Cell], dict[str, dict[str, Reading]]),
    ),
    "judge": (
        judgestate._VERSION,
        (
            Clocks,
            dict[str, Learned],
            dict[str, OpenDays],
            dict[str, Common],
            judgestate.StoredHour,
        ),
    ),
    "fleet": (fleetstate.VERSION, (fleetstate.ShopHistories, fleetstate.StoredFleet)),
    "outbox": (partition.OUTBOX_VERSION, (list[Message],)),
}
Schema = dict[str, Any]


def schemas(kinds: tuple[Any, ...]) -> Schema:
    """The schema of each type by its name, without what only describes."""
    tops, parts = msgspec.json.schema_components(kinds, ref_template="{name}")
    named = {str(number): top for number, top in enumerate(tops)} | dict(parts)
    plain: Schema = bare(named)
    return plain


def bare(schema: Any, *, names: bool = False) -> Any:
    """A schema without titles, descriptions and defaults; ``names`` are those of fields."""
    if isinstance(schema, dict):
        return {
            name: bare(part, names=name == "properties")
            for name, part in schema.items()
            if names or name not in ("title", "description", "default")
        }
    return [bare(part) for part in schema] if isinstance(schema, list) else schema


def breaks(old: Any, new: Any) -> bool:
    """Whether a reader of the one does not read the other, or takes it for something else."""
    if isinstance(old, dict) and isinstance(new, dict):
        if old.get("required", []) != new.get("required", []):
            return True
        known = [name for name in old if name != "minItems"]
        return any(name not in new or breaks(old[name], new[name]) for name in known)
    if isinstance(old, list) and isinstance(new, list):
        return len(new) < len(old) or any(map(breaks, old, new))
    return bool(old != new)


@pytest.mark.parametrize("step", STORED)
def test_a_stored_form_changes_with_its_version_only(step: str) -> None:
    version, kinds = STORED[step]
    golden = msgspec.json.decode(GOLDEN.read_bytes())
    assert str(version) in golden[step], "a new version: run this file to add its form"
    old, new = golden[step][str(version)], schemas(kinds)
    changed = [name for name in old if name not in new or breaks(old[name], new[name])]
    assert changed == [], "give what is stored a new version"


@pytest.mark.parametrize(
    ("old", "new", "broken"),
    [
        ({"a": {"type": "string"}}, {"a": {"type": "string"}, "b": {}}, False),
        ({"a": {"type": "string"}}, {"a": {"type": "integer"}}, True),
        ({"a": {}}, {"b": {}}, True),
        ({"required": ["a"]}, {"required": ["a", "b"]}, True),
        ({"prefixItems": [{"type": "string"}]}, {"prefixItems": [{"type": "string"}, {}]}, False),
        ({"prefixItems": [{"type": "string"}, {}]}, {"prefixItems": [{"type": "integer"}]}, True),
    ],
)
def test_only_what_may_lack_can_be_added(old: Schema, new: Schema, broken: bool) -> None:
    assert breaks(old, new) is broken


def main() -> None:
    """Add the forms of versions that are not there yet."""
    golden = msgspec.json.decode(GOLDEN.read_bytes()) if GOLDEN.exists() else {}
    for step, (version, kinds) in STORED.items():
        golden.setdefault(step, {}).setdefault(str(version), schemas(kinds))
    GOLDEN.write_bytes(msgspec.json.format(msgspec.json.encode(golden), indent=1) + b"\n")


if __name__ == "__main__":
    main()
