"""From settings, town and files to what the running service is handed.

This is the first of two steps (parvis/launch.py): it has pydantic, YAML and the inventory, and the service has none.
"""

from dataclasses import replace

from collectors.access import Logins, plain
from collectors.compatible import chosen
from collectors.device import devices
from collectors.fibre.span import links
from collectors.known import Known, known, pack
from collectors.poller import Pacing
from collectors.settings import CollectorSettings
from collectors.start import Influx, Start
from collectors.traps.door import Listening
from parvis.inventory import Town
from parvis.processes import COLLECTORS


def start(settings: CollectorSettings, town: Town) -> Start:
    """What the service needs to run as *settings* say, for *town*; SettingsError when its own secret is missing."""
    pacing = Pacing(
        interval_seconds=settings.poll_interval,
        deadline_seconds=settings.poll_interval * settings.poll_deadline,
        timeout_seconds=settings.snmp_timeout,
        tries=settings.snmp_tries,
    )
    listening = Listening(settings.trap_listen, settings.trap_port, settings.trap_rate, settings.trap_idle)
    return Start(
        address=(settings.listen, settings.port or COLLECTORS.port),
        log_level=settings.log_level,
        town=str(settings.town),
        state=settings.state,
        secrets=settings.secrets,
        pacing=pacing,
        stale_after_seconds=settings.poll_interval * settings.stale_after,
        modules=settings.modules,
        gzip=settings.gzip,
        listening=listening if settings.trap_port else None,
        influx=_influx(settings),
        devices=devices(town),
        logins=Logins({each.name: plain(each) for each in town.credentials}),
        links=links(town),
        also=chosen(settings.modules),
        known=folded(known()),
    )


def _influx(settings: CollectorSettings) -> Influx | None:
    if not settings.influx_url:
        return None
    settings.secret(settings.influx_token)  # read again where it is used; that it is missing is said now
    where = settings.influx_url, settings.influx_org, settings.influx_bucket
    return Influx(*where, settings.influx_token, settings.influx_spool)


def folded(whole: Known) -> Known:
    """The same with every profile folded up until a device needs it."""
    return replace(whole, profiles=tuple(pack(each.whole()) for each in whole.profiles))
