"""The resident's path: splash, accept, status, more time, leave. Plain forms, plain links, no script, no cookie."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from flask import g, render_template, request, url_for
from werkzeug.wrappers import Response

from captive_portal.doorkeeper import NotStored, Outcome
from captive_portal.forms import fingerprint
from captive_portal.protocol import Truth
from captive_portal.standing import Refusal, Standing
from captive_portal.store import TRIAL, Acceptance
from captive_portal.timeline import Step
from captive_portal.web.hours import lines
from captive_portal.web.shield import Whole
from captive_portal.web.visitor import (
    agreed,
    banner,
    device,
    ending,
    gettext,
    hall,
    language,
    lit,
    local,
    open_to_all,
    radio_off,
    signed,
    speaking,
    spoken,
    takes_gzip,
    token,
    visit,
)
from captive_portal.web.wording import duration, mbits, size
from parvis.addresses import MacAddress
from parvis.languages import Language

Answer = Response | str | tuple[str, int]
CLOSED = {Refusal.CLOSED_HOURS, Refusal.CLOSED_BY_STAFF}
"""Refusals of the place, not of a device: nobody comes in before the access points are lit."""
ONLINE = {Outcome.ADMITTED, Outcome.AGAIN}
ELSEWHERE = {Outcome.REPLAYED: {"again": 1}, Outcome.REFUSED: dict[str, int]()}
"""Outcomes after which the first page says more than the status page, and how it is asked."""


def language_of_the_path(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Take the language out of the path, where there is one; Flask calls this before each page."""
    g.language = (values or {}).pop("language", None)
    g.language_in_path = g.language is not None


def there(endpoint: str, **values: Any) -> str:
    """The address of a page, in the language of this one when it is in the path."""
    spoken = g.language if g.get("language_in_path") else None
    if values:
        return _address(endpoint, spoken, **values)
    known = hall().addresses
    if (endpoint, spoken) not in known:
        known[endpoint, spoken] = _address(endpoint, spoken)
    return known[endpoint, spoken]


def _address(endpoint: str, spoken: Language | None, **values: Any) -> str:
    return (
        url_for(f"spoken.{endpoint}", language=spoken, **values) if spoken else url_for(f"pages.{endpoint}", **values)
    )


def see(endpoint: str, **values: Any) -> Whole:
    """Lead to a page, which is asked for by GET (RFC 9110 section 15.4.4)."""
    return Whole(status=303, headers={"Location": there(endpoint, **values)}, mimetype="text/html")


def splash() -> Answer:
    """The terms and one button; for who is online, the way to the status page; for who is refused, the reason."""
    mac, truth = visit()
    if mac is None:
        return unknown()
    if truth is not None:
        return see("status")
    here, said = hall(), language()
    here.timeline.note(mac, Step.PAGE)
    stands = here.standing(mac, None)
    if stands.refusal is not None:
        return _refused(mac, stands)
    if stands.remembered and here.doorkeeper.arrived(mac, here.facts.site) in ONLINE:
        return see("status")
    here.instruments.counter("portal_splash_pages_total").labels(said).inc()
    again, packed = "again" in request.args, takes_gzip()
    off = radio_off(here.facts.session)
    key = (said, g.language_in_path, again, here.uplink(), tuple(banner()), stands.closes, off)
    fresh = token(mac, "accept", here.terms[said].sha256)
    here.guests.saw(speaking(), mac)
    page = here.shelf.page(key, fresh, partial(_splash, again=again, closes=stands.closes, off=off), packed=packed)
    return Whole(page, headers={"Content-Encoding": "gzip"} if packed else None, mimetype="text/html")


def _splash(token: str, *, again: bool, closes: float | None, off: float | None) -> str:
    """The first page with *token*; the building *closes*, or the radio is *off*, before a session's length is over.

    Both in Unix seconds.
    """
    return render_template("splash.html", token=token, again=again, closes=_moment(closes), radio_off=_moment(off))


def _moment(wall: float | None) -> str:
    return spoken(local(wall)) if wall else ""


def _refused(mac: MacAddress, stands: Standing) -> Answer:
    """Why not, until when, and what to do; 200, for mini-browsers show nothing of an error's page.

    Where staff have opened the door to everybody the device is online all the same.
    """
    if (seconds := open_to_all(mac)) > 0:
        return render_template("open.html", until=spoken(ending(seconds)), radio_off=_moment(radio_off(seconds)))
    hours = lines(hall().facts.hours, language(), gettext)
    ends = stands.until
    until = _moment(lit(ends) if ends and stands.refusal in CLOSED else ends)
    code = hall().timeline.code(mac)
    return render_template("refused.html", refusal=stands.refusal, until=until, hours=hours, code=code)


