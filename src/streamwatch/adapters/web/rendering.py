"""Templates to text; everything that is not marked as safe markup is escaped."""

from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined

from streamwatch import __version__
from streamwatch.adapters.web import wording


def render(template: str, **values: Any) -> bytes:
    """A page from its template."""
    return _environment().get_template(template).render(**values).encode("utf-8", "replace")


def link(path: str, **query: str | int | None) -> str:
    """An address of ours; parts of the query that are empty are left out.

    >>> link("/shop", name="a&b", segment="")
    '/shop?name=a%26b'
    """
    given = {key: value for key, value in query.items() if value not in ("", None)}
    return f"{path}?{urlencode(given, errors='replace')}" if given else path


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("streamwatch.adapters.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"link": link, "words": wording, "version": __version__}
    return environment
