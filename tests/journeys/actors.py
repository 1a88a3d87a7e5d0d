"""The people and instruments of the journeys: a resident acts from inside a phone's namespace only."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urljoin

from lab.town import Lab

PORTAL = "https://wifi.cachan.example/"
MSP, DESK = "maison-services-publics", "service-relation-citoyen"
LIBRARY, SPORTS = "bibliotheque-centrale", "leo-lagrange"
SHORT_SESSION_SECONDS = 12
"""At the sports complex, so that expiry can be watched."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer as a resident's program sees it; *status* 0 when there was none, with curl's *error* code."""

    status: int
    headers: dict[str, str]
    body: str
    error: int = 0

    @property
    def location(self) -> str:
        return self.headers.get("location", "")

    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


class Forms(HTMLParser):
    """The forms of a page: where each leads and its hidden fields."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append((given.get("action", ""), {}))
        elif tag in {"input", "button"} and given.get("name") and self.found:
            self.found[-1][1][given["name"]] = given.get("value", "")


@dataclass
class Resident:
    """Somebody with a phone: acts only from inside the phone's namespace."""

    twin: Lab
    name: str
    page: Answer = field(default_factory=lambda: Answer(0, {}, ""))

    def curl(self, url: str, *words: str, timeout_seconds: float = 5) -> Answer:
        """Ask once, follow nothing."""
        argv = ["curl", "-sS", "-i", "--http1.1", "--max-time", str(timeout_seconds), *words, url]
        ca = ["--cacert", str(self.twin.folder / "tls" / "ca.pem")]
        done = self.twin.exec(self.name, [*argv[:1], *ca, *argv[1:]], timeout_seconds=timeout_seconds + 10)
        if done.returncode:
            return Answer(0, {}, done.stderr, done.returncode)
        head, _, body = done.stdout.partition("\n\n")  # text mode has made one character of each line end
        lines = head.splitlines()
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines[1:] if ": " in line)}
        return Answer(int(lines[0].split()[1]), headers, body)

    def opens(self, url: str) -> "Resident":
        """Open a page as a browser does, following redirects."""
        for _ in range(5):
            self.page = self.curl(url)
            if self.page.status not in {301, 302, 303, 307, 308}:
                break
            url = urljoin(url, self.page.location)
        return self

    def presses(self, action: str) -> "Resident":
        """Send the form of the page that leads to *action*, then follow the answer."""
        forms = Forms()
        forms.feed(self.page.body)
        target, fields = next((form for form in forms.found if action in form[0]), ("", {}))
        assert target, f"no form leads to {action} among {[form[0] for form in forms.found]}: {self.page.body[:500]}"
        self.page = self.curl(urljoin(PORTAL, target), "--data", urlencode(fields))
        assert self.page.status == 303, (self.page.status, self.page.body[:300])
        return self.opens(urljoin(PORTAL, self.page.location))

    def accepts(self) -> "Resident":
        return self.opens(PORTAL).presses("accept")

    def leaves(self) -> "Resident":
        return self.opens(urljoin(PORTAL, "status")).presses("leave")

    def api(self) -> dict[str, Any]:
        """What the captive portal API says (RFC 8908)."""
        answer = self.curl(self.twin.lease(self.name)["url"], "-H", "Accept: application/captive+json")
        assert answer.status == 200, (answer.status, answer.error, answer.body)
        assert answer.headers["content-type"] == "application/captive+json"
        return answer.json()

    def is_online(self, *words: str) -> bool:
        """Whether a page of the internet comes, unaltered."""
        answer = self.curl("http://example.org/generate_204", *words, timeout_seconds=2)
        return answer.status == 204

    def is_captive(self) -> bool:
        """Whether plain HTTP leads to the portal."""
        answer = self.curl("http://example.org/generate_204", timeout_seconds=2)
        return (answer.status, answer.location) == (302, PORTAL)


def eventually(is_so: Callable[[], object], what: str, seconds: float = 20) -> float:
    """Wait until *is_so*; the seconds it took. Fails, naming *what*, after a generous while."""
    begun = time.monotonic()
    while not is_so():
        assert time.monotonic() - begun < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.1)
    return time.monotonic() - begun


def promql(twin: Lab, expression: str) -> list[dict[str, Any]]:
    """What the real Prometheus answers: a list of {metric, value}."""
    query = "http://127.0.0.1:9090/api/v1/query?" + urlencode({"query": expression})
    done = twin.exec("centre", ["curl", "-sS", "--max-time", "5", query])
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["status"] == "success", answer
    result: list[dict[str, Any]] = answer["data"]["result"]
    return result


def scrape(twin: Lab, address: str, port: int) -> str:
    """A process' /metrics, as Prometheus sees it from the centre."""
    done = twin.exec("centre", ["curl", "-sS", "--max-time", "5", f"http://{address}:{port}/metrics"])
    assert done.returncode == 0, done.stderr
    return done.stdout


def value(text: str, name: str) -> float:
    """The sum of a metric's samples in an exposition text."""
    found = re.findall(rf"^{name}(?:\{{[^}}]*\}})? ([0-9.eE+-]+)$", text, re.MULTILINE)
    assert found, f"{name} is not exposed"
    return sum(map(float, found))
