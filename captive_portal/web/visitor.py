"""Who is asking, in which language, and whether the kernel lets them through."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from flask import current_app, g, request

from captive_portal.directives import Kind
from captive_portal.doorkeeper import Doorkeeper
from captive_portal.forms import Purpose, Signer
from captive_portal.neighbours import plain
from captive_portal.protocol import Truth
from captive_portal.remote import Door
from captive_portal.session import Now
from captive_portal.store_directives import Directives
from captive_portal.timeline import Timeline
from captive_portal.web.facts import LANGUAGES, Facts, Language, Terms
from parvis.addresses import MacAddress
from parvis.instruments import Instruments

SECOND_LOOK_SECONDS = 0.1
"""A lease may be some milliseconds younger than its first request."""


@dataclass(frozen=True, slots=True)
class Hall:
    """What every page may use."""

    facts: Facts
    terms: dict[Language, Terms]
    door: Door
    doorkeeper: Doorkeeper
    signer: Signer
    clock: Callable[[], Now]
    uplink: Callable[[], bool]
    instruments: Instruments
    timeline: Timeline
    directives: Directives
    pause: Callable[[float], None] = time.sleep


def hall() -> Hall:
    """This application's Hall."""
    found: Hall = current_app.extensions["hall"]
    return found


def language() -> Language:
    """The language of the path, else the one the browser prefers, else French."""
    if g.get("language") is None:
        g.language = request.accept_languages.best_match(LANGUAGES, "fr")
    found: Language = g.language
    return found


def banner() -> tuple[str, str] | None:
    """The language and the text of the message staff have put on every page, None when there is none (CGU-11)."""
    found = hall().directives.latest(Kind.BANNER)
    if found is None:
        return None
    return ("fr", found.order.fr) if language() == "fr" else ("en", found.order.en)


def device() -> MacAddress | None:
    """The MAC address of the device that asks, None when the gateway does not know it. GatewayAway."""
    address = plain(request.remote_addr or "::")
    found = hall().door.identify(address)
    if found is None:
        hall().pause(SECOND_LOOK_SECONDS)
        found = hall().door.identify(address)
    return found


def token(mac: MacAddress, purpose: Purpose) -> str:
    """A fresh token for a form."""
    return hall().signer.token(mac, purpose, hall().clock())


def signed(mac: MacAddress, purpose: Purpose) -> str | None:
    """The token of the posted form when it is good for *mac* and *purpose*; None otherwise."""
    sent = request.form.get("token", "")
    return sent if hall().signer.valid(sent, mac, purpose, hall().clock()) else None


def ends(truth: Truth) -> datetime:
    """When the session ends, in the town's time."""
    now = datetime.fromtimestamp(hall().clock().wall, ZoneInfo(hall().facts.timezone))
    return now + timedelta(seconds=truth.seconds)


def spoken_time(end: datetime, now: datetime, language: Language) -> str:
    r"""A time of day as it is said in *language*, with the day when it is not today.

    >>> noon = datetime(2026, 5, 1, 12, 0)
    >>> spoken_time(datetime(2026, 5, 1, 18, 30), noon, "fr"), spoken_time(datetime(2026, 5, 2, 0, 5), noon, "en")
    ('18\xa0h\xa030', '00:05 tomorrow')
    """
    clock = f"{end.hour}\xa0h\xa0{end.minute:02}" if language == "fr" else f"{end:%H:%M}"
    days = (end.date() - now.date()).days
    if days == 0:
        return clock
    if days == 1:
        return f"demain, {clock}" if language == "fr" else f"{clock} tomorrow"
    return f"{clock}, le {end:%d/%m}" if language == "fr" else f"{clock} on {end:%d/%m}"
