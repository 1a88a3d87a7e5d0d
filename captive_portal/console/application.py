"""The console as a Flask application, made from a Hall."""

from importlib.resources import files
from typing import Any

from flask import Flask, redirect, render_template, request, url_for
from werkzeug.exceptions import BadRequest, Forbidden, HTTPException
from werkzeug.wrappers import Response

from captive_portal.console import entrance
from captive_portal.console.audit import NotWritten
from captive_portal.console.hall import Hall, clock_time, language, say, span, visit, volume
from captive_portal.console.pages import PAGES
from captive_portal.console.secrecy import acknowledge, read_by_visitor, secrecy
from captive_portal.directives import LONGEST, MAX_TEXT
from parvis.running import log

MAX_BODY = 16 * 1024
STYLE = (files("captive_portal") / "console/console.css").read_text("utf-8")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Vary": "Accept-Language, Cookie",
}
OPEN = {"form", "sign_in", "sign_out", "style", "oidc_start", "oidc_back"}
"""What is there for everybody."""
BEFORE = {"secrecy", "acknowledge"}
"""What is there for staff who have not read the notice on secrecy yet."""


def create_app(made: Hall) -> Flask:
    """The application."""
    app = Flask(__name__.rpartition(".")[0], static_folder=None)
    app.extensions["console"] = made
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = MAX_BODY
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["_"] = say
    app.jinja_env.filters.update(clock_time=clock_time, span=span, volume=volume)
    made.instruments.gauge("console_visits").set_function(lambda: made.visits.count(made.monotonic()))
    for (method, rule), (_, page) in PAGES.items():
        app.add_url_rule(rule, view_func=page, methods=[method])
    app.add_url_rule("/entrer", view_func=entrance.form, methods=["GET"])
    app.add_url_rule("/entrer", view_func=entrance.sign_in, methods=["POST"])
    app.add_url_rule("/sortir", view_func=entrance.sign_out, methods=["POST"])
    app.add_url_rule("/secret", view_func=secrecy, methods=["GET"])
    app.add_url_rule("/secret", view_func=acknowledge, methods=["POST"])
    app.add_url_rule("/console.css", "style", _style, methods=["GET"])
    app.before_request(_only_staff)
    app.after_request(_finish)
    app.context_processor(lambda: {"language": language(), "town": made.town, "visit": visit(), **_FACTS})
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(NotWritten, lambda error: _fault(error, "the audit log cannot be written"))
    app.register_error_handler(Exception, lambda error: _fault(error, "page failed"))
    return app


_FACTS = {"longest": {kind.value: int(seconds) // 60 for kind, seconds in LONGEST.items()}, "most": MAX_TEXT}


def _only_staff() -> Response | None:
    """Nobody but who is signed in, to no page but their role's, with no form but our own."""
    if request.endpoint is None or request.endpoint in OPEN - {"sign_out"}:
        return None
    here = visit()
    if here is None:
        return redirect(url_for("form"), 303)
    if request.method == "POST" and not here.own_form(request.form.get("token", "")):
        raise BadRequest
    if request.endpoint in {"sign_out", *BEFORE}:
        return None
    if not read_by_visitor():
        if request.method == "POST":
            raise Forbidden
        return redirect(url_for("secrecy"), 303)
    found = PAGES.get(("GET" if request.method == "HEAD" else request.method, str(request.url_rule)))
    if found is None or not here.may(found[0]):
        raise Forbidden
    return None


def _finish(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _style() -> Response:
    return Response(STYLE, content_type="text/css; charset=utf-8", headers={"Cache-Control": "max-age=3600"})


def _refused(error: HTTPException) -> Any:
    code = error.code or 400
    if code < 400:  # noqa: PLR2004 Werkzeug's own redirects
        return error
    return render_template("fault.html", code=code), code


def _fault(error: Exception, words: str) -> tuple[str, int]:
    """A fault of ours: logged with where it happened, without who asked."""
    log.error(words, endpoint=request.endpoint, exc_info=error)
    return render_template("fault.html", code=503, audit=isinstance(error, NotWritten)), 503
