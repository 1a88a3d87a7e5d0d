"""The map page in a real browser: no accessibility rule broken, nothing asked of anybody, narrow screens, keyboard."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from served import FLAGS
from test_web_browser import WIDE, judged, shows

from captive_portal.opendata.map_page import PAGES, Language, page
from captive_portal.opendata.sites import Seen, sites_rows
from parvis.inventory import DEMO_TOWN, load

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
REACHED = "return performance.getEntriesByType('resource').map(one => one.name)"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.binary_location = "/usr/bin/chromium"
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("map")
    now = datetime(2026, 11, 30, 10, tzinfo=UTC)
    rows = sites_rows(
        load(DEMO_TOWN), {"leo-lagrange": Seen("Indisponible", now), "bibliotheque-centrale": Seen("Opérationnel", now)}
    )
    for language, name in PAGES.items():
        (made / name).write_text(page(rows, "Ville de Cachan", "wifi@cachan.example", "2026-11-30", language), "utf-8")
    return made


@pytest.mark.parametrize("language", PAGES)
def test_the_map_breaks_no_accessibility_rule_and_asks_nobody(
    chromium: webdriver.Chrome, folder: Path, language: Language
) -> None:
    for width in (360, 1200):
        shows(chromium, width)
        chromium.get((folder / PAGES[language]).as_uri())
        assert judged(chromium) == []
        assert chromium.execute_script(REACHED) == []


@pytest.mark.parametrize("language", PAGES)
def test_the_map_is_read_at_320_pixels_without_scrolling_sideways(
    chromium: webdriver.Chrome, folder: Path, language: Language
) -> None:
    shows(chromium, 320)
    chromium.get((folder / PAGES[language]).as_uri())
    numbers: list[dict[str, Any]] = [mark.rect for mark in chromium.find_elements(By.CSS_SELECTOR, "svg circle")]

    assert chromium.execute_script(WIDE) <= 0
    assert len(numbers) == 4
    assert min(mark["width"] for mark in numbers) >= 20, "and the list has larger ones"


def test_the_keyboard_leads_from_a_number_to_its_place_in_the_list(chromium: webdriver.Chrome, folder: Path) -> None:
    shows(chromium, 360)
    chromium.get((folder / "index.html").as_uri())
    for _ in range(2):
        chromium.switch_to.active_element.send_keys(Keys.TAB)
    assert chromium.switch_to.active_element.get_attribute("aria-label") == "1. Bibliothèque centrale, Opérationnel"
    chromium.switch_to.active_element.send_keys(Keys.ENTER)

    assert chromium.current_url.endswith("#bibliotheque-centrale")
    assert chromium.find_element(By.CSS_SELECTOR, "li:target h3").text == "1. Bibliothèque centrale"
