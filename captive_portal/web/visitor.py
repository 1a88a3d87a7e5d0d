"""Who is asking, in which language, and whether the kernel lets them through."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from math import ceil
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import flask_babel
from flask import current_app, g, request
from werkzeug.datastructures import Accept, LanguageAccept
from werkzeug.http import parse_accept_header

from captive_portal.circumstances import Hours, always_open
from captive_portal.directives import Kind
from captive_portal.doorkeeper import Doorkeeper
from captive_portal.forms import Purpose, Signer
from captive_portal.neighbours import plain
from captive_portal.protocol import Truth
from captive_portal.remote import Door
from captive_portal.session import Now
from captive_portal.standing import WELCOME, Standing
from captive_portal.store_directives import Directives
from captive_portal.store_terms import Shown
from captive_portal.timeline import Timeline
from captive_portal.typography import spaced
from captive_portal.web.facts import Facts
from captive_portal.web.guests import Guests
from captive_portal.web.shelf import Shelf
from captive_portal.web.terms import Terms
from captive_portal.web.wording import moment
from parvis.addresses import MacAddress
from parvis.instruments import Instruments
from parvis.languages import Language

Found = TypeVar("Found")
SECOND_LOOK_SECONDS = 0.1
"""A lease may be some milliseconds younger than its first request."""
KINDS = 128
"""Browsers of one kind send the same words, and they need not be read again for each."""
MOST_WORDS = 1000
"""Of a header, in characters: browsers send a tenth, and what strangers send is kept (:data:`KINDS` times)."""


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
    shelf: Shelf = field(default_factory=Shelf)
    guests: Guests = field(default_factory=Guests)
    addresses: dict[tuple[str, Language | None], str] = field(default_factory=dict)
    """Those of the pages, by endpoint and language in the path, as they were asked for."""
    standing: Callable[[MacAddress, Truth | None], Standing] = lambda _mac, _truth: WELCOME
    radio: Hours = always_open
    """When the access points are lit."""
    record: Callable[[MacAddress], dict[str, Any] | None] = lambda _mac: None
    shown: Callable[[str], Shown | None] = lambda _digest: None
    """A text of the terms as it once was shown, by its digest."""
    pause: Callable[[float], None] = time.sleep


def hall() -> Hall:
    """This application's Hall."""
    found: Hall = current_app.extensions["hall"]
    return found


def language() -> Language:
    """The language of the path, else the one the browser prefers, else French."""
    if g.get("language") is None:
        g.language = _preferred(_words("Accept-Language"), tuple(hall().facts.languages))
    found: Language = g.language
    return found


def _words(header: str) -> str:
    return request.headers.get(header, "")[:MOST_WORDS]


@lru_cache(KINDS)
def _preferred(accepted: str, languages: tuple[Language, ...]) -> str:
    return parse_accept_header(accepted, LanguageAccept).best_match(languages, "fr")


def banner() -> list[tuple[Language, str]]:
    """The message staff have put on every page (CGU-11): in the page's language, or in both it was written in."""
    found = hall().directives.latest(Kind.BANNER)
    if found is None:
        return []
    texts: dict[Language, str] = {"fr": found.order.fr, "en": found.order.en}
    return [(code, spaced(text)) for code, text in texts.items() if language() == code or language() not in texts]


def gettext(message: str) -> str:
    """A text of the pages in the language of this one, the town's own wording before ours."""
    own = hall().facts.texts.get(message, {}).get(language())
    return spaced(own or str(flask_babel.gettext(message)))


def device() -> MacAddress | None:
    """The MAC address of the device that asks, None when the gateway does not know it. GatewayAway."""
    return _twice(hall().door.identify, None)


def visit() -> tuple[MacAddress | None, Truth | None]:
    """The same, and what the kernel knows of its session. GatewayAway."""
    nobody: tuple[MacAddress | None, Truth | None] = (None, None)
    return _twice(hall().door.visitor, nobody)


def _twice(ask: Callable[[IPv4Address | IPv6Address], Found], unknown: Found) -> Found:
    """What *ask* says of the address that asks us; once more after a moment where it is *unknown*."""
    address = plain(speaking())
    found = ask(address)
    if found == unknown:
        hall().pause(SECOND_LOOK_SECONDS)
        found = ask(address)
    return found


def speaking() -> str:
    """The address that asks us."""
    return request.remote_addr or "::"


def open_to_all(mac: MacAddress) -> float:
    """Seconds for which staff have opened the door to everybody, *mac* included; 0 when it is not. GatewayAway."""
    seconds = hall().door.status().open
    return seconds if seconds > 0 and not hall().door.device(mac).blocked else 0


def takes_gzip() -> bool:
    """Whether the answer may be packed."""
    return _unpacks(_words("Accept-Encoding"))


@lru_cache(KINDS)
def _unpacks(accepted: str) -> bool:
    return parse_accept_header(accepted, Accept).quality("gzip") > 0


def token(mac: MacAddress, purpose: Purpose, about: str = "") -> str:
    """A fresh token for a form."""
    return hall().signer.token(mac, purpose, hall().clock(), about)


def signed(mac: MacAddress, purpose: Purpose) -> str | None:
    """The token of the posted form when it is good for *mac* and *purpose*; None otherwise."""
    sent = request.form.get("token", "")
    return sent if hall().signer.valid(sent, mac, purpose, hall().clock()) else None


def agreed(mac: MacAddress) -> tuple[str, Language] | None:
    """The token of *mac*'s posted form, and in which language the terms in force were shown above it.

    None when it is not good, or was shown with other terms. The browser may have changed its language since.
    """
    sent, here, now = request.form.get("token", ""), hall(), hall().clock()
    for code in (language(), *here.terms):
        if here.signer.valid(sent, mac, "accept", now, here.terms[code].sha256):
            return sent, code
    return None


def local(wall: float) -> datetime:
    """A moment, given in Unix seconds, in the town's time."""
    return datetime.fromtimestamp(wall, ZoneInfo(hall().facts.timezone))


def ending(seconds: float) -> datetime:
    """The moment in *seconds*, in the town's time. The kernel counts whole ones, so it ends up to one too early."""
    return local(ceil(hall().clock().wall + seconds))


def radio_off(seconds: float) -> float | None:
    """When the access points go dark, Unix seconds, if they do within *seconds*: nobody is online then."""
    now = hall().clock().wall
    is_lit, changes = hall().radio(now)
    return changes if is_lit and changes is not None and changes < now + seconds else None


def lit(wall: float) -> float:
    """When the access points are lit first, from *wall* on (Unix seconds)."""
    is_lit, changes = hall().radio(wall)
    return wall if is_lit or changes is None else changes


def spoken(at: datetime) -> str:
    """A moment to come, as the page says it."""
    return moment(at, local(hall().clock().wall), language(), gettext)
