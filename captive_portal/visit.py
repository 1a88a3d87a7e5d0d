"""A resident that is a program: finds the portal, accepts, is online, leaves, and is captive again.

It runs where a guest's device would, with what a lease gives: a resolver and the address of the API. Every step says
whether it went as it must, how long it took, and in words what was wrong. ``parvis visit`` prints them; a monitor may
run it every minute. It imports nothing but the standard library and the table of probes.
"""

import json
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Literal
from urllib.parse import urlencode, urljoin, urlsplit

from captive_portal.probes import FAMILIES, OTHER, Probe, first_of

TIMEOUT_SECONDS = 5.0
CAPTIVE_JSON = "application/captive+json"
MOST_CHARACTERS = 4096
Family = Literal[4, 6]
_SOCKET_FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
_TOKEN = re.compile(r'name="token" value="([^"]+)"')


class Wrong(Exception):
    """A step did not go as it must; the words say how."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: *wrong* is empty when it went as it must."""

    name: str
    seconds: float
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class Got:
    """An answer."""

    status: int
    headers: dict[str, str]
    body: str


@dataclass
class Visitor:
    """Asks as a guest's device. *api*: what option 114 said; *families*: those of the network."""

    api: str
    trust: ssl.SSLContext
    families: tuple[Family, ...] = (4, 6)
    page: str = ""
    """The portal's first page, once the API has told it."""

    def steps(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Every step by name, in order; each needs those before it."""
        yield "api-captive", self._is_captive
        for name in FAMILIES:
            if name != OTHER:
                yield f"probe-{name}", lambda name=name: self._is_led(first_of(name))  # type: ignore[misc]
        yield "https-refused", self._https_is_refused
        yield "page", self._opens_the_page
        yield "accept", self._accepts
        yield "api-online", self._is_online
        for family in self.families:
            yield f"internet-ipv{family}", lambda family=family: self._reaches(family)  # type: ignore[misc]
        yield "leave", self._leaves
        yield "captive-again", self._is_captive_again

    def walk(self) -> Iterator[Step]:
        """Do every step until one goes wrong; what a visit has opened, it closes."""
        self._begins_captive()
        for name, deed in self.steps():
            started = time.monotonic()
            wrong = _wrong(deed)
            yield Step(name, round(time.monotonic() - started, 4), wrong)
            if wrong:
                _wrong(self._leaves)
                return

    def _begins_captive(self) -> None:
        """Close what a visit that was cut off has left open."""

        def close() -> None:
            if not self._told()["captive"]:
                self._leaves()

        _wrong(close)

    def _told(self) -> dict[str, object]:
        got = self.ask(self.api, {"Accept": CAPTIVE_JSON})
        if (got.status, got.headers.get("content-type")) != (200, CAPTIVE_JSON):
            raise Wrong(f"the API answers {got.status} {got.headers.get('content-type')}")
        said = json.loads(got.body)
        if len(got.body) > MOST_CHARACTERS or not isinstance(said.get("captive"), bool):
            raise Wrong("the API's answer is too long, or says nothing")
        self.page = str(said.get("user-portal-url", ""))
        if not self.page.startswith("https://"):
            raise Wrong("the API names no page")
        found: dict[str, object] = said
        return found

    def _is_captive(self) -> None:
        if not self._told()["captive"]:
            raise Wrong("the API says that this device is online")

    def _is_online(self) -> None:
        said = self._told()
        if said["captive"] or not isinstance(said.get("seconds-remaining"), int):
            raise Wrong("the API says that this device is captive after it has accepted")

    def _is_led(self, probe: Probe) -> None:
        for family in self.families:
            got = self.ask(probe.url, {}, family=family)
            if (got.status, got.headers.get("location")) != (302, self.page) or not got.body:
                raise Wrong(f"over IPv{family} plain HTTP is answered {got.status}, not led to the portal")
            if "no-store" not in got.headers.get("cache-control", ""):
                raise Wrong("the redirect may be kept")

    def _https_is_refused(self) -> None:
        host = first_of("chrome").host
        for family in self.families:
            try:
                _connected(host, 443, family).close()
            except ConnectionRefusedError:
                continue
            raise Wrong(f"over IPv{family} port 443 of the internet is open before acceptance")

    def _opens_the_page(self) -> None:
        self._form("", "accept")

    def _accepts(self) -> None:
        self._posts(*self._form("", "accept"))

    def _leaves(self) -> None:
        self._posts(*self._form("status", "leave"))

    def _is_captive_again(self) -> None:
        self._is_captive()
        self._is_led(first_of("android"))

    def _reaches(self, family: Family) -> None:
        probe = first_of("android")
        got = self.ask(probe.url, {}, family=family)
        if not probe.online(got.status, got.body):
            raise Wrong(f"over IPv{family} the internet answers {got.status}")

    def _form(self, path: str, purpose: str) -> tuple[str, str]:
        """Where the form of a page leads, and its token."""
        url = urljoin(self.page, path)
        for _ in range(3):
            got = self.ask(url, {"Accept": "text/html"})
            if not got.headers.get("location"):
                break
            url = urljoin(url, got.headers["location"])
        found = re.search(rf'action="([^"]*/{purpose})"', got.body)
        token = _TOKEN.search(got.body, found.end()) if found else None
        if found is None or token is None:
            raise Wrong(f"the page answers {got.status} and has no form to {purpose}")
        return urljoin(url, found[1]), token[1]

    def _posts(self, url: str, token: str) -> Got:
        got = self.ask(url, {"Content-Type": "application/x-www-form-urlencoded"}, urlencode({"token": token}))
        if got.status != 303:  # noqa: PLR2004 See Other
            raise Wrong(f"the form is answered {got.status}")
        return self.ask(urljoin(url, got.headers["location"]), {"Accept": "text/html"})

    def ask(self, url: str, headers: dict[str, str], form: str | None = None, family: Family | None = None) -> Got:
        """One request on a connection of its own; nothing is followed. Wrong when nobody answers."""
        parts = urlsplit(url)
        host, secure = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        asking = HTTPSConnection(host, port, context=self.trust) if secure else HTTPConnection(host, port)
        try:
            plain = _connected(host, port, family)
            asking.sock = self.trust.wrap_socket(plain, server_hostname=host) if secure else plain
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            asking.request("POST" if form else "GET", path, form, {"Connection": "close", **headers})
            answer = asking.getresponse()
            fields = {name.lower(): value for name, value in answer.getheaders()}
            return Got(answer.status, fields, answer.read().decode("utf-8", "replace"))
        except ssl.SSLCertVerificationError as error:
            raise Wrong(f"the certificate of {host}: {error.verify_message}") from error
        except (OSError, HTTPException) as error:
            raise Wrong(f"{host} does not answer: {error}") from error
        finally:
            asking.close()


def _connected(host: str, port: int, family: Family | None) -> socket.socket:
    """A connection to *host* over *family*, or any; OSError."""
    wanted = _SOCKET_FAMILY[family] if family else socket.AF_UNSPEC
    address = socket.getaddrinfo(host, port, wanted, socket.SOCK_STREAM)[0][4]
    return socket.create_connection((str(address[0]), port), TIMEOUT_SECONDS)


def _wrong(deed: Callable[[], None]) -> str:
    """What went wrong when *deed* was done; empty when nothing did."""
    try:
        deed()
    except Wrong as error:
        return str(error)
    except (OSError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return ""
