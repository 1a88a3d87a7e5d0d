"""The pages as a browser gets them: the application over HTTPS on this machine, in every state a resident can meet."""

import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Self

import trustme
from house import ANNA, HOST, House
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from werkzeug.serving import make_server

from captive_portal.directives import Kind, Order
from captive_portal.standing import WELCOME, Refusal, Standing

PAPERS = ("cgu", "cgu/1.0.0", "donnees", "mentions", "aide", "ici", "facile", "accessibilite", "eco-conception",
          "affiche", "mes-donnees", "goodbye", "nulle-part")  # fmt: skip
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--disable-sync",
    "--hide-scrollbars",
    "--ignore-certificate-errors",
    "--disable-features=HttpsUpgrades,OptimizationHints,MediaRouter,Translate",
)


@dataclass(frozen=True)
class Look:
    """A state of the house: what is true, and which page shows it."""

    name: str
    path: str = ""
    online: bool = False
    prepare: Callable[[House], None] = lambda _house: None


def _stands(standing: Standing) -> Callable[[House], None]:
    def prepare(house: House) -> None:
        house.stands = standing

    return prepare


def _cut(house: House) -> None:
    house.fibre = False


def _away(house: House) -> None:
    house.gateway.away = True


def _unknown(house: House) -> None:
    house.gateway.people.clear()


def _banner(house: House) -> None:
    texts = {"fr": "Attention : de faux SMS de la mairie circulent.", "en": "Beware of false text messages."}
    house.directives.give(Order(Kind.BANNER, "agent", "hameçonnage", **texts), 3600)


def _open_to_all(house: House) -> None:
    house.stands = Standing(Refusal.CLOSED_HOURS, TOMORROW)
    house.gateway.open(3600)


TOMORROW = 1_767_970_800.0 + 16 * 3600
CLOSING = 1_767_970_800.0 + 1.5 * 3600
LOOKS = (
    Look("offered"),
    Look("again", "?again=1"),
    Look("banner", prepare=_banner),
    Look("closing", prepare=_stands(Standing(closes=CLOSING))),
    Look("cut", prepare=_cut),
    Look("closed-hours", prepare=_stands(Standing(Refusal.CLOSED_HOURS, TOMORROW))),
    Look("closed-by-staff", prepare=_stands(Standing(Refusal.CLOSED_BY_STAFF, TOMORROW))),
    Look("open-to-all", prepare=_open_to_all),
    Look("full", prepare=_stands(Standing(Refusal.FULL))),
    Look("blocked", prepare=_stands(Standing(Refusal.BLOCKED, TOMORROW))),
    Look("online", "status", online=True),
    Look(
        "extended", "status?extended=1", online=True, prepare=_stands(Standing(bytes_left=700_000_000, may_extend=True))
    ),
    Look("slowed", "status", online=True, prepare=_stands(Standing(slowed=True, bytes_left=0, may_extend=True))),
    Look("online-cut", "status", online=True, prepare=_cut),
    Look("online-closing", "status", online=True, prepare=_stands(Standing(closes=CLOSING))),
    Look("my-data", "mes-donnees", online=True),
    Look("unknown", prepare=_unknown),
    Look("gateway-away", prepare=_away),
    *(Look(paper.replace("/", "-"), paper) for paper in PAPERS),
)


class Served:
    """A house with an address a browser can open: https://HOST/, led to *port* on this machine."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house = house
        ca = trustme.CA()
        certificate = folder / "portal.pem"
        ca.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._server = make_server("127.0.0.1", 0, house.app, threaded=True, ssl_context=context)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()

    @contextmanager
    def looking(self, look: Look) -> Iterator[None]:
        """Bring the house into the state of *look*, and back."""
        self.house.gateway.people[ip_address("127.0.0.1")] = ANNA
        visitor = self.house.visitor("127.0.0.1")
        if look.online:
            visitor.accepts()
        look.prepare(self.house)
        try:
            yield
        finally:
            self.house.fibre, self.house.gateway.away, self.house.stands = True, False, WELCOME
            self.house.gateway.open_until = 0.0
            self.house.gateway.people[ip_address("127.0.0.1")] = ANNA
            self.house.ends_orders()
            if look.online:
                visitor.leaves()


def address(language: str, path: str) -> str:
    return f"https://{HOST}/{language}/{path}"


@contextmanager
def browser(port: int, *flags: str, width: int = 360, height: int = 780) -> Iterator[webdriver.Chrome]:
    """A Chromium of its own whose only way out is the portal."""
    with tempfile.TemporaryDirectory(prefix="pa-chromium-") as folder:
        options = webdriver.ChromeOptions()
        rules = f"MAP {HOST}:443 127.0.0.1:{port}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
        for flag in (*FLAGS, *flags, f"--host-resolver-rules={rules}", f"--user-data-dir={folder}/profile"):
            options.add_argument(flag)
        options.add_argument(f"--window-size={width},{height}")
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        options.binary_location = "/usr/bin/chromium"
        driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        try:
            yield driver
        finally:
            driver.quit()
