"""``/runbooks``: what to do about each alert, on the monitor itself: whoever is on call has no repository at hand."""

from functools import partial
from typing import Any

from flask import Flask, render_template
from werkzeug.exceptions import NotFound

from monitor.web.asked import language, saying
from parvis.alerts import alerts
from parvis.runbooks import runbooks


def add_runbooks(app: Flask) -> None:
    """Add the list and the pages to the application."""
    app.add_url_rule("/runbooks", view_func=_listed, endpoint="runbooks")
    app.add_url_rule("/runbooks/<called>", view_func=_page, endpoint="runbook")


def _listed() -> str:
    return _render("/runbooks", one=None, names=sorted(runbooks()))


def _page(called: str) -> str:
    one = runbooks().get(called)
    if one is None:
        raise NotFound
    return _render(f"/runbooks/{called}", one=one, explained=alerts())


def _render(here: str, **facts: Any) -> str:
    lang = language()
    words = {"lang": lang, "other": "fr" if lang == "en" else "en", "suffix": "?lang=en" if lang == "en" else ""}
    return render_template("runbook.html", **words, path=here, say=partial(saying, lang), **facts)
