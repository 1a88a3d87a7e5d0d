"""What staff do from a page: allowed by the role, written into the audit log first, then asked of the site."""

from collections.abc import Callable
from datetime import UTC, datetime

from flask import request
from werkzeug.exceptions import Forbidden, NotFound

from captive_portal.console.audit import Entry, names_an_address
from captive_portal.console.hall import hall, say, visitor
from captive_portal.console.roles import Action
from captive_portal.console.sites import Facts, SiteSays, SiteSilent
from captive_portal.directives import LONGEST, MAX_TEXT, SHORTEST, Kind

MINUTE = 60


class Wrong(Exception):
    """The form cannot be acted on; the words are shown to whoever sent it, and what they wrote is kept."""


def do(action: Action, site: str, about: str, path: str, body: Callable[[str, str], Facts] = lambda _w, _y: {}) -> None:
    """Post *path* to *site* with what *body* makes of who and why. Wrong when not done; Forbidden; NotWritten."""
    here = visitor()
    if not here.may(action):
        write(action, site, about, "", "forbidden")
        raise Forbidden
    why = text("why", say("la raison"))
    asked = body(here.who, why)
    write(action, site, about, why)
    counter = hall().instruments.counter("console_actions_total")
    try:
        hall().sites.ask(site, path, asked)
    except SiteSilent as error:
        write(action, site, about, why, "the site is silent")
        counter.labels(action.value, "silent").inc()
        raise Wrong(say("Le lieu ne répond pas ; il n'a peut-être rien fait. Réessayez dans un instant.")) from error
    except SiteSays as error:
        write(action, site, about, why, "refused by the site")
        counter.labels(action.value, "refused").inc()
        raise Wrong(_said(error)) from error
    counter.labels(action.value, "done").inc()


def _said(error: SiteSays) -> str:
    if error.code == NotFound.code:
        return say("Ce lieu ne connaît pas, ou plus, cet appareil ou cet ordre.")
    return say("Le lieu a refusé : %(words)s", words=error)


def write(did: str, site: str = "", about: str = "", why: str = "", how: str = "", who: str = "") -> None:
    """Write into the audit log what the visitor does, or *who* did. NotWritten."""
    here = None if who else visitor()
    at = datetime.fromtimestamp(hall().wall(), UTC).isoformat(timespec="milliseconds")
    name, role = (here.who, here.role.value) if here else (who, "")
    hall().audit.write(Entry(at, name, role, str(did), site, about, why, how))


def text(field: str, title: str) -> str:
    """A text of the form; Wrong when it is empty, too long, or names a device's address."""
    value = " ".join(request.form.get(field, "").split())
    if not value:
        raise Wrong(say("Il manque : %(title)s.", title=title))
    if len(value) > MAX_TEXT:
        raise Wrong(say("Trop long (%(most)s caractères au plus) : %(title)s.", most=MAX_TEXT, title=title))
    if names_an_address(value):
        raise Wrong(say("Une raison ne contient ni adresse MAC ni adresse IP ; écrivez le code du jour."))
    return value


def minutes(kind: Kind) -> float:
    """The form's duration, in seconds; Wrong when an order of *kind* cannot last so long."""
    value = request.form.get("minutes", "")
    seconds = int(value) * MINUTE if value.isascii() and value.isdecimal() and len(value) < 7 else 0  # noqa: PLR2004
    if not SHORTEST <= seconds <= LONGEST[kind]:
        raise Wrong(say("La durée va de 1 à %(most)s minutes.", most=int(LONGEST[kind]) // MINUTE))
    return seconds
