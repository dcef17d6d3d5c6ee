"""The site builds without a warning, and its pages ask no other host."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from tests.tools import tools_folder

ROOT = Path(__file__).parents[2]
LOADS = re.compile(r"""<(?:script|img|link|iframe|source)[^>]*\s(?:src|href)=["']?(?:https?:)?//""")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    mkdocs = tools_folder() / "mkdocs"
    build = [str(mkdocs), "build", "--quiet", "--strict", "--site-dir", str(folder)]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(build, cwd=ROOT, env=quiet, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_there(site: Path) -> None:
    pages = [file.relative_to(ROOT / "docs") for file in (ROOT / "docs").rglob("*.md")]
    html = {str(file.relative_to(site)) for file in site.rglob("*.html")}
    made = {str(page.with_suffix(".html")).replace("README.html", "index.html") for page in pages}
    assert made <= html
    assert "source/CONTRIBUTING.html" in html


def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    texts = {file.name: file.read_text(encoding="utf-8") for file in site.rglob("*.html")}
    loading = {name: LOADS.findall(text) for name, text in texts.items() if LOADS.search(text)}
    assert loading == {}
    styles = "".join(file.read_text(encoding="utf-8") for file in site.rglob("*.css"))
    assert re.findall(r"url\(['\"]?https?:", styles) == []
