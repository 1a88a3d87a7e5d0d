"""What a Prometheus asks us by HTTP: one device as snmp_exporter would show it, and which devices there are.

``/snmp?target=&module=`` reads the board; it never causes SNMP, and knows no device but the inventory's. ``/where``
alone has switches asked: where an intruder on the residents' network sits, whose address the monitor gives.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs

from collectors import prometheus
from collectors.board import Board, Standing
from collectors.known import known
from collectors.layout import Layout, Part, Readings, layout
from collectors.prometheus import Blocks
from parvis.addresses import MacAddress
from parvis.endpoint import respond

NATIVE = "native"
"""The module that is no module of snmp_exporter: the names of our catalogue."""
LIKE_SNMP_EXPORTER = "if_mib"
"""What a scrape without a module gets where it is switched on, as there."""
REFRESH = "HTTP_X_PROMETHEUS_REFRESH_INTERVAL_SECONDS"
"""How often Prometheus asks for the targets; it says so in each request."""
TEXT = "text/plain; charset=utf-8"
_AUTHORITY = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}")
_REFRESH_SECONDS = re.compile(r"\d{1,6}")


class Wrong(Exception):
    """A request that cannot be answered: the HTTP status, and in words what to do."""

    def __init__(self, status: str, words: str) -> None:
        super().__init__(words)
        self.status = status


class Questions:
    """The application behind ``/snmp`` and ``/sd``; *modules* are those of snmp_exporter that are switched on."""

    def __init__(
        self,
        board: Board,
        modules: Sequence[str],
        clock: Callable[[], float],
        *,
        gzip: bool,
        where: Callable[[str, str], list[tuple[str, str]] | None] = lambda _site, _mac: [],
    ) -> None:
        self._board = board
        self._where = where
        self._modules = tuple(modules)
        self._clock = clock
        self.gzip = gzip

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """WSGI."""
        try:
            query = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True, max_num_fields=20)
            status, kind, text = "200 OK", *self._answer(environ, query)
        except Wrong as wrong:
            status, kind, text = wrong.status, TEXT, f"{wrong}\n"
        except ValueError:
            status, kind, text = "400 Bad Request", TEXT, "The query has too many parts.\n"
        asked = environ.get(REFRESH, "")
        age = asked if _REFRESH_SECONDS.fullmatch(asked) else "0"
        headers = [("Cache-Control", f"max-age={age}")]
        return respond(environ, start_response, status, kind, text.encode(), headers=headers, compress=self.gzip)

    def _answer(self, environ: dict[str, Any], query: dict[str, list[str]]) -> tuple[str, str]:
        """Content type and text."""
        if environ.get("PATH_INFO") == "/snmp":
            return prometheus.CONTENT_TYPE, self._device(query)
        if environ.get("PATH_INFO") == "/sd":
            return "application/json", self._targets(query, environ)
        if environ.get("PATH_INFO") == "/where":
            return "application/json", self._places(query)
        raise Wrong("404 Not Found", "No page here; there are /metrics, /snmp, /sd, /devices.json, /healthz")

    def _device(self, query: dict[str, list[str]]) -> str:
        now = self._clock()
        standing = self._asked(query)
        named = [name for words in query.get("module", []) for name in words.split(",") if name]
        modules = [self._known(name) for name in named] or [self._default()]
        found = self._board.device_blocks(standing, now) if NATIVE in modules else []
        foreign = [name for name in dict.fromkeys(modules) if name != NATIVE]
        return prometheus.page([*found, *([_foreign(standing, foreign, now)] if foreign else [])])

    def _asked(self, query: dict[str, list[str]]) -> Standing:
        targets = query.get("target", [])
        if len(targets) != 1 or not targets[0]:
            raise Wrong("400 Bad Request", "'target' parameter must be specified once: the name or address of a device")
        standing = self._board.find(targets[0])
        if standing is None:
            raise Wrong("404 Not Found", "This target is no device of the inventory; /sd lists those there are.")
        return standing

    def _default(self) -> str:
        return LIKE_SNMP_EXPORTER if LIKE_SNMP_EXPORTER in self._modules else NATIVE

    def _known(self, name: str) -> str:
        if name not in (NATIVE, *self._modules):
            known = ", ".join((NATIVE, *self._modules))
            raise Wrong(
                "400 Bad Request", f"Unknown module; there are {known}. The setting `modules` switches more on."
            )
        return name

    def _places(self, query: dict[str, list[str]]) -> str:
        """Where an address was learned: a list, or null while switches are asked."""
        try:
            [site], [mac] = query.get("site", []), query.get("mac", [])
            asked = MacAddress.parse(mac).text
        except ValueError as error:
            raise Wrong("400 Bad Request", "/where wants one site and one mac.") from error
        found = self._where(site, asked)
        return json.dumps(found and [{"device": device, "port": port} for device, port in found])

    def _targets(self, query: dict[str, list[str]], environ: dict[str, Any]) -> str:
        """One group a device; every label is text, as Prometheus wants it."""
        [module] = [self._known(name) for name in query.get("module", [])[:1]] or [self._default()]
        host = environ.get("HTTP_HOST", "")
        authority = host if _AUTHORITY.fullmatch(host) else f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
        return json.dumps([_group(standing, authority, module) for standing in self._board.standings()])


def _group(standing: Standing, authority: str, module: str) -> dict[str, Any]:
    device = standing.device
    labels = {
        "instance": device.name,
        "device": device.name,
        "site": device.site,
        "kind": device.kind,
        "__metrics_path__": "/snmp",
        "__param_target": device.name,
        "__param_module": module,
        "__meta_parvis_address": device.host,
    }
    return {"targets": [authority], "labels": labels}


def _foreign(standing: Standing, modules: list[str], now: float) -> Blocks:
    """The last poll as snmp_exporter names it; one that failed is an error of the scrape, so that ``up`` is 0."""
    if not standing.up or standing.polled is None:
        raise Wrong("500 Internal Server Error", f"error collecting metrics: {standing.reason}")
    wanted = _wanted(tuple(modules))
    parts = [part for part in standing.polled.foreign.parts if part.layout.metric in wanted]
    values = {
        "snmp_scrape_duration_seconds": standing.duration_seconds,
        "snmp_scrape_walk_duration_seconds": standing.duration_seconds,
        "snmp_scrape_packets_sent": standing.last.sent,
        "snmp_scrape_packets_retried": standing.last.resent,
        "snmp_scrape_pdus_returned": standing.polled.variables,
    }
    parts += [Part(_of_scrape(metric, tuple(modules)), [value] * len(modules)) for metric, value in values.items()]
    return prometheus.readings(Readings((), now, tuple(parts)))


@lru_cache(maxsize=64)
def _wanted(modules: tuple[str, ...]) -> frozenset[str]:
    """The metrics of *modules* together."""
    return frozenset[str]().union(*(known().modules[module] for module in modules))


@lru_cache(maxsize=64)
def _of_scrape(metric: str, modules: tuple[str, ...]) -> Layout:
    """What is told of the scrape itself, for each of *modules*."""
    return layout(metric, tuple((("module", module),) for module in modules))
