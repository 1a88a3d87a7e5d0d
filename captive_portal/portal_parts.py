"""The parts of the portal's process, and how they fit together."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask

from captive_portal import store_terms
from captive_portal.arriving import Arriving
from captive_portal.beyond import Beyond
from captive_portal.certificate import ends
from captive_portal.circumstances import Rules
from captive_portal.clock import moment
from captive_portal.devices import key
from captive_portal.doorkeeper import Doorkeeper
from captive_portal.forms import Signer
from captive_portal.funnel import Following, counting
from captive_portal.hours import building
from captive_portal.legal.clock_marks import Witness
from captive_portal.pseudonym import Pseudonyms
from captive_portal.ready import Ready
from captive_portal.redirector import Redirector
from captive_portal.remote import Door, Remote
from captive_portal.returning import Returning
from captive_portal.session import Policy
from captive_portal.store import Store
from captive_portal.store_directives import Directives
from captive_portal.tally import Tally
from captive_portal.timeline import Timeline, both
from captive_portal.uplink import DNS_PORT, Uplink, answered
from captive_portal.web.application import create_app
from captive_portal.web.facts import Facts
from captive_portal.web.shield import REGRETS
from captive_portal.web.terms import Terms, terms
from captive_portal.web.visitor import Hall
from captive_portal.welcome import Welcome
from parvis import heap
from parvis.addresses import MacAddress
from parvis.endpoint import Endpoint
from parvis.instruments import VERSION, Definition, Instruments, registry_of, watch_disk
from parvis.languages import Language
from parvis.running import feed_watchdog, log, notify, start_logging


def start(handed: dict[str, Any], stack: ExitStack) -> Flask:
    """Start doorkeeper, redirector and metrics on *stack*; return the pages."""
    start_logging("portal", handed["log_level"])
    registry, instruments = registry_of("portal", [Definition(**entry) for entry in handed["metrics"]])
    watch_disk(instruments, Path(handed["database"]).parent)
    facts = Facts(**handed["facts"])
    door, policy = Remote(Path(handed["socket"])), Policy(**handed["policy"])
    timeline = Timeline(Pseudonyms(handed["secret"].encode()), ZoneInfo(facts.timezone), moment, counting(instruments))
    store = Store(Path(handed["database"]))
    secret, shared = handed["secret"].encode(), handed["shared"]
    returning = Returning(secret, handed["remember"], facts.terms_version, shared=shared is not None)
    directives = Directives(store, facts.site, moment)
    rules = _rules(handed, facts, directives)
    uncounted = {*rules.known, *([MacAddress(facts.visitor)] if facts.visitor else [])}
    tally = Tally(store, door, facts.site, ZoneInfo(facts.timezone), moment, uncounted)
    noted, doubts = both(timeline.note, tally.note), _doubts(handed, store)
    doorkeeper = Doorkeeper(store, door, policy, instruments, moment, noted, returning, rules, doubts)
    stack.enter_context(doorkeeper)
    stack.enter_context(tally.turns)
    welcome = Welcome(doorkeeper, facts.site, secret)
    stack.enter_context(Arriving(door, welcome, Following(door, doorkeeper.whose, timeline)).turns)
    if shared:
        stack.enter_context(_sharing(shared, store, doorkeeper, returning, instruments, welcome, door))
    stack.enter_context(Redirector(_place(handed["http"]), facts.url, instruments, timeline.heard))
    _tell(instruments, facts, Path(handed["certificate"]))
    ready = Ready((handed["bind"], handed["https_port"]), lambda: doorkeeper.when_restored(lambda: _ready(handed)))
    checks = {"doorkeeper": lambda: doorkeeper.wrong, "pages": lambda: ready.wrong}
    endpoint = stack.enter_context(Endpoint((handed["listen"], handed["port"]), registry, checks))
    uplink = Uplink(handed["uplink"], partial(answered, [(address, DNS_PORT) for address in handed["resolvers"]]))
    stack.enter_context(uplink.turns)
    stack.enter_context(Beyond(handed["uplink"], handed["beyond"], instruments).turns)
    hall = Hall(
        facts=facts,
        terms=_in_force(facts, store),
        door=door,
        doorkeeper=doorkeeper,
        signer=Signer(handed["secret"].encode()),
        clock=moment,
        uplink=uplink.there,
        instruments=instruments,
        timeline=timeline,
        directives=directives,
        standing=doorkeeper.standing,
        radio=building(facts.radio_hours, facts.timezone),
        record=store.record,
        shown=partial(store_terms.read, store),
    )
    application = create_app(hall)
    if handed["management"]:
        from captive_portal.management.serving import management  # noqa: PLC0415 3 MB, where staff may ask

        stack.enter_context(management(handed, hall, store))
    heap.settle()
    heap.keep_tidy(partial(_tended, hall, [endpoint, ready]))
    ready.watch()
    return application


def _rules(handed: dict[str, Any], facts: Facts, directives: Directives) -> Rules:
    secret = handed["secret"].encode()
    return Rules(
        hours=building(handed["hours"], facts.timezone),
        orders=directives.standing,
        key=lambda mac: key(mac, secret),
        known={MacAddress(mac): title for mac, title in handed["known"].items()},
    )


def _tended(hall: Hall, components: Sequence[object]) -> None:
    """What is done several times a minute, whoever comes."""
    hall.guests.forget()
    feed_watchdog(components)


def _in_force(facts: Facts, store: Store) -> dict[Language, Terms]:
    """The terms that are shown, written down as they are."""
    texts = {language: terms(facts, facts.terms_version, language) for language in facts.languages}
    shown = (store_terms.Shown(facts.terms_version, one.language, one.html) for one in texts.values())
    store_terms.keep(store, shown, moment().wall)
    return texts


def _doubts(handed: dict[str, Any], store: Store) -> Callable[[], str]:
    """Why nothing is erased by this machine's clock; empty when it is believed."""
    return Witness(Path(handed["clock"]), store.newest_day).doubts_or_remembers


def _ready(handed: dict[str, Any]) -> None:
    notify("READY=1")
    log.info("started", version=VERSION, town=handed["town"], site=handed["facts"]["site"], port=handed["port"])


def _sharing(
    shared: dict[str, str],
    store: Store,
    doorkeeper: Doorkeeper,
    returning: Returning,
    instruments: Instruments,
    welcome: Welcome,
    door: Door,
) -> AbstractContextManager[object]:
    from captive_portal.elsewhere import Elsewhere  # noqa: PLC0415
    from captive_portal.sharing import Sharing  # noqa: PLC0415 with psycopg, which others do not pay for
    from captive_portal.store_shared import Line  # noqa: PLC0415

    line, site = Line(**shared), welcome.site
    elsewhere = Elsewhere(door, lambda mac: key(mac, returning.secret), site, instruments)
    return Sharing(line, store, doorkeeper, returning, site, instruments, moment, welcome.known, elsewhere).turns


def _tell(instruments: Instruments, facts: Facts, certificate: Path) -> None:
    """What does not change while this process runs: the certificate it serves, the terms it shows."""
    end = ends(certificate.read_bytes()).timestamp()
    instruments.gauge("portal_certificate_remaining_seconds").set_function(lambda: end - moment().wall)
    instruments.gauge("portal_terms_info").labels(facts.terms_version).set(1)
    for reason in REGRETS:
        instruments.counter("portal_errors_total").labels(reason)


def _place(told: int | list[Any]) -> int | tuple[str, int]:
    """Where plain HTTP is answered: a socket's number, or host and port (JSON has no tuples)."""
    return told if isinstance(told, int) else (told[0], told[1])
