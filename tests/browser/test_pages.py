"""The pages in a real browser: two widths, both themes, keyboard only, and without scripts.

Screenshots are kept under ``.local/screenshots/`` for people to look at.
"""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlencode

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine
from tests.browser.chromium import Page, browser
from tests.unit.web.diagnosed import REPORT
from tests.unit.web.fleet_of_shops import (
    DAY,
    SECRET,
    SINCE,
    WRITE,
    fill,
    incident,
    site_of,
    stages,
    tap_rows,
    verdicts,
    write,
)

from streamwatch.adapters.sql.acknowledgements import acknowledgements_of, add_acknowledgement
from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.migrations import upgrade
from streamwatch.adapters.web.access import Access
from streamwatch.adapters.web.server import serve_site
from streamwatch.domain.rows import IncidentRow

WIDTHS = (400, 1280)
THEMES = ("light", "dark")
HOSTILE = '<img src=x onerror="document.title=1"> & "quoted" ' + "long" * 30
LABELS = {"shop": "shop-002", "event_type": "widget-event", "kpi": "mean.height"}
PAGES = {
    "fleet": "/",
    "fleet-all": "/?status=all",
    "shops": "/shops",
    "shop": "/shop?name=shop-002",
    "incident": f"/incident?{urlencode(LABELS)}",
    "hostile": f"/incident?{urlencode({**LABELS, 'shop': HOSTILE})}",
    "sign-in": "/sign-in",
    "not-found": "/nowhere",
}

WIDEST = """
[...document.querySelectorAll('main *')].filter(one => !one.closest('.wide, pre'))
  .sort((a, b) => b.getBoundingClientRect().right - a.getBoundingClientRect().right)
  .slice(0, 3).map(one => one.outerHTML.slice(0, 200)).join('\\n')
"""

CONTRAST = """
(() => {
  const numbers = color => {
    const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
    canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, place) => sum + v * [.2126, .7152, .0722][place], 0);
  const behind = element => {
    for (let one = element; one; one = one.parentElement) {
      const color = numbers(getComputedStyle(one).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !element.checkVisibility() || element.closest('.unseen, .skip, title')) continue;
    const style = getComputedStyle(element);
    const text = element instanceof SVGElement ? style.fill : style.color;
    const [a, b] = [light(numbers(text)), light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < 4.5) poor.push([element.outerHTML.slice(0, 80), ratio]);
  }
  return JSON.stringify(poor);
})()
"""

UNNAMED = """
JSON.stringify([...document.querySelectorAll('a, button, input:not([type=hidden]), select, '
  + 'textarea, summary, [role=region], svg, nav, table')].filter(element => {
    const labels = element.labels ? [...element.labels].map(one => one.textContent) : [];
    const named = element.getAttribute('aria-label') || labels.join('')
      || (element.matches('a, button, summary') && element.textContent)
      || (element.matches('table') && element.caption && element.caption.textContent);
    return !(named && named.trim());
  }).map(element => element.outerHTML.slice(0, 120)))
"""


