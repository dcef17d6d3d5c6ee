"""Reading ``streamwatch.yaml``: the environment goes over the file, the file over the defaults."""

import logging
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from streamwatch.adapters.settings.checks import check_settings
from streamwatch.adapters.settings.environment import apply_environment, unknown_variables
from streamwatch.adapters.yaml.located import Entries, Place, read_yaml
from streamwatch.adapters.yaml.typed import TypedReader
from streamwatch.domain.settings import Settings

DEFAULT_FILE = Path("streamwatch.yaml")
_log = logging.getLogger(__name__)


def load_settings(path: Path | None, environment: Mapping[str, str]) -> Settings:
    """The settings of this process, checked as a whole.

    Args:
        path: the file; ``None`` for ``streamwatch.yaml`` in the working folder, which may
            be missing.
        environment: ``STREAMWATCH_*`` variables go over the file; unknown ones are logged.

    Raises:
        ConfigurationError: with one line for each mistake, ``file:line:column: what``.
    """
    for sentence in unknown_variables(environment):
        _log.warning("%s", sentence)
    file = path or DEFAULT_FILE
    tree = Entries({}, Place(str(file), 1, 1))
    if path is not None or file.exists():
        tree = read_yaml(file)
    reader = TypedReader(str(file))
    settings = reader.struct(tree, Settings, "") or Settings()
    settings = apply_environment(settings, environment, reader)
    if not settings.sources and not reader.problems:
        settings = replace(settings, sources=Settings().sources)
    reader.note(check_settings(settings))
    reader.stop_if_wrong()
    return settings
