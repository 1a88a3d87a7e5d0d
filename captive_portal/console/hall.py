"""What every page of the console may use, who visits, and in which language."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from flask import current_app, g, request

from captive_portal.console.accounts import Accounts
from captive_portal.console.audit import Audit
from captive_portal.console.sites import Sites
from captive_portal.console.throttle import Throttle
from captive_portal.console.visits import Visit, Visits
from captive_portal.typography import spaced
from parvis.instruments import Instruments

Language = Literal["fr", "en"]
COOKIE = "__Host-parvis-console"
"""Sent over TLS only, to this host only, with requests from our own pages only."""
FAILURES_OF_AN_ACCOUNT = 5
FAILURES_OF_AN_ADDRESS = 20


class Acknowledged(Protocol):
    """Who has read the notice on secrecy."""

    def read_by(self, who: str) -> bool:
        """Whether *who* has."""

    def note(self, who: str, at: float) -> None:
        """*who* has read it *at* (Unix seconds)."""


@dataclass(frozen=True, slots=True)
class Hall:
    """What every page may use."""

    town: dict[str, str]
    zone: ZoneInfo
    accounts: Accounts
    audit: Audit
    sites: Sites
    instruments: Instruments
    acknowledged: Acknowledged
    visits: Visits = field(default_factory=Visits)
    by_account: Throttle = field(default_factory=lambda: Throttle(FAILURES_OF_AN_ACCOUNT))
    by_address: Throttle = field(default_factory=lambda: Throttle(FAILURES_OF_AN_ADDRESS))
    wall: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic


def hall() -> Hall:
    """This application's Hall."""
    found: Hall = current_app.extensions["console"]
    return found


def visit() -> Visit | None:
    """Who is signed in and asks; None when nobody is."""
    if "visit" not in g:
        name = request.cookies.get(COOKIE, "")
        g.visit = hall().visits.find(name, hall().monotonic())
        if g.visit is not None and not _still_good(g.visit):
            hall().visits.close(name)
            g.visit = None
    found: Visit | None = g.visit
    return found


def _still_good(found: Visit) -> bool:
    """Whether the local account is as it was: not disabled, reset, or given another role meanwhile."""
    if not found.proof:
        return True
    account = hall().accounts.all().get(found.who)
    return (
        account is not None and not account.disabled and (account.role, account.password) == (found.role, found.proof)
    )


def visitor() -> Visit:
    """Who is signed in; only pages that are for nobody else ask so."""
    found = visit()
    if found is None:
        raise LookupError("nobody is signed in")
    return found


def language() -> Language:
    """What was chosen by link, else what the browser prefers, else French."""
    here, chosen = visit(), request.values.get("langue", "")
    if here is not None and chosen in {"fr", "en"}:
        here.language = chosen
    kept = here.language if here is not None else chosen
    return "en" if (kept or request.accept_languages.best_match(("fr", "en"), "fr")) == "en" else "fr"


@cache
def _english() -> dict[str, str]:
    found: dict[str, str] = json.loads((files("captive_portal") / "console/english.json").read_text("utf-8"))
    return found


def say(french: str, **facts: object) -> str:
    """A text in the visitor's language, with *facts* in their places."""
    text = spaced(_english().get(french, french) if language() == "en" else french)
    return text % facts if facts else text


def clock_time(at: float) -> str:
    """A moment as staff read it: the day and the time in the town."""
    moment = datetime.fromtimestamp(at, hall().zone)
    return f"{moment:%d/%m/%Y %H:%M:%S}"


def span(seconds: float | None) -> str:
    """A duration, short: ``45 s``, ``12 min``, ``3 h 20 min``."""
    if seconds is None:
        return ""
    minutes, hours = int(seconds) // 60, int(seconds) // 3600
    if not minutes:
        return f"{int(seconds)}\xa0s"
    if not hours:
        return f"{minutes}\xa0min"
    return f"{hours}\xa0h\xa0{minutes % 60}\xa0min"


def volume(count: int) -> str:
    """Bytes as people read them, decimal prefixes."""
    letter = "o" if language() == "fr" else "B"
    value = float(count)
    for prefix in ("", "k", "M", "G"):
        if value < 1000 or prefix == "G":  # noqa: PLR2004 decimal prefixes
            text = f"{value:.0f}" if not prefix else f"{value:.1f}"
            return (text.replace(".", ",") if letter == "o" else text) + f"\xa0{prefix}{letter}"
        value /= 1000
    raise AssertionError
