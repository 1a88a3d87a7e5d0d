"""What a browser makes of the console: every page and state in both languages, judged by axe-core (ACC-20)."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pyotp
import pytest
from house import ANNA
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait
from served import browser
from staff import PASSWORD, Office, issued, office
from test_web_browser import SMALL, SPACED, SPACING, WIDE, judged, shows

from captive_portal.console.roles import Role
from captive_portal.directives import Kind, Order
from captive_portal.tls import TlsServer
from parvis.inventory import DEMO_TOWN, load

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
PAGES = {
    "sites": "/",
    "site": "/lieux/{site}",
    "silent site": "/lieux/{silent}",
    "no code": "/appareil",
    "device": "/appareil?code={code}",
    "wrong code": "/appareil?code=x",
    "strange code": "/appareil?code=K7F-2QD",
    "figures": "/chiffres",
    "log": "/journal",
    "nowhere": "/nulle-part",
}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Office, str]]:
    """A console served over TLS, a site with a resident and an order of each kind, a site that is silent."""
    folder = tmp_path_factory.mktemp("console")
    with office(load(DEMO_TOWN), folder) as made, ExitStack() as stack:
        anna = made.house.visitor()
        anna.accepts()
        made.house.directives.give(Order(Kind.BANNER, "agent", "essai", fr="Un message", en="A message"), 3600)
        made.house.directives.give(Order(Kind.OPEN_DOOR, "agent", "panne"), 600)
        _, certificate, key = issued(folder, "console")
        server = stack.enter_context(TlsServer(("127.0.0.1", 0), made.app, certificate, key))
        yield made, f"https://127.0.0.1:{server.port}"


@pytest.fixture(scope="module")
def chromium(here: tuple[Office, str]) -> Iterator[webdriver.Chrome]:
    with browser(int(here[1].rpartition(":")[2])) as driver:
        yield driver


def signs_in(driver: webdriver.Chrome, made: Office, base: str, role: Role) -> None:
    driver.delete_all_cookies()
    name = f"a{len(made.hall.accounts.all())}"
    account = made.hall.accounts.add(name, role, PASSWORD)
    made.hall.acknowledged.note(name, made.house.clock.wall)
    driver.get(f"{base}/entrer")
    code = pyotp.TOTP(account.totp).at(int(made.house.clock.wall))
    for field, value in (("name", name), ("password", PASSWORD), ("code", code)):
        driver.find_element(By.NAME, field).send_keys(value)
    driver.find_element(By.CSS_SELECTOR, "main button").click()
    WebDriverWait(driver, 15).until(lambda d: d.find_elements(By.CSS_SELECTOR, "nav a"))


def path_of(made: Office, path: str) -> str:
    return path.format(code=made.house.timeline.code(ANNA), site=made.site, silent=made.silent_site)


def opened(driver: webdriver.Chrome) -> None:
    for summary in driver.find_elements(By.CSS_SELECTOR, "details:not([open]) > summary"):
        summary.click()


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.DPO])
def test_no_page_of_the_console_breaks_an_accessibility_rule(
    here: tuple[Office, str], chromium: webdriver.Chrome, role: Role, language: str
) -> None:
    made, base = here
    signs_in(chromium, made, base, role)
    chromium.get(f"{base}/?langue={language}")
    found, wide, small = {}, {}, {}
    for name, path in PAGES.items():
        chromium.get(base + path_of(made, path))
        opened(chromium)
        for width in (320, 1280):
            shows(chromium, width)
            found[name, width] = judged(chromium)
            wide[name, width] = chromium.execute_script(WIDE)
            small[name, width] = chromium.execute_script(SMALL)

    assert {key: faults for key, faults in found.items() if faults} == {}
    assert {key: pixels for key, pixels in wide.items() if pixels} == {}
    assert {key: tags for key, tags in small.items() if tags} == {}


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_sign_in_page_and_its_refusal_break_no_accessibility_rule(
    here: tuple[Office, str], chromium: webdriver.Chrome, language: str
) -> None:
    chromium.delete_all_cookies()
    chromium.get(f"{here[1]}/entrer?langue={language}")
    first = judged(chromium)
    for field in ("name", "password", "code"):
        chromium.find_element(By.NAME, field).send_keys("wrong")
    chromium.find_element(By.CSS_SELECTOR, "main button").click()
    WebDriverWait(chromium, 15).until(lambda d: d.find_elements(By.CSS_SELECTOR, "[role=alert]"))
    alert = chromium.find_element(By.CSS_SELECTOR, "[role=alert]").text

    assert (first, judged(chromium)) == ([], [])
    assert alert.startswith("Nom," if language == "fr" else "Wrong")
    assert chromium.find_element(By.TAG_NAME, "html").get_attribute("lang") == language


def test_wide_spacing_cuts_nothing(here: tuple[Office, str], chromium: webdriver.Chrome) -> None:
    made, base = here
    signs_in(chromium, made, base, Role.ADMINISTRATOR)
    wide = {}
    for name in ("sites", "site", "device"):
        chromium.get(base + path_of(made, PAGES[name]))
        opened(chromium)
        shows(chromium, 400)
        chromium.execute_script(SPACING, SPACED)
        wide[name] = chromium.execute_script(WIDE)

    assert wide == {"sites": 0, "site": 0, "device": 0}


def test_a_device_is_disconnected_by_keyboard_alone(here: tuple[Office, str], chromium: webdriver.Chrome) -> None:
    made, base = here
    if ANNA not in made.house.gateway.admitted():
        made.house.visitor().accepts()
    signs_in(chromium, made, base, Role.TECHNICIAN)
    chromium.get(base + path_of(made, PAGES["device"]))
    chromium.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    assert chromium.switch_to.active_element.get_attribute("class") == "skip"
    for _ in range(40):
        focused = chromium.switch_to.active_element
        if focused.tag_name == "summary":
            focused.send_keys(Keys.ENTER)
            break
        focused.send_keys(Keys.TAB)
    chromium.switch_to.active_element.send_keys(Keys.TAB)
    chromium.switch_to.active_element.send_keys("au clavier", Keys.ENTER)
    WebDriverWait(chromium, 15).until(lambda d: d.find_elements(By.CSS_SELECTOR, "main [role=status]"))

    assert made.entries()[0]["why"] == "au clavier"
    assert made.house.gateway.admitted() == {}


def test_the_console_asks_nobody_else_for_anything() -> None:
    folder = Path(__file__).parents[2] / "captive_portal/console"
    texts = [path.read_text("utf-8") for path in [*folder.glob("templates/*.html"), folder / "console.css"]]

    assert [text for text in texts if "http://" in text or "https://" in text or "@import" in text] == []