@pytest.fixture(scope="module", name="engine")
def _engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A fleet in every state that a page can show."""
    engine = create_engine_for(f"sqlite:///{tmp_path_factory.mktemp('pages') / 'streamwatch.db'}")
    upgrade(engine)
    fill(engine)
    hostile = incident(HOSTILE, reason=HOSTILE, score=-6.0)
    closed = incident("shop-007", "mean.weight", since=SINCE - 9 * DAY, until=SINCE - 8 * DAY)
    quiet = incident("shop-005", "volume", score=-9.0)
    write(
        engine,
        *(IncidentRow(one) for one in (hostile, closed, quiet)),
        *verdicts(HOSTILE, reason=HOSTILE),
        *stages(HOSTILE, "decode"),
        *tap_rows(HOSTILE, category=HOSTILE),
        *verdicts("shop-005", "volume")[:5],
    )
    add_acknowledgement(engine, quiet.id, "client-error", HOSTILE, HOSTILE, SINCE)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module", name="address")
def _address(engine: Engine) -> Iterator[str]:
    site = replace(site_of(engine, Access(SECRET, write_token=WRITE)), diagnose=lambda _: REPORT)
    server = serve_site(site, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.port}"
    server.stop()


@pytest.fixture(scope="module", name="shared")
def _shared() -> Iterator[Page]:
    with browser() as page:
        yield page


@pytest.fixture(name="page")
def _page(shared: Page) -> Page:
    """A tab that has heard nothing yet, and is signed out."""
    shared.send("Network.clearBrowserCookies")
    shared.requests.clear()
    shared.errors.clear()
    shared.look(1280, "light")
    return shared


@pytest.fixture(scope="session", name="screenshots")
def _screenshots(pytestconfig: pytest.Config) -> Path:
    return pytestconfig.rootpath / ".local" / "screenshots"


def sign_in(page: Page, address: str) -> None:
    page.open(f"{address}/sign-in")
    page.evaluate(f"document.querySelector('#token').value = {json.dumps(WRITE)}")
    page.evaluate("document.querySelector('#who').value = 'Ada Lovelace'")
    page.click_and_wait("form.sign-in button")
    assert "Ada Lovelace" in page.evaluate("document.querySelector('.visitor').textContent")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_readable_at_every_width_in_both_themes(
    page: Page, address: str, screenshots: Path, name: str, width: int, theme: str
) -> None:
    if name == "incident":
        sign_in(page, address)
    page.look(width, theme)
    page.open(address + PAGES[name])
    page.screenshot(screenshots / f"{name}-{width}-{theme}.png")
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.evaluate(WIDEST)
    assert json.loads(page.evaluate(CONTRAST)) == []
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert dark == (theme == "dark")


@pytest.mark.parametrize("name", PAGES)
def test_every_page_can_be_read_aloud(page: Page, address: str, name: str) -> None:
    if name == "incident":
        sign_in(page, address)
    page.open(address + PAGES[name])
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.evaluate("document.querySelectorAll('h1').length") == 1
    for landmark in ("header", "main", "footer", "nav"):
        assert page.evaluate(f"document.querySelectorAll('{landmark}').length") >= 1
    assert json.loads(page.evaluate(UNNAMED)) == []
    unscoped = "document.querySelectorAll('th:not([scope])').length"
    assert page.evaluate(unscoped) == 0
    levels = page.evaluate(
        "JSON.stringify([...document.querySelectorAll('h1, h2, h3')].map(h => +h.tagName[1]))"
    )
    steps = json.loads(levels)
    assert all(later - former <= 1 for former, later in pairwise(steps))
    ids = "[...document.querySelectorAll('[id]')].map(one => one.id)"
    assert page.evaluate(f"{ids}.length === new Set({ids}).size")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_nobody_else_and_breaks_no_policy(page: Page, address: str, name: str) -> None:
    page.open(address + PAGES[name])
    assert page.requests
    assert {one for one in page.requests if not one.startswith((address, "data:"))} == set()
    expected = {"Failed to load resource"} if name == "not-found" else set()
    assert {one.partition(":")[0] for one in page.errors} == expected
    assert page.evaluate("document.scripts.length") == 0
    assert page.evaluate("document.title") != "1"


def test_a_person_at_night_goes_from_the_list_to_acknowledged(
    page: Page, address: str, engine: Engine
) -> None:
    found = incident("shop-009", since=SINCE + DAY)
    sign_in(page, address)
    page.open(f"{address}/?shop=009")
    page.click_and_wait("ol.fleet a.what")
    assert "shop-009" in page.evaluate("document.querySelector('h1').textContent")
    page.evaluate("document.querySelector('[name=kind][value=\"client-error\"]').checked = true")
    page.evaluate("document.querySelector('#note').value = 'inches since the release'")
    page.click_and_wait("form.acknowledge button")
    said = page.evaluate("document.querySelector('[role=status]').textContent")
    assert said == "Acknowledged."
    shown = page.evaluate("document.querySelector('ul.said').textContent")
    assert "client error by Ada Lovelace" in shown
    assert "inches since the release" in shown
    (word,) = acknowledgements_of(engine, [found.id])
    assert (word.kind, word.who) == ("client-error", "Ada Lovelace")


def test_everything_works_with_scripts_turned_off_and_the_keyboard_alone(
    page: Page, address: str
) -> None:
    page.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        page.open(f"{address}/")
        page.press("Tab", 9)
        assert page.evaluate("document.activeElement.className") == "skip"
        seen = []
        for _ in range(30):
            page.press("Tab", 9)
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline == "solid", "the focus is seen"
            seen.append(page.evaluate("document.activeElement.className"))
            if seen[-1] == "what":
                break
        assert seen[-1] == "what", seen
        page.press_and_wait("Enter", 13)
        assert page.evaluate("location.pathname") == "/incident"
        page.evaluate("document.querySelector('summary').focus()")
        page.press("Enter", 13)
        assert page.evaluate("document.querySelector('details').open") is True
    finally:
        page.send("Emulation.setScriptExecutionDisabled", value=False)


def test_the_plot_shows_where_it_departed(page: Page, address: str) -> None:
    page.open(address + PAGES["incident"])
    drawn = (
        "[...document.querySelector('figure svg').querySelectorAll('{}')]"
        ".map(one => one.getBoundingClientRect().width)"
    )
    assert page.evaluate(drawn.format(".dot.unusual") + ".length") == 2
    assert page.evaluate(drawn.format("rect.departure") + "[0]") > 20
    color = "getComputedStyle(document.querySelector('.plot .dot.unusual')).fill"
    assert page.evaluate(color) not in {"rgb(0, 0, 0)", "none"}
