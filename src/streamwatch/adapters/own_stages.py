"""Importing the user's own stages, once, at start."""

import importlib
import inspect
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from streamwatch.adapters.settings.loading import DEFAULT_FILE
from streamwatch.adapters.yaml.located import Entries, FileError, Items, Place, Problem, read_yaml
from streamwatch.domain.findings import did_you_mean
from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import StageSettings
from streamwatch.stages.custom import Step


def load_own_stages(settings: Settings, settings_file: Path | None) -> Mapping[str, Step]:
    """Name → function of every own stage.

    Modules are looked for where Python looks, and in the folder of the settings file.

    Args:
        settings: the configuration.
        settings_file: where it was read from; ``None`` for the default one.

    Raises:
        ConfigurationError: a module or function is not there, or cannot be called with an
            event and its time; with the place in the settings file.
    """
    file = settings_file or DEFAULT_FILE
    steps: dict[str, Step] = {}
    problems: list[Problem] = []
    with _importing_from(file.absolute().parent):
        for position, stage in enumerate(settings.stages):
            try:
                steps[stage.name] = _load(stage)
            except _WrongStepError as error:
                problems.append(Problem(_place(file, position), f"stage {stage.name}: {error}"))
    if problems:
        raise FileError(problems)
    return steps


class _WrongStepError(Exception):
    """Why a step cannot be used, in words."""


def _load(stage: StageSettings) -> Step:
    module_name, _, name = stage.step.partition(":")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        where = "beside the settings file or installed"
        text = f"there is no module `{error.name}`; it must be {where}"
        raise _WrongStepError(text) from None
    except (Exception, SystemExit) as error:
        text = f"importing `{module_name}` raised {type(error).__name__}: {error}"
        raise _WrongStepError(text) from error
    step: Any = getattr(module, name, None)
    if step is None:
        functions = [one for one, value in vars(module).items() if inspect.isfunction(value)]
        text = f"`{module_name}` has no function `{name}`{did_you_mean(name, functions)}"
        raise _WrongStepError(text)
    if not callable(step):
        raise _WrongStepError(f"`{stage.step}` is no function")
    if inspect.iscoroutinefunction(step):
        raise _WrongStepError(f"`{stage.step}` is asynchronous; a step is a plain function")
    try:
        inspect.signature(step).bind(object(), 0)
    except (TypeError, ValueError) as error:
        text = f"`{stage.step}` must take an event and its time in milliseconds ({error})"
        raise _WrongStepError(text) from None
    return cast("Step", step)


@contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))


def _place(file: Path, position: int) -> Place:
    """Where the step of a stage stands in the file."""
    stages = read_yaml(file).entries.get("stages")
    if stages is not None and isinstance(stages[1], Items) and position < len(stages[1].items):
        item = stages[1].items[position]
        if isinstance(item, Entries) and "step" in item.entries:
            return item.entries["step"][1].place
        return item.place
    return Place(str(file), 1, 1)
