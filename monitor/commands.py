"""``parvis monitor``: run the monitor."""

import sys
import time
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import click
from flask import Flask

from monitor.collectors import where
from monitor.duty import Duty
from monitor.gathering import Gathering, own_disk
from monitor.hindrances import barred
from monitor.history.recorder import Recorder
from monitor.instruments import MonitorMetrics
from monitor.rounds import Rounds
from monitor.settings import MonitorSettings
from monitor.status.publish import SECRET, NotPublished, of_duty, published
from monitor.surroundings import INTERVAL_SECONDS, Surroundings
from monitor.visits import Visits
from monitor.watch import Watch
from monitor.web.app import create_app
from monitor.web.pages import Places
from monitor.web.visits import add_visits
from parvis import service
from parvis.inventory import Town
from parvis.processes import MONITOR, VISITOR_TOKEN
from parvis.running import Turns, log
from parvis.settings import SecretMissing, load

FORGET_SECONDS = 5.0
STATUS_SECONDS = 60.0
FRESH_SCRAPES = 3
"""Scrapes that may fail before what the last one said holds no more."""


@click.command()
@click.option("--settings", "file", type=click.Path(path_type=Path, dir_okay=False), help="TOML file of settings.")
def monitor(file: Path | None) -> None:
    """Watch every uplink and device, show the wall, take alerts. Stops at SIGTERM."""
    settings = load(MonitorSettings, file)
    service.start_logging(MONITOR.name, settings.log_level)
    town = service.town_or_exit(settings)
    sys.exit(service.run(MONITOR, settings, components(town, settings)))


def components(town: Town, settings: MonitorSettings) -> tuple[AbstractContextManager[Any], ...]:
    """The watch, the on-call engine, and the HTTP endpoint with the pages on top of both; none is started."""
    settings.state.mkdir(parents=True, exist_ok=True)
    metrics = MonitorMetrics(town.town)
    duty = Duty(town, settings, metrics)
    watch = Watch(town, settings, metrics, duty.planned)
    recorder = Recorder(town, settings, metrics)
    app = create_app(town, settings, watch, duty, metrics)
    Places(town, settings, watch, duty, recorder).add_to(app)
    checks = {"rounds": watch.late, "echoes": watch.forbidden, "oncall": duty.late}
    address = (settings.listen, settings.port or MONITOR.port)
    visits = _visits(app, town, settings, metrics)
    fresh = FRESH_SCRAPES * settings.scrape_interval, FRESH_SCRAPES * settings.gateway_interval
    gathering = Gathering(town, recorder.scrapes, visits, fresh, time.time, partial(own_disk, settings.state))
    duty.signals, recorder.beyond, recorder.works = gathering.signals, gathering.beyond, duty.works
    watch.obstacles = lambda: (gathering.beyond(), barred(duty.engine.verdicts.values()))
    forgetting = [Rounds("visits", FORGET_SECONDS, visits.forget, metrics.made).turns] if visits else []
    endpoint = service.Endpoint(address, metrics.registry, checks=checks, app=app)
    loops = duty.running(lambda: watch.picture), recorder.running(lambda: watch.picture)
    around = Surroundings(town, metrics, lambda: watch.picture, duty.dispatcher)
    asking = Rounds("surroundings", INTERVAL_SECONDS, around.once, metrics.made).turns
    return watch, *loops, *forgetting, asking, *_status(town, settings, duty, recorder, metrics), endpoint


def _status(
    town: Town, settings: MonitorSettings, duty: Duty, recorder: Recorder, metrics: MonitorMetrics
) -> list[Turns]:
    """Write the public page every minute, and send it, where the settings say so."""
    folder = settings.status_folder
    if folder is None:
        return []
    try:
        secret = settings.secret(SECRET) if settings.status_push else None
    except SecretMissing:
        secret = None

    def bring() -> bool:
        made = of_duty(town, recorder.register, duty, time.time())
        try:
            published(made, folder, settings.status_push, settings.status_url, secret)
        except NotPublished as error:
            log.warning("status page not published", error=str(error))
            return False
        return True

    return [Rounds("status", STATUS_SECONDS, bring, metrics.made).turns]


def _visits(app: Flask, town: Town, settings: MonitorSettings, metrics: MonitorMetrics) -> Visits | None:
    """Take the visitor's reports, where there is a visitor: its secret says so."""
    try:
        token = settings.secret(VISITOR_TOKEN)
    except SecretMissing:
        return None
    visits = Visits(town, metrics, partial(where, settings.collectors_url, settings.collectors_timeout))
    add_visits(app, visits, token, metrics)
    return visits
