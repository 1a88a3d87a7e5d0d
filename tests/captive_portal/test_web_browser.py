"""What a browser makes of the pages: every page, state and language, judged by axe-core (ACC-18) and by use."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import fetched
from house import HOST, House
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from served import LOOKS, Look, Served, address, browser

from captive_portal.web.declarations import BUDGET
from parvis.inventory import DEMO_TOWN, load
from parvis.languages import LANGUAGES

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

AXE = (Path(__file__).parent / "axe/axe.min.js").read_text("utf-8")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "RGAAv4", "best-practice"]
JUDGE = """
const done = arguments[arguments.length - 1];
axe.run(document, {runOnly: {type: 'tag', values: arguments[0]}, resultTypes: ['violations']}).then(found => done(
  [found.passes.length, found.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 120)).join(' | '))]));
"""
SPACED = (
    "* {line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important}"
    "p {margin-bottom: 2em !important}"
)  # WCAG 1.4.12
SPACING = """
const sheet = new CSSStyleSheet(); sheet.replaceSync(arguments[0]); document.adoptedStyleSheets = [sheet];
"""
WIDE = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
SMALL = """
return [...document.querySelectorAll('a, button, summary, input:not([type=hidden])')]
  .filter(e => e.offsetParent && !e.closest('p, dd, dt') && !e.matches('.skip'))
  .filter(e => e.getBoundingClientRect().height < 43.5 || e.getBoundingClientRect().width < 24).map(e => e.outerHTML)
"""
BY_NAME = {look.name: look for look in LOOKS}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    house = House(load(DEMO_TOWN), folder)
    with house.doorkeeper, Served(house, folder) as made:
        yield made


@pytest.fixture(scope="module")
def chromium(served: Served) -> Iterator[webdriver.Chrome]:
    with browser(served.port) as driver:
        yield driver


def shows(driver: webdriver.Chrome, width: int, *, dark: bool = False) -> None:
    """How large the window is, and whether its owner prefers dark."""
    size = {"width": width, "height": 780, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    feature = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


def judged(driver: webdriver.Chrome) -> list[str]:
    """axe-core's violations on the page shown."""
    driver.execute_script(AXE)
    passed, violations = driver.execute_async_script(JUDGE, TAGS)
    assert passed > 10
    return list(violations)


def stored(driver: webdriver.Chrome) -> list[int]:
    """How many cookies, items of localStorage and sessionStorage, and databases a page has left."""
    asked = "indexedDB.databases().then(d => arguments[0]([localStorage.length, sessionStorage.length, d.length]))"
    return [len(driver.get_cookies()), *driver.execute_async_script(asked)]


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
def test_f15_cgu06_no_page_in_any_language_and_state_breaks_an_accessibility_rule_or_stores_anything(
    served: Served, chromium: webdriver.Chrome, look: Look
) -> None:
    shows(chromium, 360)
    found = {}
    with served.looking(look):
        for language in LANGUAGES:
            chromium.get(address(language, look.path))
            assert stored(chromium) == [0, 0, 0, 0], language
            violations = judged(chromium)
            if violations:
                found[language] = violations

    assert found == {}


@pytest.mark.parametrize("name", ["offered", "online", "cut", "closed-hours", "banner", "donnees"])
def test_f15_the_dark_pages_break_none_either(served: Served, chromium: webdriver.Chrome, name: str) -> None:
    shows(chromium, 360, dark=True)
    with served.looking(BY_NAME[name]):
        chromium.get(address("fr", BY_NAME[name].path))

        assert chromium.execute_script("return getComputedStyle(document.documentElement).backgroundColor") == (
            "rgb(16, 22, 20)"
        )
        assert judged(chromium) == []


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
def test_pages_fit_320_pixels_double_text_and_wider_spacing(
    served: Served, chromium: webdriver.Chrome, look: Look
) -> None:
    """RGAA 10.4, 10.11, 10.12."""
    shows(chromium, 320)
    too_wide = []
    with served.looking(look):
        for language in LANGUAGES:
            chromium.get(address(language, look.path))
            plain = chromium.execute_script(WIDE)
            chromium.execute_script("document.querySelectorAll('main details').forEach(d => d.open = true)")
            opened = chromium.execute_script(WIDE)
            chromium.execute_script(SPACING, SPACED)
            spaced = chromium.execute_script(WIDE)
            chromium.execute_script(
                "document.adoptedStyleSheets = []; document.documentElement.style.fontSize = '200%'"
            )
            doubled = chromium.execute_script(WIDE)
            if plain or opened or spaced or doubled:
                too_wide.append((language, plain, opened, spaced, doubled))

    assert too_wide == []


@pytest.mark.parametrize("name", ["offered", "online", "cut", "blocked", "aide", "cgu"])
def test_targets_are_large_enough_for_a_thumb(served: Served, chromium: webdriver.Chrome, name: str) -> None:
    shows(chromium, 360)
    with served.looking(BY_NAME[name]):
        chromium.get(address("fr", BY_NAME[name].path))
        chromium.execute_script("document.querySelector('header details').open = true")

        assert chromium.execute_script(SMALL) == []


