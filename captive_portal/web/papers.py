"""What may be read at any time without accepting anything: terms, notices, declarations, help, the place itself."""

import json
import re
from collections.abc import Callable
from typing import Any

from flask import make_response, render_template
from werkzeug.exceptions import NotFound

from captive_portal.remote import GatewayAway
from captive_portal.web.declarations import BUDGET, audited
from captive_portal.web.hours import lines
from captive_portal.web.notice import fields, stores
from captive_portal.web.pages import Answer
from captive_portal.web.terms import Terms, terms, versions
from captive_portal.web.visitor import device, gettext, hall, language, local, spoken
from parvis.languages import LANGUAGES, Language

DIGEST = re.compile(r"[0-9a-f]{64}")


def current_terms() -> Answer:
    """The terms in force."""
    return _terms(hall().facts.terms_version, hall().terms[language()])


def archived_terms(version: str) -> Answer:
    """A version of the terms, past or present, or the very text that has this digest."""
    if DIGEST.fullmatch(version):
        return _text_shown(version)
    if version not in versions(hall().facts.own_terms):
        raise NotFound
    return _terms(version, terms(hall().facts, version, language()), archived=version != hall().facts.terms_version)


def _text_shown(digest: str) -> Answer:
    found = hall().shown(digest)
    if found is None:
        raise NotFound
    of: Language = next((one for one in LANGUAGES if one == found.language), "fr")
    in_force = {one.sha256 for one in hall().terms.values()}
    return _terms(found.version, Terms(found.html, digest, of), archived=digest not in in_force)


def _terms(version: str, text: Terms, *, archived: bool = False) -> Answer:
    known = versions(hall().facts.own_terms)
    return render_template("terms.html", version=version, text=text, versions=known, archived=archived)


def notice() -> Answer:
    """Personal data (GDPR art. 13)."""
    said = (hall().facts, language(), gettext)
    return render_template("notice.html", fields=fields(*said), stores=stores(*said))


def legal() -> Answer:
    """Who publishes and who hosts (LCEN)."""
    return render_template("legal.html")


def help_page() -> Answer:
    """What to do when it does not work."""
    return render_template("help.html", code=_code())


def place() -> Answer:
    """This place: hours, services, numbers to call. RFC 8908 calls it venue-info-url."""
    return render_template("place.html", hours=lines(hall().facts.hours, language(), gettext))


def easy() -> Answer:
    """The same in plain words."""
    return render_template("easy.html")


def accessibility() -> Answer:
    """The declaration of accessibility (law 2005-102, art. 47)."""
    return render_template("accessibility.html", audit=audited())


def eco() -> Answer:
    """The declaration of eco-design (RGESN 2024)."""
    return render_template("eco.html", budget=BUDGET)


def poster() -> Answer:
    """The A4 page for the wall, with the address of the notice as a QR code."""
    import segno  # noqa: PLC0415 a poster is printed once; every process would keep the library for ever

    address = f"{hall().facts.url}donnees"
    code = segno.make(address, micro=False).svg_inline(scale=4, svgclass=None, lineclass=None, omitsize=True)
    return render_template("poster.html", code=code.replace("<svg", '<svg aria-hidden="true"', 1), address=address)


def my_data() -> Answer:
    """What is recorded of the device that asks, and only of its current session."""
    record = _record()
    if record is None:
        return render_template("mine.html", record=None)
    return render_template(
        "mine.html",
        record=record,
        begun=spoken(local(record["accepted_at"])),
        until=spoken(local(record["ends_at"])),
        there_is=hall().shown(record["terms_sha256"]) is not None,  # else it comes from another gateway, soon
    )


def my_data_file() -> Answer:
    """The same for a machine."""
    answer = make_response(json.dumps(_record() or {}, indent=1))
    answer.headers["Content-Type"] = "application/json"
    answer.headers["Content-Disposition"] = 'attachment; filename="wifi.json"'
    return answer


def _record() -> dict[str, Any] | None:
    mac = device()
    return hall().record(mac) if mac else None


def _code() -> str:
    """The code of the device today; empty when we do not see it, or cannot ask."""
    try:
        mac = device()
    except GatewayAway:
        return ""
    return hall().timeline.code(mac) if mac else ""


PAPERS: dict[str, Callable[..., Answer]] = {
    "/cgu": current_terms,
    "/cgu/<version>": archived_terms,
    "/donnees": notice,
    "/mentions": legal,
    "/aide": help_page,
    "/ici": place,
    "/facile": easy,
    "/accessibilite": accessibility,
    "/eco-conception": eco,
    "/affiche": poster,
    "/mes-donnees": my_data,
    "/mes-donnees.json": my_data_file,
}
"""Path -> page."""
