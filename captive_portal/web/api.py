"""The captive portal API (RFC 8908). Its truth is the kernel's."""

import json

from flask import Blueprint, redirect, request
from werkzeug.datastructures import MIMEAccept
from werkzeug.wrappers import Response

from captive_portal import urls
from captive_portal.probes import speaker
from captive_portal.protocol import Truth
from captive_portal.remote import GatewayAway
from captive_portal.standing import WELCOME, Standing
from captive_portal.timeline import Step
from captive_portal.web.visitor import hall, open_to_all, visit

api = Blueprint("api", __name__)
CAPTIVE_JSON = "application/captive+json"
"""RFC 8908 section 8.1."""
UNDERSTOOD = (CAPTIVE_JSON, "application/capport+json", "application/json")
"""What a client of the API may say it accepts; RFC 8910 section 2 writes capport+json, and a client may believe it."""
Answer = dict[str, bool | int | str]


@api.get(urls.API_PATH)
def captive() -> Response:
    """The state of the device that asks. Who wants no such answer is led to the page (RFC 8910 section 2)."""
    if wants_a_page(request.accept_mimetypes):
        return _uncached(redirect(hall().facts.url, 302))
    try:
        answer = _answer()
    except GatewayAway:
        _count("unknown")
        hall().instruments.counter("portal_errors_total").labels("gateway").inc()
        return _uncached(Response("", 503, {"Retry-After": "5"}))
    _count("true" if answer["captive"] else "false")
    return _uncached(Response(json.dumps(answer), 200, content_type=CAPTIVE_JSON))


def wants_a_page(accept: MIMEAccept) -> bool:
    """Whether a web page is preferred, or none of our types accepted, by media range and weight (RFC 9110 12.5.1).

    >>> [wants_a_page(MIMEAccept(said)) for said in ([], [("*/*", 1)], [("text/html", 1), ("*/*", 0.8)])]
    [False, False, True]
    """
    ranges = MIMEAccept((kind.partition(";")[0].strip(), weight) for kind, weight in accept)  # a charset says nothing
    if not ranges:
        return False
    ours = max(ranges.quality(kind) for kind in UNDERSTOOD)
    return ours <= 0 or ranges.quality("text/html") > ours


def _answer() -> Answer:
    host = hall().facts.host
    mac, truth = visit()
    if mac is None:
        return state(None, host)
    hall().timeline.note(mac, Step.API)
    stands = hall().standing(mac, truth)
    if truth is None and stands.remembered:
        hall().doorkeeper.arrived(mac, hall().facts.site)
        truth = hall().door.session(mac)
        stands = hall().standing(mac, truth)
    if truth is None:
        return state(None, host, everybody=open_to_all(mac))
    return state(truth, host, stands)


def state(truth: Truth | None, host: str, stands: Standing = WELCOME, everybody: float = 0) -> Answer:
    """The answer's keys; seconds-remaining only for who is not captive. *everybody*: seconds the door is open to all.

    bytes-remaining only as long as something happens when they are used up: who is slowed already stays online.

    >>> state(None, "wifi.example")["captive"], state(Truth(1, 7.9, 0, 0), "wifi.example")["seconds-remaining"]
    (True, 7)
    """
    places: Answer = {"user-portal-url": urls.page(host), "venue-info-url": urls.venue(host)}
    if truth is None and everybody <= 0:
        return {"captive": True, **places}
    if truth is None:
        return {"captive": False, **places, "seconds-remaining": int(everybody), "can-extend-session": False}
    answer: Answer = {"captive": False, **places, "can-extend-session": stands.may_extend}
    if not stands.known:
        answer["seconds-remaining"] = int(truth.seconds)
    if stands.bytes_left is not None and not stands.slowed:
        answer["bytes-remaining"] = stands.bytes_left
    return answer


def _count(captive: str) -> None:
    who = speaker(request.headers.get("User-Agent", ""))
    hall().instruments.counter("portal_api_requests_total").labels(captive, who).inc()


def _uncached(response: Response) -> Response:
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Vary"] = "Accept"
    return response