def test_r07_r08_the_whole_way_by_keyboard_is_full_pages_and_visible_focus(
    served: Served, chromium: webdriver.Chrome
) -> None:
    shows(chromium, 360)
    with served.looking(BY_NAME["unknown"]):
        pass
    chromium.get(address("fr", ""))
    focused = []
    for _ in range(12):
        chromium.switch_to.active_element.send_keys(Keys.TAB)
        element = chromium.switch_to.active_element
        outline = chromium.execute_script("return getComputedStyle(arguments[0]).outlineStyle", element)
        focused.append((element.tag_name, outline))
        if element.tag_name == "button":
            break
    assert [tag for tag, _ in focused] == ["a", "a", "summary", "button"]
    assert {outline for _, outline in focused[1:]} == {"solid"}

    chromium.switch_to.active_element.send_keys(Keys.ENTER)

    WebDriverWait(chromium, 10).until(lambda driver: driver.current_url == address("fr", "status"))
    assert chromium.title.startswith("Vous êtes en ligne")
    assert [a.session for a in served.house.gateway.admitted().values()] != []
    leave = chromium.find_element(By.CSS_SELECTOR, "form[action$=leave] button")
    leave.send_keys(Keys.ENTER)
    WebDriverWait(chromium, 10).until(lambda driver: driver.current_url == address("fr", "goodbye"))


def test_the_skip_link_leads_to_the_content(served: Served, chromium: webdriver.Chrome) -> None:
    with served.looking(BY_NAME["offered"]):
        chromium.get(address("fr", ""))
        chromium.switch_to.active_element.send_keys(Keys.TAB)
        skip = chromium.switch_to.active_element
        assert skip.is_displayed()
        assert skip.text == "Aller au contenu"
        skip.send_keys(Keys.ENTER)

        assert chromium.switch_to.active_element.get_attribute("id") == "main"


def test_high_contrast_keeps_every_boundary(served: Served, chromium: webdriver.Chrome) -> None:
    features = [{"name": "forced-colors", "value": "active"}]
    with served.looking(BY_NAME["offered"]):
        chromium.get(address("fr", ""))
        chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        for selector in (".card", "main button"):
            widths = chromium.execute_script(
                "return getComputedStyle(document.querySelector(arguments[0])).borderTopWidth", selector
            )
            assert widths == "2px"


def test_nothing_moves(served: Served, chromium: webdriver.Chrome) -> None:
    with served.looking(BY_NAME["online"]):
        chromium.get(address("fr", "status"))

        assert chromium.execute_script("return document.getAnimations().length") == 0
        assert (
            chromium.execute_script(
                "return [...document.querySelectorAll('*')].filter(e => getComputedStyle(e).transitionDuration != '0s'"
                " || getComputedStyle(e).animationName != 'none').length"
            )
            == 0
        )


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_view_is_one_small_request_and_nobody_else_is_asked(
    served: Served, chromium: webdriver.Chrome, language: str
) -> None:
    with served.looking(BY_NAME["offered"]):
        chromium.get("about:blank")
        fetched(chromium)
        chromium.get(address(language, ""))
        seen = fetched(chromium)

        assert [url for url, _ in seen] == [address(language, "")]
        assert seen[0][1] < BUDGET.kilobytes * 1000
        assert chromium.execute_script("return document.querySelectorAll('*').length") <= BUDGET.nodes


def test_cgu06_the_whole_way_asks_only_the_portal_and_stays_in_its_budget(
    served: Served, chromium: webdriver.Chrome
) -> None:
    """ECO-02, CGU-06: no third party, no cookie, nothing stored in the browser."""
    with served.looking(BY_NAME["offered"]):
        chromium.get("about:blank")
        fetched(chromium)
        chromium.get(address("fr", ""))
        chromium.find_element(By.CSS_SELECTOR, "main form button").click()
        WebDriverWait(chromium, 10).until(lambda driver: "/status" in driver.current_url)
        seen = fetched(chromium)

        assert {url.split("/")[2] for url, _ in seen} == {HOST}
        assert len(seen) <= BUDGET.journey_requests
        assert sum(size for _, size in seen) < BUDGET.journey_kilobytes * 1000
        assert chromium.get_cookies() == []
        stored = "return [localStorage.length, sessionStorage.length, document.cookie]"
        assert chromium.execute_script(stored) == [0, 0, ""]
        served.house.visitor("127.0.0.1").leaves()


def test_f12_cgu07_the_way_works_without_javascript_cookies_and_storage(served: Served) -> None:
    off = "--blink-settings=scriptEnabled=false"
    with served.looking(BY_NAME["offered"]), browser(served.port, off) as driver:
        driver.execute_cdp_cmd("Network.enable", {})
        driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
        driver.execute_cdp_cmd("Emulation.setDocumentCookieDisabled", {"disabled": True})
        driver.get(address("fr", ""))
        driver.find_element(By.CSS_SELECTOR, "main form button").click()

        WebDriverWait(driver, 10).until(lambda driver: driver.current_url == address("fr", "status"))
        assert "Vous êtes en ligne" in driver.page_source
        served.house.visitor("127.0.0.1").leaves()
