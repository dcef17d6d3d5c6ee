"""What the doctor sees of this process: environment, key file, limits, tap files."""

import resource
import stat
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import msgspec

from streamwatch.adapters.master_key import KEY, KEY_FILE, OWN_FILE
from streamwatch.adapters.settings.environment import unknown_variables
from streamwatch.adapters.settings.tap_files import load_tap_files
from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import SourceSettings
from streamwatch.domain.tap_settings import TapSettings


class LocalFacts(msgspec.Struct, frozen=True):
    """What is known without asking anybody.

    Attributes:
        unknown: a sentence for each environment variable that nothing reads.
        key_file: the file of the master key; ``None`` where the key stands in a variable.
        key_mode: its mode; ``None`` where there is no file yet.
        own_key: whether the key is one that was made here, which no other host has.
        open_files: how many files this process may open.
        workers: how many workers the settings name.
        zones: how many shops have a time zone.
        faust, faust_needed: the version that is installed, and the one that it must be.
    """

    unknown: tuple[str, ...]
    taps: tuple[TapSettings, ...]
    sources: tuple[SourceSettings, ...]
    key_file: str | None
    key_mode: int | None
    own_key: bool
    open_files: int
    database: str
    workers: int
    zones: int
    faust: str = ""
    faust_needed: str = ""


def look_around(settings: Settings, environment: Mapping[str, str], folder: Path) -> LocalFacts:
    """The facts.

    Raises:
        ConfigurationError: a tap file is wrong.
    """
    key = environment.get(KEY_FILE) or str(folder / OWN_FILE)
    file = None if KEY in environment else Path(key)
    exists = file is not None and file.exists()
    return LocalFacts(
        unknown=tuple(unknown_variables(environment)),
        taps=tuple(one.tap for one in load_tap_files(Path(settings.taps), settings)),
        sources=settings.sources,
        key_file=None if file is None else str(file),
        key_mode=stat.S_IMODE(file.stat().st_mode) if file is not None and exists else None,
        own_key=KEY not in environment and KEY_FILE not in environment,
        open_files=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        database=settings.database,
        workers=len(settings.alerting.targets),
        zones=len(settings.shops),
        faust=_installed("faust-streaming"),
        faust_needed=_pinned("faust-streaming"),
    )


def _installed(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _pinned(package: str) -> str:
    """The one version that this streamwatch is made for; empty if that is not known."""
    try:
        wanted = metadata.requires("streamwatch") or []
    except metadata.PackageNotFoundError:
        return ""
    pins = [one.partition("==")[2] for one in wanted if one.startswith(f"{package}==")]
    return pins[0].split(";")[0].strip() if pins else ""