def accept() -> Answer:
    """Store the acceptance durably, admit the device, lead to the status page."""
    started, here = time.perf_counter(), hall()
    counter = here.instruments.counter("portal_acceptances_total")
    mac, found = _who_agrees()
    if mac is None:
        counter.labels("unknown").inc()
        return unknown()
    if found is None:
        counter.labels("refused").inc()
        return see("splash", again=1)
    form, spoken = found
    facts, digest = here.facts, here.terms[spoken].sha256
    trial = mac.text == facts.visitor
    acceptance = Acceptance(mac, facts.site, spoken, TRIAL if trial else facts.terms_version, digest, fingerprint(form))
    try:
        outcome = here.doorkeeper.accept(acceptance)
    except NotStored:
        counter.labels("failed").inc()
        raise
    counter.labels("visitor" if trial else outcome.value).inc()
    here.instruments.histogram("portal_accept_seconds").observe(time.perf_counter() - started)
    return see("splash", **ELSEWHERE[outcome]) if outcome in ELSEWHERE else see("status")


def _who_agrees() -> tuple[MacAddress | None, tuple[str, Language] | None]:
    """Whose form was posted, and :func:`agreed` of it; gatewayd is asked where the page was not just shown."""
    mac = hall().guests.at(speaking())
    found = agreed(mac) if mac else None
    if found is None:
        mac = device()
        found = agreed(mac) if mac else None
    return mac, found


def status() -> Answer:
    """Online until when, what is left, and the way out."""
    mac, truth = visit()
    if mac is None:
        return unknown()
    if truth is None:
        return see("splash")
    said = {"extended": "extended" in request.args, "again": "again" in request.args}
    return render_template("status.html", **_shown(mac, truth), **said)


def extend() -> Answer:
    """Give the session its full time again."""
    counter = hall().instruments.counter("portal_extensions_total")
    mac = device()
    if mac is None or signed(mac, "extend") is None:
        counter.labels("refused").inc()
        return unknown() if mac is None else see("status", again=1)
    outcome = hall().doorkeeper.extend(mac)
    longer = outcome in {Outcome.EXTENDED, Outcome.WAITING}
    counter.labels("extended" if longer else "refused").inc()
    if outcome is Outcome.NOTHING:
        return see("splash")
    return see("status", **({"extended": 1} if longer else {}))


def leave() -> Answer:
    """End the session; running connections stop."""
    mac = device()
    if mac is None:
        return unknown()
    if signed(mac, "leave") is None:
        return see("status", again=1)
    if hall().doorkeeper.leave(mac) is not Outcome.NOTHING:
        hall().instruments.counter("portal_leaves_total").inc()
    return see("goodbye")


def goodbye() -> Answer:
    """Say that the device is offline now, when it is: the way back leads here too, and bookmarks."""
    return render_template("goodbye.html") if visit()[1] is None else see("status")


def back() -> Answer:
    """Lead to the first page whoever asks for a form's address: an address copied, a tab opened again."""
    return see("splash")


def unknown() -> Answer:
    """The device is not one the gateway knows: not on this Wi-Fi, or with an address nobody leased."""
    hall().instruments.counter("portal_errors_total").labels("unknown").inc()
    return render_template("unknown.html"), 403


def _shown(mac: MacAddress, truth: Truth) -> dict[str, Any]:
    end = ending(truth.seconds)
    stands = hall().standing(mac, truth)
    # what a page says of a session comes from the kernel; of the limits, from whoever keeps them
    return {
        "known": stands.known,
        "may_extend": stands.may_extend,
        "until": spoken(end),
        "radio_off": _moment(radio_off(truth.seconds)),
        "until_machine": end.isoformat(timespec="minutes"),
        "left": duration(truth.seconds, language()),
        "closes": stands.closes is not None,
        "bytes_left": "" if stands.bytes_left is None or stands.slowed else size(stands.bytes_left, language()),
        "slowed": mbits(hall().facts.slow_down or 0, language()) if stands.slowed else "",
        "code": hall().timeline.code(mac),
        "extend_token": token(mac, "extend"),
        "leave_token": token(mac, "leave"),
    }


def other_languages() -> list[tuple[Language, str]]:
    """Language and address of this page in the other languages; posts lead to the first page."""
    endpoint = (request.endpoint or "").partition(".")[2]
    plain = request.method == "GET" and request.blueprint in {"pages", "spoken"}
    values = {key: value for key, value in (request.view_args or {}).items() if key != "language"}
    target = endpoint if plain else "splash"
    return [
        (other, url_for(f"spoken.{target}", language=other, **(values if plain else {})))
        for other in hall().facts.languages
        if other != language()
    ]


PAGES: dict[tuple[str, str], Callable[[], Answer]] = {
    ("GET", "/"): splash,
    ("POST", "/accept"): accept,
    ("GET", "/status"): status,
    ("POST", "/extend"): extend,
    ("POST", "/leave"): leave,
    ("GET", "/goodbye"): goodbye,
    ("GET", "/accept"): back,
    ("GET", "/extend"): back,
    ("GET", "/leave"): back,
}
"""Method and path -> page."""
