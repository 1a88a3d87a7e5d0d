"""The way to every site's management API: short deadlines, all sites at once, a silent one blocks nothing."""

import http.client
import json
import ssl
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from captive_portal.tls import THREADS

Facts = dict[str, Any]
CONNECT_SECONDS = 2.0
"""For the connection and each word of the answer."""
ALL_SECONDS = 3.0
"""For the whole question; who has not answered by then is shown as silent, and is not asked later."""
MOST_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Site:
    """Where one site's API is, and the site's title by language."""

    name: str
    title: dict[str, str]
    address: str
    port: int


class SiteSilent(Exception):
    """The site's portal does not answer, or not with our certificate: look at its fibre, its gateway, its portal."""


class SiteSays(Exception):
    """The site answered that it cannot or will not; *code* is HTTP's, the words are the site's."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code


Found = Facts | SiteSilent | SiteSays
"""What became of a question."""


class Sites:
    """Every site's API, with the town's CA and the console's token.

    A site may be asked from every thread of the console at once: nobody waits for a site that is not theirs.
    """

    def __init__(self, sites: Sequence[Site], authority: Path, token: str) -> None:
        self.known = {site.name: site for site in sites}
        self._token = token
        self._context = ssl.create_default_context(cafile=str(authority))
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._askers = {name: ThreadPoolExecutor(THREADS, f"site-{name}") for name in self.known}

    def ask(self, site: str, path: str, body: Facts | None = None) -> Facts:
        """GET *path*, or POST *body* to it, at *site*; SiteSilent or SiteSays."""
        return _in_time(self._asked(site, path, body), time.monotonic() + ALL_SECONDS)

    def everywhere(self, path: str) -> dict[str, Found]:
        """GET *path* at all sites at once, by site's name; whatever happens at one is told for that one."""
        until = time.monotonic() + ALL_SECONDS
        asked = {name: self._asked(name, path, None) for name in self.known}
        found: dict[str, Found] = {}
        for name, future in asked.items():
            try:
                found[name] = _in_time(future, until)
            except (SiteSilent, SiteSays) as error:
                found[name] = error
        return found

    def sessions(self, site: str, after: int, limit: int) -> Facts:
        """One page of *site*'s sessions."""
        return self.ask(site, f"/v1/sessions?after={after}&limit={limit}")

    def close(self) -> None:
        """Ask nothing more."""
        for asker in self._askers.values():
            asker.shutdown(wait=False, cancel_futures=True)

    def _asked(self, site: str, path: str, body: Facts | None) -> "Future[Facts]":
        return self._askers[site].submit(self._exchange, self.known[site], path, body)

    def _exchange(self, site: Site, path: str, body: Facts | None) -> Facts:
        channel = http.client.HTTPSConnection(site.address, site.port, timeout=CONNECT_SECONDS, context=self._context)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        try:
            sent = None if body is None else json.dumps(body)
            channel.request("GET" if body is None else "POST", path, sent, headers)
            answer = channel.getresponse()
            said = json.loads(answer.read(MOST_BYTES))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise SiteSilent(type(error).__name__) from error
        finally:
            channel.close()
        if answer.status != http.client.OK or not isinstance(said, dict):
            raise SiteSays(answer.status, str(said.get("error", "")) if isinstance(said, dict) else "")
        return said


def _in_time(asked: "Future[Facts]", until: float) -> Facts:
    """The answer, if it is there *until* (monotonic seconds); what has not been sent by then never is."""
    try:
        return asked.result(max(until - time.monotonic(), 0))
    except NotInTime as error:
        asked.cancel()
        raise SiteSilent("no answer in time") from error


def answers(found: dict[str, Found]) -> Iterator[tuple[str, Facts]]:
    """Only the sites that answered."""
    yield from ((name, said) for name, said in found.items() if isinstance(said, dict))


def silent(found: dict[str, Found]) -> list[str]:
    """Only the sites that did not."""
    return [name for name, said in found.items() if isinstance(said, SiteSilent)]
