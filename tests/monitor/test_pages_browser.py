"""What a browser makes of the monitor's pages: axe-core's judgement, 360 pixels, both themes, curves with script."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from atlas import Atlas
from prometheus_client import CollectorRegistry
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from served import browser
from test_places import BEHIND, EXPLAINED, LINK, PAGES
from test_status import NOW, lived, works
from test_web_browser import WIDE, judged, shows

from monitor.status.content import status
from monitor.status.files import files
from monitor.status.publish import exported
from parvis.endpoint import Endpoint
from parvis.inventory import DEMO_TOWN, Text, Town, load

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
PATIENCE_SECONDS = 30


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    atlas = Atlas(load(DEMO_TOWN), tmp_path_factory.mktemp("atlas")).shows(silent=(LINK, *BEHIND))
    with Endpoint(("127.0.0.1", 0), CollectorRegistry(), app=atlas.app.wsgi_app) as endpoint:
        yield f"http://127.0.0.1:{endpoint.port}"


@pytest.fixture(scope="module")
def chromium() -> Iterator[webdriver.Chrome]:
    with browser(0) as driver:
        yield driver


@pytest.mark.parametrize("path", [*PAGES, EXPLAINED, "/wall?refresh=0", "/oncall"])
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
