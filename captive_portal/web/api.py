"""The captive portal API (RFC 8908). Its truth is the kernel's."""

import json

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response

from captive_portal.protocol import Truth
from captive_portal.remote import GatewayAway
from captive_portal.timeline import Step
from captive_portal.urls import API_PATH
from captive_portal.web.visitor import device, hall

api = Blueprint("api", __name__)
CAPTIVE_JSON = "application/captive+json"
"""RFC 8908 section 8.1."""
OFFERED = [CAPTIVE_JSON, "application/json", "application/capport+json", "text/html"]
"""RFC 8910 section 2 writes capport+json; a client may believe it."""


@api.get(API_PATH)
def captive() -> Response:
    """The state of the device that asks. Who prefers a page is led to one (RFC 8910 section 2)."""
    if request.accept_mimetypes.best_match(OFFERED, CAPTIVE_JSON) == "text/html":
        return _uncached(redirect(hall().facts.url, 302))
    counter = hall().instruments.counter("portal_api_requests_total")
    try:
        mac = device()
        truth = hall().door.session(mac) if mac else None
    except GatewayAway:
        counter.labels("unknown").inc()
        return _uncached(Response("", 503, {"Retry-After": "5"}))
    if mac:
        hall().timeline.note(mac, Step.API)
    counter.labels("false" if truth else "true").inc()
    return _uncached(Response(json.dumps(state(truth, hall().facts.url)), 200, content_type=CAPTIVE_JSON))


def state(truth: Truth | None, url: str) -> dict[str, bool | int | str]:
    """The answer's keys; seconds-remaining only for who is not captive.

    >>> state(None, "https://wifi.example/")
    {'captive': True, 'user-portal-url': 'https://wifi.example/'}
    """
    if truth is None:
        return {"captive": True, "user-portal-url": url}
    return {
        "captive": False,
        "user-portal-url": url,
        "seconds-remaining": int(truth.seconds),
        "can-extend-session": True,
    }


def _uncached(response: Response) -> Response:
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Vary"] = "Accept"
    return response
