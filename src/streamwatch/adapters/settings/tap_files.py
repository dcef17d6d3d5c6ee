"""Reading the tap folder: one tap a file, checked as a whole."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from streamwatch.adapters.settings.fields import TapFile
from streamwatch.adapters.yaml.located import FileError, Place, Problem, read_yaml
from streamwatch.adapters.yaml.typed import TypedReader
from streamwatch.domain.events import EVENT_TYPES
from streamwatch.domain.findings import Finding
from streamwatch.domain.settings import Settings
from streamwatch.domain.stageorder import all_stages
from streamwatch.domain.tap_settings import TapSettings
from streamwatch.taps.columns import AS_IT_IS
from streamwatch.taps.inline_tests import TapTest, check_tests
from streamwatch.taps.lint import check_tap, clashes

ENDINGS = (".yaml", ".yml")


class LoadedTap(msgspec.Struct, frozen=True):
    """A tap with its tests, advice about its file, and where its columns stand in it."""

    file: str
    tap: TapSettings
    tests: tuple[TapTest, ...]
    advice: tuple[Problem, ...]
    columns: Mapping[str, Place] = {}


def load_taps(folder: Path, settings: Settings) -> tuple[TapSettings, ...]:
    """The taps of a folder, in the order of their names.

    Raises:
        ConfigurationError: with one line for each mistake in any of the files.
    """
    return tuple(loaded.tap for loaded in load_tap_files(folder, settings))


def load_tap_files(folder: Path, settings: Settings) -> tuple[LoadedTap, ...]:
    """The taps of a folder with their tests; without the default folder there are none.

    Raises:
        ConfigurationError: with one line for each mistake in any of the files.
    """
    problems: list[Problem] = []
    loaded: dict[str, LoadedTap] = {}
    for file in tap_file_paths(folder):
        try:
            one = _load(file, settings)
        except FileError as error:
            problems += error.problems
            continue
        if one.tap.name in loaded:
            text = f"the tap `{one.tap.name}` is also in {loaded[one.tap.name].file}"
            problems.append(Problem(Place(str(file), 1, 1), text))
        loaded[one.tap.name] = one
    if not problems:
        problems += _clashes(loaded, settings)
    if problems:
        raise FileError(problems)
    return tuple(loaded[name] for name in sorted(loaded))


def _clashes(loaded: Mapping[str, LoadedTap], settings: Settings) -> Iterator[Problem]:
    """Taps of a folder that do not go together."""
    taps = [loaded[name].tap for name in sorted(loaded)]
    orders = {event: all_stages(settings, event) for event in EVENT_TYPES}
    for tap, field, text in clashes(taps, orders):
        one = loaded[tap.name]
        yield Problem(one.columns.get(field, Place(one.file, 1, 1)), text)


def tap_file_paths(folder: Path) -> Iterator[Path]:
    """The tap files of a folder, in the order of their names.

    Raises:
        ConfigurationError: there is no such folder, and it is not the default one.
    """
    if not folder.exists() and str(folder) == Settings().taps:
        return
    if not folder.is_dir():
        text = "is no folder; make it, or set `taps` in streamwatch.yaml"
        raise FileError([Problem(Place(str(folder), 0, 0), text)])
    for path in sorted(folder.iterdir()):
        if path.suffix in ENDINGS and not path.name.startswith("."):
            yield path


def _load(file: Path, settings: Settings) -> LoadedTap:
    tree = read_yaml(file)
    reader = TypedReader(str(file))
    written = reader.struct(tree, TapFile, "")
    if written is None:
        reader.stop_if_wrong()
        raise FileError([Problem(tree.place, "holds no tap")])
    tap = TapSettings(
        name=file.stem,
        event=written.event,
        stages=written.after,
        columns=tuple(column.name for column in written.columns),
        filter=written.filter,
        sample=written.sample,
        retention=written.retention,
        shapes={one.name: one.shape for one in written.columns if one.shape != AS_IT_IS},
        rate=written.rate,
        budget=written.budget,
        max_rows=written.max_rows,
        max_bytes=written.max_bytes,
        on_slow=written.on_slow,
    )
    findings = list(check_tap(tap, settings))
    if all(finding.advice or finding.path[:1] != ("after",) for finding in findings):
        findings += check_tests(tap, written.tests, all_stages(settings, tap.event))
    reader.note(findings)
    reader.stop_if_wrong()
    advice = [reader.problem(one) for one in findings if one.advice]
    advice.sort(key=lambda one: (one.place.line, one.place.column))
    columns = {
        one.name: reader.problem(Finding(("columns", position), "")).place
        for position, one in enumerate(written.columns)
    }
    return LoadedTap(str(file), tap, written.tests, tuple(advice), columns)
