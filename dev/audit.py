# ruff: noqa: INP001  a program, no package
"""Audits what is installed: known weaknesses, licences, and a bill of materials.

``python dev/audit.py SITE [--sbom FILE]`` runs with the audit tools' own Python; SITE is the
site-packages folder of the environment that is looked at. Exit code 1: something has to be seen to.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ALLOWED = re.compile(
    r"\b(apache|mit|bsd|isc|psf|python software foundation|mpl|mozilla|zlib|unlicense|0bsd|hpnd"
    r"|cc0|lgpl|lesser general public|zope|repoze)",
    re.IGNORECASE,
)
"""What Apache 2.0 goes with; LGPL since those packages are used as they are, not copied."""

REFUSED = re.compile(r"\b(agpl|affero|gpl-?[23]|gplv[23])\b", re.IGNORECASE)
NOT_SHIPPED = {"streamwatch"}


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """A tool's answer."""
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603


def locked(lock: Path) -> Path:
    """The lock as plain pins, without the hashes, in a file of its own."""
    pins = re.findall(r"^([A-Za-z0-9._-]+==[^\s;\\]+)", lock.read_text(), re.MULTILINE)
    file = Path(tempfile.mkdtemp()) / "pins.txt"
    file.write_text("\n".join(pins) + "\n")
    return file


def weaknesses(pins: Path) -> list[str]:
    """Pinned packages with a published weakness."""
    answer = run(
        sys.executable, "-m", "pip_audit", "--requirement", str(pins), "--no-deps",
        "--disable-pip", "--format", "json", "--progress-spinner", "off",
    )  # fmt: skip
    if not answer.stdout.strip():
        return [f"pip-audit did not answer: {answer.stderr.strip()[-300:]}"]
    found = json.loads(answer.stdout)["dependencies"]
    skipped = [one["name"] for one in found if "skip_reason" in one]
    unseen = [f"not looked at, since the registry tells nothing of them: {', '.join(skipped)}"]
    return (unseen if skipped else []) + [
        f"{one['name']} {one['version']}: {weakness['id']}, mended in "
        f"{', '.join(weakness['fix_versions']) or 'no version yet'}"
        for one in found
        for weakness in one.get("vulns", [])
    ]


def licences(site: str) -> list[str]:
    """Installed packages whose licence does not go with Apache 2.0, or names none."""
    python = str(Path(site).parents[2] / "bin" / "python")
    answer = run(
        sys.executable, "-m", "piplicenses", "--python", python, "--format", "json",
        "--from", "mixed",
    )  # fmt: skip
    if answer.returncode:
        return [f"pip-licenses did not answer: {answer.stderr.strip()[-300:]}"]
    wrong = []
    for one in json.loads(answer.stdout):
        name, licence = one["Name"], one["License"]
        if name not in NOT_SHIPPED and (REFUSED.search(licence) or not ALLOWED.search(licence)):
            wrong.append(f"{name}: {licence}")
    return wrong


def write_bill(site: str, file: Path) -> list[str]:
    """The bill of materials in CycloneDX."""
    python = str(Path(site).parents[2] / "bin" / "python")
    answer = run(
        sys.executable, "-m", "cyclonedx_py", "environment", python, "--output-reproducible",
        "--of", "JSON", "-o", str(file),
    )  # fmt: skip
    return [f"cyclonedx-py: {answer.stderr.strip()[-300:]}"] if answer.returncode else []


def main() -> int:
    """Look at everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site")
    parser.add_argument("--lock", type=Path, default=Path("requirements.lock"))
    parser.add_argument("--sbom", type=Path, default=Path("sbom.json"))
    arguments = parser.parse_args()
    found = {
        "published weaknesses": weaknesses(locked(arguments.lock)),
        "licences": licences(arguments.site),
        "bill of materials": write_bill(arguments.site, arguments.sbom),
    }
    for what, wrong in found.items():
        print(f"{what}: {'nothing to see to' if not wrong else ''}")  # noqa: T201
        for one in wrong:
            print(f"  {one}")  # noqa: T201
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
