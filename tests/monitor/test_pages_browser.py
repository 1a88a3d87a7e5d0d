"""What a browser makes of the monitor's pages: axe-core's judgement, 360 pixels, both themes, curves with script."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from atlas import Atlas
from monitor_actors import alert
from prometheus_client import CollectorRegistry
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from served import browser
from test_places import BEHIND, EXPLAINED, LINK, PAGES
from test_status import NOW, lived, works
from test_web_browser import WIDE, judged, shows

from monitor.incidents import Event
from monitor.status.content import status
from monitor.status.files import files
from monitor.status.publish import exported
from parvis.endpoint import Endpoint
from parvis.inventory import DEMO_TOWN, Site, Text, Town, load
from parvis.runbooks import runbook

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
PATIENCE_SECONDS = 30
SCROLLS = "return document.documentElement.scrollHeight - document.documentElement.clientHeight"
CUT_OFF = """return [...document.querySelectorAll('.card p, .card dd, .alert p')]
  .filter(e => e.offsetParent && e.scrollWidth > e.clientWidth + 1).map(e => e.outerHTML)"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    atlas = Atlas(load(DEMO_TOWN), tmp_path_factory.mktemp("atlas")).shows(silent=(LINK, *BEHIND))
    atlas.desk.messenger.tells(
        alert("LienCoupe", annotations={"summary": "Coupé", "runbook_url": runbook("LienCoupe")})
    )
    with Endpoint(("127.0.0.1", 0), CollectorRegistry(), app=atlas.app.wsgi_app) as endpoint:
        yield f"http://127.0.0.1:{endpoint.port}"


@pytest.fixture(scope="module")
def chromium() -> Iterator[webdriver.Chrome]:
    with browser(0) as driver:
        yield driver


@pytest.mark.parametrize(
    "path", [*PAGES, EXPLAINED, "/wall?refresh=0", "/oncall", "/runbooks", "/runbooks/LienCoupe", "/incidents/1"]
)
def test_no_page_breaks_an_accessibility_rule_or_the_width_of_a_phone(
    address: str, chromium: webdriver.Chrome, path: str
) -> None:
    found = {}
    for lang, dark in (("fr", False), ("en", True)):
        shows(chromium, 360, dark=dark)
        chromium.get(f"{address}{path}{'&' if '?' in path else '?'}lang={lang}")
        found[lang] = [*judged(chromium), *(["too wide"] if chromium.execute_script(WIDE) > 0 else [])]

    assert found == {"fr": [], "en": []}


def test_with_script_a_curve_can_be_read_point_by_point(address: str, chromium: webdriver.Chrome) -> None:
    shows(chromium, 1920)
    chromium.get(f"{address}/uplinks/{LINK}")
    drawn = WebDriverWait(chromium, PATIENCE_SECONDS).until(
        lambda driver: driver.find_elements(By.CSS_SELECTOR, "figure[data-series^='rtt/'] .uplot canvas")
    )

    assert drawn[0].size["width"] > 200
    assert [line for line in chromium.get_log("browser") if line["level"] == "SEVERE"] == []


@pytest.mark.parametrize("name", ["index.html", "en.html"])
def test_the_public_page_breaks_no_rule_in_either_theme(
    chromium: webdriver.Chrome, tmp_path: Path, town: Town, name: str
) -> None:
    wordy = town.sites[0].model_copy(update={"title": Text(fr="é" * 200, en="W" * 200)})
    town = town.model_copy(update={"sites": (wordy, *town.sites[1:])})
    exported(files(status(town, lived(town), works(), {}, NOW)), tmp_path)
    found = {}
    for dark in (False, True):
        shows(chromium, 360, dark=dark)
        chromium.get((tmp_path / name).as_uri())
        found[dark] = [*judged(chromium), *(["too wide"] if chromium.execute_script(WIDE) > 0 else [])]

    assert found == {False: [], True: []}


def town_of(town: Town, count: int) -> Town:
    """*count* sites like those of the demo, the first with the longest name there may be."""
    sites = [_again(town.sites[n % len(town.sites)], n) for n in range(count)]
    if sites:
        sites[0] = sites[0].model_copy(update={"title": Text(fr="Maison-intercommunale " * 9, en="W" * 200)})
    return town.model_copy(update={"sites": tuple(sites)})


def _again(site: Site, n: int) -> Site:
    switches = tuple(one.model_copy(update={"name": f"{one.name}-{n}"}) for one in site.switches)
    points = tuple(
        one.model_copy(update={"name": f"{one.name}-{n}", "switch": f"{one.switch}-{n}"}) for one in site.access_points
    )
    uplink = {"name": f"{site.uplink.name}-{n}", "switch": f"{site.uplink.switch}-{n}"}
    parts = {
        "site": f"{site.site}-{n}",
        "title": Text(fr=f"{site.title.fr} {n}", en=f"{site.title.en} {n}"),
        "gateway": site.gateway.model_copy(update={"name": f"{site.gateway.name}-{n}"}),
        "uplink": site.uplink.model_copy(update=uplink),
    }
    return site.model_copy(update={**parts, "switches": switches, "access_points": points})


def everything_at(site: Site) -> list[str]:
    points = [point.name for point in site.access_points]
    return [site.uplink.name, site.gateway.name, *(switch.name for switch in site.switches), *points]


