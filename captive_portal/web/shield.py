"""What holds for every request: the right host, small bodies, safe headers, an answer in words to every fault."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import flask
from flask import Flask, redirect, render_template, request
from werkzeug.exceptions import BadRequest, Forbidden, HTTPException
from werkzeug.wrappers import Response

from captive_portal.doorkeeper import NotStored
from captive_portal.remote import GatewayAway
from captive_portal.web.packing import packed
from captive_portal.web.visitor import hall, takes_gzip
from parvis.running import log

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

REGRETS = ("gateway", "store", "ours", "request", "unknown")
"""Reasons of pages of regret, as metrics count them."""
LED_HERE = b"named=1"
"""The query of our own address once we have led somebody there who had asked for another name."""
MAX_BODY = 4096
"""Bytes; the longest honest form has 200."""


def policy(css: str) -> str:
    """The Content-Security-Policy: our own style, our own forms, nothing else."""
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode("ascii")
    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; form-action 'self'; base-uri 'none';"
        " frame-ancestors 'none'"
    )


WORTH_PACKING = 1000
"""Bytes."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-store",
    "Vary": "Accept-Language, Accept-Encoding",
}


class Whole(flask.Response):
    """An answer in one piece: granian sends a list at once, anything else bit by bit, from thread to thread."""

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """See PEP 3333. Nothing of ours is streamed, so there is nothing to close."""
        body, status, headers = self.get_wsgi_response(environ)
        start_response(status, headers)
        return [b"".join(body)]


def protect(app: Flask, css: str) -> None:
    """Put the shield before *app*, whose pages carry the style *css*."""
    headers = {"Content-Security-Policy": policy(css), **HEADERS}
    app.response_class = Whole
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.config["MAX_FORM_MEMORY_SIZE"] = MAX_BODY
    app.config["MAX_FORM_PARTS"] = 10
    app.before_request(_only_our_host)
    app.before_request(_only_our_forms)
    app.after_request(lambda response: _finish(response, headers))
    app.register_error_handler(GatewayAway, _gateway_away)
    app.register_error_handler(NotStored, _not_stored)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Exception, _our_fault)


def _only_our_host() -> Response | None:
    """Another name leads here, by a fixed address; none or two are a wrong request (RFC 9112 section 3.2).

    Whoever was led here and still says another name, or has it said by a proxy, gets a page instead of a circle.
    """
    host = request.environ.get("HTTP_HOST", "")
    if not host or "," in host:
        raise BadRequest
    if host.partition(":")[0].lower().rstrip(".") == hall().facts.host:
        return None
    if LED_HERE in request.query_string:
        raise BadRequest
    return redirect(f"{hall().facts.url}?{LED_HERE.decode()}", 302)


def _only_our_forms() -> None:
    """A browser that says where a form came from must say: from here (Fetch standard, Origin)."""
    if request.method != "POST":
        return
    if request.headers.get("Origin") not in {None, "null", hall().facts.url.removesuffix("/")}:
        raise Forbidden


def _finish(response: Response, headers: Mapping[str, str]) -> Response:
    own = {name.lower() for name, _ in response.headers}
    for name, value in headers.items():
        if name.lower() not in own:
            response.headers.add(name, value)
    if (
        "content-encoding" not in own
        and response.mimetype == "text/html"
        and len(response.data) > WORTH_PACKING
        and takes_gzip()
    ):
        _pack(response)
    hall().instruments.counter("portal_http_responses_total").labels(f"{response.status_code // 100}xx").inc()
    return response


def _pack(response: Response) -> None:
    """Compress a page. Its only secret is a token made anew each time, so its length tells nobody anything (BREACH)."""
    response.set_data(packed(response.data))
    response.headers["Content-Encoding"] = "gzip"


def _page(code: int, **values: Any) -> Response:
    hall().instruments.counter("portal_errors_total").labels(values["why"]).inc()
    return Response(render_template("fault.html", code=code, **values), code, content_type="text/html; charset=utf-8")


def _gateway_away(_error: GatewayAway) -> Response:
    response = _page(503, why="gateway")
    response.headers["Retry-After"] = "5"
    return response


def _not_stored(_error: NotStored) -> Response:
    return _page(503, why="store")


def _refused(error: HTTPException) -> Response:
    code = error.code or 400
    if code < 400:  # noqa: PLR2004 Werkzeug's own redirects
        return Response("", code, {"Location": hall().facts.url})
    response = _page(code, why="request")
    for name, value in error.get_headers():
        if name == "Allow":
            response.headers[name] = value
    return response


def _our_fault(error: Exception) -> Response:
    """A fault of ours: logged with where it happened, without who asked."""
    log.error("page failed", endpoint=request.endpoint, exc_info=error)
    return _page(503, why="ours")
