"""The monitor's pages and the webhook, as one WSGI application."""

from datetime import UTC, datetime
from functools import partial
from importlib.resources import files
from ipaddress import ip_address

from flask import Flask, Response, json, redirect, render_template, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException, NotFound, RequestEntityTooLarge
from werkzeug.wrappers import Response as AnyResponse

from monitor.alertmanager import Message
from monitor.duty import Duty
from monitor.instruments import MonitorMetrics
from monitor.settings import MonitorSettings
from monitor.store_oncall import BookFailed
from monitor.watch import LATE_ROUNDS, Watch
from monitor.web.asked import language, saying
from monitor.web.oncall import OnCallPages, on_duty
from monitor.web.wall import Limits, wall
from monitor.web.words import Language, say
from parvis.inventory import Town
from parvis.running import log

MAX_POST_BYTES = 1_000_000
REFRESH_SECONDS = 15

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Pages:
    """The views; each reads the newest picture and the on-call engine."""

    def __init__(
        self, town: Town, settings: MonitorSettings, watch: Watch, duty: Duty, metrics: MonitorMetrics
    ) -> None:
        self._town = town
        self._settings = settings
        self._watch = watch
        self._duty = duty
        self._made = metrics.made
        self._css = (files("monitor.web") / "wall.css").read_bytes()
        rounds = LATE_ROUNDS * settings.probe_interval
        self._limits = Limits(rounds, settings.data_max_age, settings.beat_max_age)

    def home(self) -> AnyResponse:
        """Send to the wall."""
        return redirect("/wall")

    def page(self) -> str:
        """The wall, as HTML."""
        lang = language()
        shown = self._wall(lang)
        other: Language = "fr" if lang == "en" else "en"
        words = partial(saying, lang)
        return render_template("wall.html", wall=shown, lang=lang, other=other, say=words, refresh=REFRESH_SECONDS)

    def data(self) -> Response:
        """The wall, as JSON."""
        body = json.dumps(self._wall(language()), ensure_ascii=False)
        return Response(body, content_type="application/json; charset=utf-8")

    def style(self) -> Response:
        """The wall's style sheet."""
        return Response(self._css, content_type="text/css; charset=utf-8")

    def take(self) -> Response:
        """Take a message of Alertmanager; 200 only once its events are on the disk."""
        if not self._welcome(request.remote_addr or ""):
            return self._refuse("stranger", 403, "Alerts are taken from Alertmanager's own address only.")
        if request.mimetype != "application/json":
            return self._refuse("garbage", 400, "The body must be application/json.")
        try:
            message = Message.model_validate_json(request.get_data())
        except ValidationError as error:
            return self._refuse("garbage", 400, f"Not a webhook message of Alertmanager: {_first(error)}.")
        return self._keep(message)

    def too_large(self, _error: RequestEntityTooLarge) -> Response:
        """Refuse a body past the limit."""
        return self._refuse("too_large", 413, f"The body is longer than {MAX_POST_BYTES} bytes.")

    def _wall(self, lang: Language) -> dict[str, object]:
        now = datetime.now(UTC)
        duty = self._duty
        return wall(self._town, self._watch.picture, on_duty(duty, now), duty.engine.beat, self._limits, now, lang)

    def _welcome(self, address: str) -> bool:
        try:
            peer = ip_address(address)
        except ValueError:
            return False
        return any(peer.version == net.version and peer in net for net in self._settings.webhook_networks)

    def _keep(self, message: Message) -> Response:
        try:
            found = self._duty.engine.take(message, datetime.now(UTC))
        except BookFailed as error:
            log.warning("alerts not written", error=str(error))
            return self._refuse("storage", 503, "The disk refuses the alerts; send them again.")
        count = self._made.counter("alert_events_total")
        count.labels("written").inc(found.new)
        count.labels("repeated").inc(found.repeated)
        count.labels("beat").inc(found.beat)
        self._duty.show()
        for number in found.opened:
            log.info("incident", number=number)
        if found.waiting:
            return self._refuse("unproven", 503, "Prometheus beats no more: its all-clears are not believed yet.")
        return _sentence("Taken.")

    def _refuse(self, reason: str, status: int, sentence: str) -> Response:
        self._made.counter("alert_refusals_total").labels(reason).inc()
        return _sentence(sentence, status)


def create_app(town: Town, settings: MonitorSettings, watch: Watch, duty: Duty, metrics: MonitorMetrics) -> Flask:
    """The application; its parts are given, it starts nothing."""
    app = Flask("monitor.web", template_folder=".", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_POST_BYTES
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    pages = Pages(town, settings, watch, duty, metrics)
    app.add_url_rule("/", view_func=pages.home, endpoint="home")
    app.add_url_rule("/wall", view_func=pages.page, endpoint="wall")
    app.add_url_rule("/wall.json", view_func=pages.data, endpoint="data")
    app.add_url_rule("/wall.css", view_func=pages.style, endpoint="style")
    app.add_url_rule("/alertmanager", view_func=pages.take, endpoint="take", methods=["POST"])
    OnCallPages(town, duty).add_to(app)
    app.register_error_handler(RequestEntityTooLarge, pages.too_large)
    app.register_error_handler(HTTPException, _plain)
    app.register_error_handler(Exception, _broken)
    app.after_request(_guarded)
    return app


def _plain(error: HTTPException) -> AnyResponse:
    """A short sentence instead of an HTML page; a redirect stays what it is."""
    if error.response is not None or error.code is None:
        return error.get_response()
    if isinstance(error, NotFound):
        return _sentence(say("not-found", language()), error.code)
    return _sentence(f"{error.name}.", error.code)


def _broken(error: Exception) -> Response:
    log.error("page failed", path=request.path, exc_info=error)
    return _sentence(say("broken", language()), 500)


def _sentence(text: str, status: int = 200) -> Response:
    return Response(text + "\n", status, content_type="text/plain; charset=utf-8")


def _guarded(response: Response) -> Response:
    response.headers.update(HEADERS)
    return response


def _first(error: ValidationError) -> str:
    """Where and why the first fault is; never the value, which is not ours to repeat."""
    detail = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in detail["loc"][:6])
    return f"{where[:100] or 'body'}: {detail['type'].replace('_', ' ')}"