@pytest.mark.parametrize("late", [False, True], ids=["now", "late"])
@pytest.mark.parametrize("sites", [0, 1, 4, 6, 10, 16, 40])
def test_the_whole_town_stands_on_a_screen_nobody_scrolls(
    chromium: webdriver.Chrome, tmp_path: Path, town: Town, sites: int, late: bool
) -> None:
    """A sixth of the sites is cut, a quarter disturbed, and there are more incidents than have room."""
    many = town_of(town, sites)
    cut = [name for site in many.sites[::6] for name in everything_at(site)]
    silent = [site.access_points[0].name for site in many.sites[1::4]]
    atlas = Atlas(many, tmp_path, day=False).shows(silent=(*cut, *silent))
    for n in range(12):
        atlas.desk.messenger.tells(alert("LienCoupe", site=f"place-{n}", fingerprint=f"{n:04x}"))
    if late:
        atlas.desk.watch.picture = replace(atlas.desk.watch.picture, at=atlas.now - 4000)
    found = {}
    with Endpoint(("127.0.0.1", 0), CollectorRegistry(), app=atlas.app.wsgi_app) as endpoint:
        for width, height in ((1920, 1080), (3840, 2160)):
            size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
            chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            chromium.get(f"http://127.0.0.1:{endpoint.port}/wall?refresh=0")
            told = [*judged(chromium), *chromium.execute_script(CUT_OFF)]
            found[width] = (chromium.execute_script(SCROLLS), chromium.execute_script(WIDE), told)

    assert found == {1920: (0, 0, []), 3840: (0, 0, [])}


def test_on_a_screen_of_twice_the_points_the_wall_is_as_large(address: str, chromium: webdriver.Chrome) -> None:
    sizes = []
    for width, height in ((1920, 1080), (3840, 2160)):
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        chromium.get(f"{address}/wall?refresh=0")
        word = chromium.find_element(By.CSS_SELECTOR, ".card .word")
        sizes.append(float(word.value_of_css_property("font-size").removesuffix("px")) / height)

    assert sizes[1] == pytest.approx(sizes[0], rel=0.05)
    assert sizes[0] > 0.027, "four metres from a screen of 55 inches: 14 mm high letters"


def test_with_the_readers_own_colours_every_shape_has_them(address: str, chromium: webdriver.Chrome) -> None:
    shows(chromium, 1920)
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "forced-colors", "value": "active"}]})
    chromium.get(f"{address}/wall?refresh=0")
    shapes = chromium.find_elements(By.CSS_SELECTOR, ".shape, .small")
    colours = {shape.value_of_css_property("color") for shape in shapes}

    assert colours == {chromium.find_element(By.CSS_SELECTOR, "h1").value_of_css_property("color")}


@pytest.fixture(scope="module")
def asked_at_night(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Atlas, str]]:
    """A monitor that measures no more, whose incidents are in every state; nothing was ever heard of its collectors."""
    atlas = Atlas(load(DEMO_TOWN), tmp_path_factory.mktemp("night"), day=False).shows(silent=(LINK, *BEHIND))
    for n, event in enumerate((Event.ACKNOWLEDGE, Event.SNOOZE, Event.HAND_OVER, Event.CLOSE), 1):
        atlas.desk.messenger.tells(alert("LienCoupe", site=f"place-{n}", fingerprint=f"{n:04x}"))
        atlas.desk.engine.act(n, event, "agent-1", atlas.desk.clock())
    atlas.desk.messenger.tells(alert("LienCoupe"))
    atlas.desk.works()
    atlas.desk.watch.picture = replace(atlas.desk.watch.picture, at=atlas.now - 4000)
    with Endpoint(("127.0.0.1", 0), CollectorRegistry(), app=atlas.app.wsgi_app) as endpoint:
        yield atlas, f"http://127.0.0.1:{endpoint.port}"


def faults_of(driver: webdriver.Chrome, base: str, path: str) -> dict[str, list[str]]:
    """What axe-core and the width of a phone find, in both languages and themes."""
    found = {}
    for lang, dark in (("fr", False), ("en", True)):
        shows(driver, 360, dark=dark)
        driver.get(f"{base}{path}{'&' if '?' in path else '?'}lang={lang}")
        found[lang] = [*judged(driver), *(["too wide"] if driver.execute_script(WIDE) > 0 else [])]
    return found


@pytest.mark.parametrize("path", [*PAGES, EXPLAINED, "/wall?refresh=0", *(f"/incidents/{n}" for n in range(1, 6))])
def test_no_page_breaks_a_rule_when_the_monitor_stands_still(
    asked_at_night: tuple[Atlas, str], chromium: webdriver.Chrome, path: str
) -> None:
    assert faults_of(chromium, asked_at_night[1], path) == {"fr": [], "en": []}


@pytest.mark.parametrize("action", [Event.ACKNOWLEDGE, Event.SNOOZE, Event.HAND_OVER])
def test_what_a_letter_leads_to_breaks_no_rule_before_and_after(
    asked_at_night: tuple[Atlas, str], chromium: webdriver.Chrome, action: Event
) -> None:
    atlas, base = asked_at_night
    with atlas.desk.engine.book.look() as entries:
        page = entries.pages_of(5)[0]["id"]
    link = urlsplit(atlas.desk.letters_links(page)[action]).path.rpartition("/a/")[2]
    before = faults_of(chromium, base, f"/a/{link}")
    chromium.find_element(By.CSS_SELECTOR, "form button").click()
    done = judged(chromium)

    assert (before, done) == ({"fr": [], "en": []}, [])
    assert faults_of(chromium, base, "/a/no-link") == {"fr": [], "en": []}


def test_who_was_woken_takes_the_incident_without_scrolling(address: str, chromium: webdriver.Chrome) -> None:
    shows(chromium, 360)
    chromium.get(f"{address}/incidents/1")
    button = chromium.find_element(By.CSS_SELECTOR, "button[value=acknowledge]")

    assert button.rect["y"] + button.rect["height"] < 600
