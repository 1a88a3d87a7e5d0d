"""What a contract promises and what came of it: on the page of an uplink, and as papers to keep or to send."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from flask import Flask, Response, json
from werkzeug.exceptions import NotFound

from monitor.sla.desk import Desk, month_given
from monitor.sla.files import as_csv, as_html, as_pdf
from monitor.sla.words import sections
from monitor.web.words import Language
from parvis.inventory import Site

MONTHS = 6
KINDS = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
}
PAPER_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'self'"
"""A paper has its style inside, so that it opens anywhere, and nothing else."""


def promised(desk: Desk, site: Site, now: float, lang: Language) -> dict[str, Any]:
    """This month of the link of *site*: figures beside what was promised, outages, papers of the last months."""
    today = datetime.fromtimestamp(now, desk.zone).date()
    found = sections(desk.report(site, today, now), desk.zone)
    months, first = [], today.replace(day=1)
    for _ in range(MONTHS):
        months.append({"key": f"{first:%Y-%m}", "words": f"{first:%m/%Y}"})
        first = (first - timedelta(days=1)).replace(day=1)
    return {"promise": found[1], "outages": found[2], "months": months, "papers_lang": "fr" if lang == "en" else ""}


def add_papers(app: Flask, desk: Desk, clock: Callable[[], float]) -> None:
    """``/sla/UPLINK/2026-11.pdf``, ``.html``, ``.csv``: a month's report. ``/availability.json``: for open data."""

    def paper(uplink: str, month: str, kind: str) -> Response:
        site = next((site for site in desk.town.sites if site.uplink.name == uplink), None)
        if site is None or kind not in KINDS:
            raise NotFound
        body = _body(desk, site, _month(month, clock(), desk), kind, clock())
        return Response(body, headers={"Content-Security-Policy": PAPER_POLICY}, content_type=KINDS[kind])

    def availability() -> Response:
        return Response(json.dumps(desk.months(clock())), content_type="application/json")

    app.add_url_rule("/sla/<uplink>/<month>.<kind>", view_func=paper, endpoint="paper")
    app.add_url_rule("/availability.json", view_func=availability, endpoint="availability")


def _body(desk: Desk, site: Site, month: date, kind: str, now: float) -> bytes:
    made = desk.report(site, month, now)
    if kind == "pdf":
        return as_pdf(made, desk.town, desk.zone)
    if kind == "csv":
        return as_csv(made, desk.zone).encode("utf-8-sig")
    return as_html(made, desk.town, desk.zone).encode()


def _month(text: str, now: float, desk: Desk) -> date:
    """The month written so; NotFound for what is none, or is to come."""
    try:
        found = month_given(text)
    except ValueError as error:
        raise NotFound from error
    if found > datetime.fromtimestamp(now, desk.zone).date():
        raise NotFound
    return found
