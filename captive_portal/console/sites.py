"""The way to every site's management API: short deadlines, all sites at once, a silent one blocks nothing."""

import http.client
import json
import ssl
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Facts = dict[str, Any]
CONNECT_SECONDS = 2.0
"""For the connection and each word of the answer."""
ALL_SECONDS = 3.0
"""For the whole question; who has not answered by then is shown as silent."""
MOST_BYTES = 1024 * 1024
AT_ONCE = 8


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
    """Every site's API, with the town's CA and the console's token."""

    def __init__(self, sites: Sequence[Site], authority: Path, token: str) -> None:
        self.known = {site.name: site for site in sites}
        self._token = token
        self._context = ssl.create_default_context(cafile=str(authority))
        self._context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._askers = ThreadPoolExecutor(AT_ONCE, "site")

    def ask(self, site: str, path: str, body: Facts | None = None) -> Facts:
        """GET *path*, or POST *body* to it, at *site*; SiteSilent or SiteSays."""
        return self._in_time(self._askers.submit(self._exchange, self.known[site], path, body).result)

    def everywhere(self, path: str) -> dict[str, Found]:
        """GET *path* at all sites at once, by site's name; whatever happens at one is told for that one."""
        asked = {name: self._askers.submit(self._exchange, site, path, None) for name, site in self.known.items()}
        found: dict[str, Found] = {}
        for name, future in asked.items():
            try:
                found[name] = self._in_time(future.result)
            except (SiteSilent, SiteSays) as error:
                found[name] = error
        return found

    def sessions(self, site: str, after: int, limit: int) -> Facts:
        """One page of *site*'s sessions."""
        return self.ask(site, f"/v1/sessions?after={after}&limit={limit}")

    def close(self) -> None:
        """Ask nothing more."""
        self._askers.shutdown(wait=False, cancel_futures=True)

    def _in_time(self, result: Callable[[float], Facts]) -> Facts:
        try:
            return result(ALL_SECONDS)
        except NotInTime as error:
            raise SiteSilent("no answer in time") from error

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


def answers(found: dict[str, Found]) -> Iterator[tuple[str, Facts]]:
    """Only the sites that answered."""
    yield from ((name, said) for name, said in found.items() if isinstance(said, dict))


def silent(found: dict[str, Found]) -> list[str]:
    """Only the sites that did not."""
    return [name for name, said in found.items() if isinstance(said, SiteSilent)]
