"""Hooks of MkDocs: folders in the navigation, and files outside of docs that pages link to.

A file of the checkout outside of docs (the settings file, an example, CONTRIBUTING.md) comes with
the site under ``source/``, so that links work in the checkout and on the site alike.
"""

# ruff: noqa: INP001  loaded by MkDocs from its path

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(([^)\s]+)\)")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages of a folder where the navigation names it, and those of no place at the end."""
    config.nav = [_unfolded(entry) for entry in config.nav or []]
    named = str(config.nav)
    pages = sorted(page.name for page in (ROOT / "docs").glob("*.md"))
    if unplaced := [page for page in pages if f"'{page}'" not in named]:
        config.nav.append({"More": unplaced})
    return config


def _unfolded(entry: Any) -> Any:
    if isinstance(entry, list):
        return [_unfolded(one) for one in entry]
    if isinstance(entry, dict):
        return {title: _unfolded(inner) for title, inner in entry.items()}
    folder = ROOT / "docs" / str(entry)
    if not str(entry).endswith("/"):
        return entry
    pages = sorted(folder.glob("*.md"), key=lambda page: (page.name != "README.md", page.name))
    return [f"{entry}{page.name}" for page in pages]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what pages link to outside of docs, and what these link to in turn."""
    waiting = [ROOT / "docs" / file.src_uri for file in files.documentation_pages()]
    while waiting:
        page = waiting.pop()
        for target in _targets(page):
            uri = _site_path(target)
            if uri.startswith("source/") and target.is_file() and not files.get_file_from_path(uri):
                files.append(File.generated(config, uri, abs_src_path=str(target)))
                if target.suffix == ".md":
                    waiting.append(target)
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Let links lead to where their targets are on the site."""
    uri = page.file.src_uri
    outside = uri.startswith("source/")
    here = ROOT / (uri.removeprefix("source/") if outside else f"docs/{uri}")

    def led(link: re.Match[str]) -> str:
        text, address = link.groups()
        target = _target(here, address)
        if target is None or (not outside and _site_path(target) == _docs_path(target)):
            return link[0]
        if not target.is_file():
            return text
        path = os.path.relpath(_site_path(target), Path(uri).parent)
        anchor = urlsplit(address).fragment
        return f"[{text}]({path}{'#' + anchor if anchor else ''})"

    parts = re.split(f"({FENCE.pattern})", markdown, flags=FENCE.flags)
    return "".join(part if part.startswith("```") else LINK.sub(led, part) for part in parts)


def _targets(page: Path) -> Iterator[Path]:
    for _, address in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        target = _target(page, address)
        if target is not None:
            yield target


def _target(page: Path, address: str) -> Path | None:
    """The file that a link of a page leads to; a folder stands for the README in it."""
    parts = urlsplit(address)
    if parts.scheme or not parts.path:
        return None
    target = (page.parent / parts.path).resolve()
    return target / "README.md" if target.is_dir() else target


def _docs_path(file: Path) -> str:
    return os.path.relpath(file, ROOT / "docs")


def _site_path(file: Path) -> str:
    """Where a file of the checkout stands on the site."""
    inside = _docs_path(file)
    return f"source/{file.relative_to(ROOT)}" if inside.startswith("..") else inside
