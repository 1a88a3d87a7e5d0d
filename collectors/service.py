"""The collectors as a process: the poller, and its HTTP endpoint (/metrics, /snmp, /sd, /devices.json, /healthz)."""

import time
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from collectors import prometheus
from collectors.board import Board
from collectors.compatible import chosen
from collectors.device import Device, devices
from collectors.fibre.watch import Watch
from collectors.poller import Pacing, Poller
from collectors.settings import CollectorSettings
from collectors.traps.door import Listening, Traps
from collectors.web import Questions
from parvis.inventory import Town
from parvis.processes import COLLECTORS
from parvis.service import Endpoint, new_registry, run, start_logging, town_or_exit

if TYPE_CHECKING:
    from collectors.influx.writer import Writer


def serve(settings: CollectorSettings) -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    start_logging(COLLECTORS.name, settings.log_level)
    return run(COLLECTORS, settings, components(settings, town_or_exit(settings)))


def components(settings: CollectorSettings, town: Town) -> list[AbstractContextManager[Any]]:
    """The poller and its endpoint, in the order they are to be started; the endpoint is the last."""
    polled = devices(town)
    board = Board(polled, settings.poll_interval * settings.stale_after)
    pacing = Pacing(
        interval_seconds=settings.poll_interval,
        deadline_seconds=settings.poll_interval * settings.poll_deadline,
        timeout_seconds=settings.snmp_timeout,
        tries=settings.snmp_tries,
    )
    writer = influx(settings)
    outlet = writer.put if writer else None
    poller = Poller(town, polled, settings.secret, board, pacing, outlet, chosen(settings.modules))
    heard = traps(settings, town, polled, poller)
    questions = Questions(board, settings.modules, time.time, gzip=settings.gzip, where=poller.where)
    light = Watch(town, board, settings.state / "optics", outlet)
    page = endpoint((settings.listen, settings.port or COLLECTORS.port), board, poller, writer, heard, questions, light)
    return [*filter(None, (writer, poller, heard)), light.turns, page]


def traps(settings: CollectorSettings, town: Town, polled: list[Device], poller: Poller) -> Traps | None:
    """The ear for traps, where the settings name a port."""
    if not settings.trap_port:
        return None
    listening = Listening(settings.trap_listen, settings.trap_port, settings.trap_rate, settings.trap_idle)
    return Traps(town, polled, settings.secret, poller.poll_now, listening, settings.state)


def influx(settings: CollectorSettings) -> "Writer | None":
    """The way to InfluxDB, where the settings name one; its libraries are loaded only then."""
    if not settings.influx_url:
        return None
    from collectors.influx.writer import Server, Writer  # noqa: PLC0415 20 MB, only where it is wanted

    token = settings.secret(settings.influx_token)
    server = Server(settings.influx_url, settings.influx_org, settings.influx_bucket, token)
    return Writer(server, settings.state / "influx", settings.influx_spool)


def endpoint(
    address: tuple[str, int],
    board: Board,
    poller: Poller,
    writer: "Writer | None" = None,
    heard: Traps | None = None,
    questions: Questions | None = None,
    light: Watch | None = None,
) -> Endpoint:
    """The HTTP server; a scrape only reads the board, it never causes SNMP."""
    registry = new_registry(COLLECTORS)

    def metrics() -> tuple[str, bytes]:
        return prometheus.CONTENT_TYPE, _page(
            board, poller, registry, [part for part in (writer, heard, light) if part]
        )

    def devices_json() -> tuple[str, bytes]:
        return "application/json", board.devices_json(time.time())

    return Endpoint(
        address,
        registry,
        checks={"poller": poller.wrong, **({"traps": heard.wrong} if heard else {})},
        pages={"/metrics": metrics, "/devices.json": devices_json},
        app=questions,
        compress=questions is not None and questions.gzip,
        is_quick=True,
        loop=poller.loop,
    )


def _page(
    board: Board, poller: Poller, registry: CollectorRegistry, parts: "Iterable[Writer | Traps | Watch]"
) -> bytes:
    now = time.time()
    more = [sample for part in parts for sample in part.own_samples(now)]
    return board.metrics(now, poller.transport_counts, more).encode() + generate_latest(registry)
