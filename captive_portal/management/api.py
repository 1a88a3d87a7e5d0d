"""The desk over HTTP: JSON in and out, a bearer token (RFC 6750) compared in constant time, every refusal counted."""

import hmac
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import BadRequest, HTTPException, Unauthorized

from captive_portal.directives import Kind, Order, Refused
from captive_portal.doorkeeper import NotStored
from captive_portal.management.desk import Desk, Facts, Unknown
from captive_portal.pseudonym import heard
from captive_portal.remote import GatewayAway
from captive_portal.store import StoreFailed
from parvis.instruments import Instruments
from parvis.running import log

MAX_BODY = 8 * 1024
MOST_SESSIONS = 500
"""On one page of the list; who wants all asks again with ``after``."""
MOST_DAYS = 366

Refusal = tuple[type[Exception], int]
REFUSALS: tuple[Refusal, ...] = (
    (Unknown, 404),
    (Refused, 409),
    (GatewayAway, 503),
    (StoreFailed, 503),
    (NotStored, 503),
)


def create_api(desk: Desk, token: str, instruments: Instruments) -> Flask:
    """The application; *token* is the secret the console shows."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    counter = instruments.counter("portal_management_requests_total")
    for result in ("done", "refused", "wrong", "failed"):
        counter.labels(result)
    app.before_request(lambda: _only_the_console(token))
    for (method, rule), answer in _routes(desk).items():
        app.add_url_rule(rule, f"{method} {rule}", _json(answer), methods=[method])
    for error, code in REFUSALS:
        app.register_error_handler(error, _said(code))
    app.register_error_handler(HTTPException, lambda error: _words(str(error.description), error.code or 500))
    app.register_error_handler(Exception, _our_fault)

    def count(response: Response) -> Response:
        counter.labels(_result(response.status_code)).inc()
        return response

    app.after_request(count)
    return app


def _only_the_console(token: str) -> None:
    shown = request.headers.get("Authorization", "").encode("utf-8", "replace")
    if not hmac.compare_digest(shown, f"Bearer {token}".encode()):
        raise Unauthorized("the bearer token is not the one this site knows")


def _routes(desk: Desk) -> dict[tuple[str, str], Callable[..., Facts]]:
    return {
        ("GET", "/v1/site"): desk.state,
        ("GET", "/v1/sessions"): lambda: desk.sessions(_number("after", 0), min(_number("limit", 100), MOST_SESSIONS)),
        ("GET", "/v1/figures"): lambda: desk.figures(min(_number("days", 30), MOST_DAYS)),
        ("GET", "/v1/usage/<month>"): desk.usage,
        ("GET", "/v1/devices/<code>"): lambda code: desk.device(_code(code)),
        ("POST", "/v1/devices/<code>/disconnect"): lambda code: desk.disconnect(_code(code)),
        ("POST", "/v1/devices/<code>/block"): lambda code: _block(desk, code),
        ("POST", "/v1/disconnect-all"): desk.disconnect_all,
        ("POST", "/v1/orders"): lambda: _give(desk),
        ("POST", "/v1/orders/<int:number>/end"): lambda number: _end(desk, number),
    }


def _block(desk: Desk, code: str) -> Facts:
    said = _body("by", "reason", "seconds")
    return desk.block(_code(code), said["by"], said["reason"], said["seconds"])


def _give(desk: Desk) -> Facts:
    said = _body("kind", "by", "reason", "fr", "en", "seconds")
    if said["kind"] not in set(Kind):
        raise BadRequest(f"kind is one of {', '.join(Kind)}")
    order = Order(Kind(said["kind"]), said["by"], said["reason"], fr=said["fr"], en=said["en"])
    return desk.order(order, said["seconds"])


def _end(desk: Desk, number: int) -> Facts:
    said = _body("by", "kind")
    return desk.end(number, said["kind"], said["by"])


def _body(*keys: str) -> Facts:
    """The posted object, with exactly *keys*: texts, but for ``seconds``, a number."""
    said: Any = request.get_json(silent=True)
    if not isinstance(said, dict) or said.keys() != set(keys):
        raise BadRequest(f"wants a JSON object with exactly {', '.join(keys)}")
    for key, value in said.items():
        if not isinstance(value, int | float if key == "seconds" else str) or isinstance(value, bool):
            raise BadRequest(f"{key} is {'a number' if key == 'seconds' else 'a text'}")
    return said


def _number(name: str, default: int) -> int:
    text = request.args.get(name, str(default))
    if not text.isascii() or not text.isdecimal() or len(text) > 12:  # noqa: PLR2004 no session number is longer
        raise BadRequest(f"{name} is a whole number")
    return int(text)


def _code(text: str) -> str:
    code = heard(text)
    if code is None:
        raise BadRequest("a code has six letters and digits, such as K7F-2QD")
    return code


def _json(answer: Callable[..., Facts]) -> Callable[..., Response]:
    return lambda **values: jsonify(answer(**values))


def _said(code: int) -> Callable[[Exception], Response]:
    return lambda error: _words(str(error), code)


def _words(words: str, code: int) -> Response:
    response = jsonify({"error": words})
    response.status_code = code
    return response


def _our_fault(error: Exception) -> Response:
    log.error("management request failed", endpoint=request.endpoint, exc_info=error)
    return _words("a fault of the portal's; its log tells", 500)


def _result(code: int) -> str:
    """What the counter calls an answer.

    >>> [_result(code) for code in (200, 401, 404, 503)]
    ['done', 'refused', 'wrong', 'failed']
    """
    if code < 400:  # noqa: PLR2004
        return "done"
    if code == 401:  # noqa: PLR2004
        return "refused"
    return "wrong" if code < 500 else "failed"  # noqa: PLR2004
