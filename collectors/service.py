"""The collectors as a process: the poller, and its HTTP endpoint (/metrics, /snmp, /sd, /devices.json, /healthz)."""

import time
from collections.abc import Iterable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collectors import prometheus
from collectors.access import GetSecret
from collectors.board import Board
from collectors.fibre.watch import Watch
from collectors.known import take
from collectors.poller import Outlet, Poller
from collectors.sample import Sample
from collectors.traps.door import Traps
from collectors.web import Questions
from parvis.endpoint import Endpoint
from parvis.processes import COLLECTORS, VERSION
from parvis.running import hold, start_logging
from parvis.secrets import find_secret
from parvis.vitals import vitals

if TYPE_CHECKING:
    from collectors.influx.writer import Writer
    from collectors.start import Start


def serve(start: "Start") -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    start_logging(COLLECTORS.name, start.log_level)
    take(start.known)
    hold(components(start), version=VERSION, town=start.town, port=start.address[1])
    return 0


def components(start: "Start") -> list[AbstractContextManager[Any]]:
    """The poller and its endpoint, in the order they are to be started; the endpoint is the last."""
    secret = partial(find_secret, folder=start.secrets)
    board = Board(start.devices, start.stale_after_seconds)
    writer = influx(start, secret)
    outlet: Outlet | None = writer.put if writer else None
    poller = Poller(start.logins, start.devices, secret, board, start.pacing, outlet, start.also)
    heard = None
    if start.listening:
        heard = Traps(start.logins, start.devices, secret, poller.poll_now, start.listening, start.state)
    questions = Questions(board, start.modules, time.time, gzip=start.gzip, where=poller.where)
    light = Watch(start.links, board, start.state / "optics", outlet)
    page = endpoint(start.address, board, poller, writer, heard, questions, light, start.state)
    return [*filter(None, (writer, poller, heard)), light.turns, page]


def influx(start: "Start", secret: GetSecret) -> "Writer | None":
    """The way to InfluxDB, where the settings name one; its libraries are loaded only then."""
    there = start.influx
    if there is None:
        return None
    from collectors.influx.writer import Server, Writer  # noqa: PLC0415 20 MB, only where it is wanted

    server = Server(there.url, there.org, there.bucket, secret(there.token))
    return Writer(server, start.state / "influx", there.spool)


def endpoint(
    address: tuple[str, int],
    board: Board,
    poller: Poller,
    writer: "Writer | None" = None,
    heard: Traps | None = None,
    questions: Questions | None = None,
    light: Watch | None = None,
    state: Path = Path(),
) -> Endpoint:
    """The HTTP server; a scrape only reads the board, it never causes SNMP."""
    parts = [part for part in (writer, heard, light) if part]

    def metrics() -> tuple[str, bytes]:
        return prometheus.CONTENT_TYPE, _page(board, poller, parts, state)

    def devices_json() -> tuple[str, bytes]:
        return "application/json", board.devices_json(time.time())

    return Endpoint(
        address,
        None,
        checks={"poller": poller.wrong, **({"traps": heard.wrong} if heard else {})},
        pages={"/metrics": metrics, "/devices.json": devices_json},
        app=questions,
        compress=questions is not None and questions.gzip,
        is_quick=True,
        loop=poller.loop,
    )


def _page(board: Board, poller: Poller, parts: "Iterable[Writer | Traps | Watch]", state: Path) -> bytes:
    now = time.time()
    more = [sample for part in parts for sample in part.own_samples(now)]
    more += [Sample(*vital, now) for vital in vitals(COLLECTORS.name, state, now)]
    return board.metrics(now, poller.transport_counts, more).encode()
