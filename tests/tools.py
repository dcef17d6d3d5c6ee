"""The programs of `make tools`, which several workers of a test run may ask for at once."""

import subprocess
from pathlib import Path

from streamwatch.adapters.local.process import alone

ROOT = Path(__file__).parents[1]


def tools_folder() -> Path:
    """Where they lie; made by the first who asks."""
    with alone(ROOT / ".local" / "making-tools"):
        make = ["make", "--silent", "tools"]
        done = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return ROOT / ".local" / "tools" / "bin"
