"""Packages that only some need: the extras of the package."""

from importlib import import_module
from typing import Any

from streamwatch.errors import ConfigurationError


def needed(module: str, extra: str) -> Any:
    """A module of an extra.

    Raises:
        ConfigurationError: the extra is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ConfigurationError(
            f"this needs more packages: pip install 'streamwatch[{extra}]'"
        ) from error
