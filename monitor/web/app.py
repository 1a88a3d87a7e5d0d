"""The monitor's pages and the webhook, as one WSGI application; the on-call part of it also stands alone."""

from datetime import UTC, datetime
from functools import partial
from importlib.resources import files

from flask import Flask, Response, current_app, json, redirect, render_template, request
from werkzeug.exceptions import HTTPException, NotFound, RequestEntityTooLarge
from werkzeug.wrappers import Response as AnyResponse

from monitor.duty import Duty
from monitor.instruments import MonitorMetrics
from monitor.settings import MonitorSettings
from monitor.watch import LATE_ROUNDS, Watch
from monitor.web.asked import language, saying, sentence
from monitor.web.oncall import OnCallPages, on_duty
from monitor.web.runbooks import add_runbooks
from monitor.web.wall import MAX_ALERTS, Limits, wall
from monitor.web.webhook import MAX_POST_BYTES, Webhook
from monitor.web.words import Language, say
from parvis.inventory import Town
from parvis.running import log

REFRESH_SECONDS = 15

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Pages:
    """The views; each reads the newest picture and the on-call engine."""

    def __init__(self, town: Town, settings: MonitorSettings, watch: Watch, duty: Duty) -> None:
        self._town = town
        self._settings = settings
        self._watch = watch
        self._duty = duty
        rounds = LATE_ROUNDS * settings.probe_interval
        self._limits = Limits(rounds, settings.data_max_age, settings.beat_max_age)

    def page(self) -> str:
        """The wall, as HTML."""
        lang = language()
        shown = self._wall(lang)
        other: Language = "fr" if lang == "en" else "en"
        words = partial(saying, lang)
        return render_template(
            "wall.html", wall=shown, lang=lang, other=other, say=words, refresh=_refresh(), most=MAX_ALERTS
        )

    def data(self) -> Response:
        """The wall, as JSON."""
        body = json.dumps(self._wall(language()), ensure_ascii=False)
        return Response(body, content_type="application/json; charset=utf-8")

    def _wall(self, lang: Language) -> dict[str, object]:
        now = datetime.now(UTC)
        duty = self._duty
        return wall(self._town, self._watch.picture, on_duty(duty, now), duty.engine.beat, self._limits, now, lang)


def create_app(town: Town, settings: MonitorSettings, watch: Watch, duty: Duty, metrics: MonitorMetrics) -> Flask:
    """The application; its parts are given, it starts nothing."""
    app = duty_app(town, duty, metrics)
    pages = Pages(town, settings, watch, duty)
    app.add_url_rule("/wall", view_func=pages.page, endpoint="wall")
    app.add_url_rule("/wall.json", view_func=pages.data, endpoint="data")
    return app


def duty_app(town: Town, duty: Duty, metrics: MonitorMetrics) -> Flask:
    """The on-call pages and the webhook alone: all that a watch outside the town shows."""
    app = Flask("monitor.web", template_folder=".", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_POST_BYTES
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    webhook = Webhook(duty, metrics)
    css = (files("monitor.web") / "wall.css").read_bytes()
    app.add_url_rule(
        "/wall.css", view_func=lambda: Response(css, content_type="text/css; charset=utf-8"), endpoint="style"
    )
    app.add_url_rule("/alertmanager", view_func=webhook.take, endpoint="take", methods=["POST"])
    app.add_url_rule("/beat.json", view_func=lambda: _beat(duty), endpoint="beat")
    app.add_url_rule("/", view_func=_home, endpoint="home")
    app.context_processor(lambda: {"served": app.view_functions})
    OnCallPages(town, duty).add_to(app)
    add_runbooks(app)
    app.register_error_handler(RequestEntityTooLarge, webhook.too_large)
    app.register_error_handler(HTTPException, _plain)
    app.register_error_handler(Exception, _broken)
    app.after_request(_guarded)
    return app


def _home() -> AnyResponse:
    """Send to the wall; a watch outside the town has none."""
    return redirect("/wall" if "wall" in current_app.view_functions else "/oncall")


def _refresh() -> int:
    """Seconds after which the wall renews itself; 0 for who asks for a page that stands still (``?refresh=0``)."""
    return 0 if request.args.get("refresh") == "0" else REFRESH_SECONDS


def _beat(duty: Duty) -> Response:
    """The sign of life a watch outside reads: the second of the engine's last round, not of the answer."""
    body = json.dumps({"worked_at": duty.worked_at, "beat": duty.engine.beat})
    return Response(body, content_type="application/json")


def _plain(error: HTTPException) -> AnyResponse:
    """A short sentence instead of an HTML page; a redirect stays what it is."""
    if error.response is not None or error.code is None:
        return error.get_response()
    if isinstance(error, NotFound):
        return sentence(say("not-found", language()), error.code)
    return sentence(f"{error.name}.", error.code)


def _broken(error: Exception) -> Response:
    log.error("page failed", path=request.path, exc_info=error)
    return sentence(say("broken", language()), 500)


def _guarded(response: Response) -> Response:
    own = response.headers.get("Content-Security-Policy")
    response.headers.update(HEADERS)
    if own is not None:
        response.headers["Content-Security-Policy"] = own
    return response
