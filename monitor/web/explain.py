"""``/explain``: why an alert is there or is not, and why somebody was called for it or nobody; as page and as JSON."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from flask import Flask, Response, json, render_template, request
from werkzeug.exceptions import NotFound

from monitor.duty import Duty
from monitor.explain import Asked, Part, asked, explanation, subjects
from monitor.explaining import OF_SUBJECT, known
from monitor.history.recorder import Recorder
from monitor.history.series import name
from monitor.watch import Watch
from monitor.web.asked import language, saying
from parvis.alerts import alerts
from parvis.inventory import Town

SAMPLE_SECONDS = 600.0


class Explanations:
    """The views."""

    def __init__(self, town: Town, watch: Watch, duty: Duty, recorder: Recorder, clock: Callable[[], float]) -> None:
        self._town = town
        self._watch = watch
        self._duty = duty
        self._recorder = recorder
        self._clock = clock

    def add_to(self, app: Flask) -> None:
        """Add the pages to the application."""
        app.add_url_rule("/explain", view_func=self.listed, endpoint="explain-list")
        app.add_url_rule("/explain/<called>", view_func=self.page, endpoint="explain")
        app.add_url_rule("/explain/<called>.json", view_func=self.data, endpoint="explain-data")

    def listed(self) -> str:
        """What is wrong now by the monitor's own checks, and every alert there is."""
        wrong = [verdict.alert for verdict in self._duty.engine.verdicts.values() if verdict.wrong or verdict.firing]
        return self._render(
            "explain.html", "/explain", wrong=wrong, names=list(alerts()), parts=(), what=None, others=()
        )

    def page(self, called: str) -> str:
        """One alert, explained."""
        what = self._asked(called)
        others = [one for one in subjects(self._town, called) if one != what]
        facts = {"what": what, "parts": self._parts(what), "others": others, "wrong": (), "names": ()}
        return self._render("explain.html", f"/explain/{called}", **facts)

    def data(self, called: str) -> Response:
        """The same for ``parvis explain``."""
        what = self._asked(called)
        parts = [{"title": part.title, "rows": [list(row) for row in part.rows]} for part in self._parts(what)]
        body = json.dumps({"alert": what.name, "site": what.site, "subject": what.subject, "parts": parts})
        return Response(body, content_type="application/json")

    def _asked(self, called: str) -> Asked:
        try:
            return asked(self._town, called, request.args.get("site", ""), request.args.get("subject", ""))
        except KeyError as error:
            raise NotFound from error

    def _parts(self, what: Asked) -> Sequence[Part]:
        now, subject = self._clock(), what.subject or what.site
        seen = self._recorder.scrapes.collectors.device(subject) if subject else ()
        found = {
            series: self._recorder.ring.samples(series, now - SAMPLE_SECONDS, now + 1)
            for kind in OF_SUBJECT
            if (series := name(kind, subject)) and subject
        }
        samples = {series: points for series, points in found.items() if points}
        facts = known(self._duty, what, now, self._watch.picture.findings, seen, samples)
        return explanation(self._town, what, facts)

    def _render(self, template: str, here: str, **facts: Any) -> str:
        lang = language()
        words = {"lang": lang, "other": "fr" if lang == "en" else "en", "suffix": "?lang=en" if lang == "en" else ""}
        return render_template(template, **words, path=here, say=partial(saying, lang), spans=(), **facts)
