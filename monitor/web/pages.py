"""The pages of sites, access points, uplinks, the portal's funnel and the collectors' health, with their curves."""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, Response, json, render_template, request
from werkzeug.exceptions import NotFound

from monitor.duty import Duty
from monitor.findings import Finding
from monitor.history.recorder import Recorder
from monitor.history.series import COLLECTORS, FUNNEL_STEPS, KINDS, name
from monitor.settings import MonitorSettings
from monitor.sla.desk import Desk
from monitor.watch import LATE_ROUNDS, Watch
from monitor.web.asked import language, saying
from monitor.web.curve import SPANS, Span, as_json, curve
from monitor.web.explain import Explanations
from monitor.web.papers import add_papers, promised
from monitor.web.places import (
    amount,
    beyond,
    facts,
    funnel,
    light,
    path,
    place_of,
    portal,
    radios,
    slowest,
    state,
    title_of,
)
from monitor.web.readings import counted, read
from monitor.web.words import Language, age, moment, opening, pick, say
from parvis.inventory import Site, Town
from parvis.opening import Opening

DEFAULT_SPAN = "1d"
STATIC = {
    "uplot.js": ("uplot/uPlot.iife.min.js", "text/javascript"),
    "uplot.css": ("uplot/uPlot.min.css", "text/css"),
    "curves.js": ("curves.js", "text/javascript"),
}
OF_SITE = ("clients",)
OF_LINK = ("rtt", "loss", "rx", "span-loss", "in", "out")
OF_POINT = ("clients", "airtime", "rtt", "loss")
OF_COLLECTORS = ("data-age", "silent-devices", "poll")
SLOWEST = 10
EVENTS = 10


class Places:
    """The views; each reads the newest picture, the scrapes and the history."""

    def __init__(
        self,
        town: Town,
        settings: MonitorSettings,
        watch: Watch,
        duty: Duty,
        recorder: Recorder,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._town = town
        self._settings = settings
        self._watch = watch
        self._duty = duty
        self._recorder = recorder
        self._zone = ZoneInfo(town.timezone)
        self._desk = Desk(town, recorder.history, recorder.register)
        self.clock = clock

    def add_to(self, app: Flask) -> None:
        """Add the pages, the points of their curves, and uPlot."""
        for rule, view in (
            ("/sites/<called>", self.site),
            ("/points/<called>", self.point),
            ("/uplinks/<called>", self.uplink),
            ("/portal", self.portal),
            ("/collectors", self.collectors),
            ("/history.json", self.points),
        ):
            app.add_url_rule(rule, view_func=view, endpoint=rule.split("/")[1].removesuffix(".json"))
        Explanations(self._town, self._watch, self._duty, self._recorder, self.clock).add_to(app)
        add_papers(app, self._desk, self.clock)
        for called, (file, kind) in STATIC.items():
            body = (files("monitor.web") / file).read_bytes()
            app.add_url_rule(f"/{called}", view_func=_served(body, kind), endpoint=called)

    def site(self, called: str) -> str:
        """One site: verdict, uplink, access points, curves, what happened last."""
        lang, now = language(), self.clock()
        site = self._site(called)
        found = self._findings()
        view = next((view for view in self._watch.picture.sites if view.site.site == called), None)
        opened, change = Opening(site.opening_hours, self._town.timezone).at(now)
        named = [name(kind, site.site) for kind in OF_SITE] + [name(k, site.uplink.name) for k in ("rtt", "loss", "in")]
        key = f"site-{'' if change is not None else 'always-'}{'open' if opened else 'closed'}"
        until = moment(datetime.fromtimestamp(change, self._zone), lang) if change else ""
        words = {
            "title": pick(site.title, lang),
            "verdict": say("verdict-cannot-know" if view is None or self._stale() else f"verdict-{view.verdict}", lang),
            "planned": view.planned if view else "",
            "clients": amount(view.clients if view else None, "", lang),
            "link": {"name": site.uplink.name, **state(found.get(site.uplink.name), lang, stale=self._stale())},
            "points": [self._row(site, point, found, lang) for point in site.access_points],
            "opened": say(key, lang, until=until),
            "hours": opening(site.opening_hours, lang),
            "events": self._events(site, lang),
        }
        return self._render("site.html", lang, f"/sites/{called}", named, **words)

    def point(self, called: str) -> str:
        """One access point: what it stands behind, its radios, its curves, its neighbours."""
        lang = language()
        found = place_of(self._town, called)
        if found is None:
            raise NotFound
        site, point = found
        findings = self._findings()
        scrape = self._recorder.scrapes.collectors
        seen = scrape.device(point.name)
        words = {
            "title": title_of(point, lang),
            "site": {"site": site.site, "title": pick(site.title, lang)},
            "way": path(site, point, findings, lang),
            "now": state(findings.get(point.name), lang, stale=self._stale()),
            "facts": facts(seen, lang),
            "radios": (heard := radios(seen, lang)),
            "radio_rows": [[one["title"], *(cell["value"] for cell in one["cells"])] for one in heard],
            "others": [self._row(site, other, findings, lang) for other in site.access_points if other is not point],
            "wiring": f"{point.switch}, port {point.port}",
            "scraped": self._scraped(lang),
        }
        return self._render("point.html", lang, f"/points/{called}", [name(k, called) for k in OF_POINT], **words)

    def uplink(self, called: str) -> str:
        """One fibre: state, optical budget, curves, outages, and what the contract promises of this month and year."""
        lang = language()
        site = next((site for site in self._town.sites if site.uplink.name == called), None)
        if site is None:
            raise NotFound
        findings, uplink = self._findings(), site.uplink
        words = {
            "title": called,
            "site": {"site": site.site, "title": pick(site.title, lang)},
            "now": state(findings.get(called), lang, stale=self._stale()),
            "uplink": uplink,
            "capacity": amount(uplink.capacity / 1e6, "Mbit/s", lang),
            "light": light(uplink, self._recorder.scrapes.collectors.light(uplink), lang),
            "beyond": beyond(self._recorder.scrapes.portals[site.site].figures, lang),
            "scraped": self._scraped(lang),
            **promised(self._desk, site, self.clock(), lang),
        }
        return self._render("uplink.html", lang, f"/uplinks/{called}", [name(k, called) for k in OF_LINK], **words)

    def portal(self) -> str:
        """The residents' way to the internet over the last day, site by site, beside the site's own state."""
        lang, now = language(), self.clock()
        rows = []
        for site in self._town.sites:
            subjects = {f"{site.site}/{step}": step for step in FUNNEL_STEPS}
            sums = counted(self._recorder, "funnel", subjects, 86400, now)
            scrape = self._recorder.scrapes.portals[site.site]
            view = next((view for view in self._watch.picture.sites if view.site is site), None)
            steps = funnel({subjects[key]: value for key, value in sums.items()}, lang)
            aged = {"age": self._age(scrape.at, lang), "late": bool(scrape.wrong), "steps": steps}
            rows.append(portal(site, view, scrape.figures, lang) | aged)
        named = [name("sessions", site.site) for site in self._town.sites]
        return self._render("portal.html", lang, "/portal", named, rows=rows)

    def collectors(self) -> str:
        """Whether the ears hear: devices that answer, the slowest ones, the age of what is known."""
        lang = language()
        heard, scrape = self._watch.picture.heard, self._recorder.scrapes.collectors
        silent = [one for one in heard.samples if one.up is False]
        expected = sum(1 for site in self._town.sites for _ in site.polled())
        words = {
            "wrong": heard.wrong,
            "expected": expected,
            "answering": sum(one.up is True for one in heard.samples),
            "silent": [
                {"name": one.device, "reason": one.reason, "age": self._age(one.succeeded_at, lang)} for one in silent
            ],
            "slowest": slowest(scrape.figures, SLOWEST, lang),
            "newest": self._age(heard.newest, lang),
            "series": len(self._recorder.ring),
            "scraped": self._scraped(lang),
        }
        return self._render(
            "collectors.html", lang, "/collectors", [name(k, COLLECTORS) for k in OF_COLLECTORS], **words
        )

    def points(self) -> Response:
        """The points of one series, for uPlot: ``?series=rtt/fibre-msp&span=1d``."""
        wanted, span = request.args.get("series", ""), self._span()
        kind = wanted.split("/", 1)[0]
        if kind not in KINDS:
            raise NotFound
        found = read(self._recorder, [wanted], span, self.clock())[wanted]
        body = json.dumps({"unit": KINDS[kind].unit, **as_json(found, span)})
        return Response(body, content_type="application/json")

    def _row(self, site: Site, point: Any, found: dict[str, Finding], lang: Language) -> dict[str, Any]:
        heard = {one.device: one for one in self._watch.picture.heard.samples}
        sample = heard.get(point.name)
        clients = sample.clients if sample and sample.up else None
        told = state(found.get(point.name), lang, stale=self._stale())
        place = pick(point.place, lang)
        return {"name": point.name, "place": place, "clients": amount(clients, "", lang), "site": site.site, **told}

    def _events(self, site: Site, lang: Language) -> list[dict[str, Any]]:
        """The last incidents of the site."""
        with self._duty.engine.book.look() as entries:
            rows = [row for row in entries.rows(200) if row["site"] == site.site]
        newest = sorted(rows, key=lambda row: -row["opened_at"])[:EVENTS]
        return [
            {
                "number": row["number"],
                "title": row["title"],
                "when": moment(datetime.fromtimestamp(row["opened_at"], UTC).astimezone(self._zone), lang),
                "state": say(f"incident-{row['state']}", lang),
            }
            for row in newest
        ]

    def _render(self, template: str, lang: Language, here: str, names: Iterable[str], **words: Any) -> str:
        now, span = self.clock(), self._span()
        named = list(names)
        found = read(self._recorder, named, span, now)
        curves = [curve(one, found[one], span, now, self._zone, lang) for one in named]
        chosen = [{"key": key, "words": say(f"span-{key}", lang), "here": key == span.key} for key in SPANS]
        lang_part = "&lang=en" if lang == "en" else ""
        known = {
            "lang": lang,
            "other": "fr" if lang == "en" else "en",
            "suffix": "?lang=en" if lang == "en" else "",
            "say": partial(saying, lang),
            "path": here,
            "curves": curves,
            "spans": [{**one, "href": f"{here}?span={one['key']}{lang_part}"} for one in chosen],
            "span": span.key,
            "late": self._stale(),
        }
        return render_template(
            template, **(known | words | ({"way": words["path"], "path": here} if "path" in words else {}))
        )

    def _site(self, called: str) -> Site:
        try:
            return self._town.site(called)
        except KeyError as error:
            raise NotFound from error

    def _findings(self) -> dict[str, Finding]:
        return {finding.target.name: finding for finding in self._watch.picture.findings}

    def _stale(self) -> bool:
        at = self._watch.picture.at
        return not at or self.clock() - at > LATE_ROUNDS * self._settings.probe_interval

    def _scraped(self, lang: Language) -> dict[str, Any]:
        scrape = self._recorder.scrapes.collectors
        return {"words": self._age(scrape.at, lang), "late": bool(scrape.wrong)}

    def _age(self, at: float | None, lang: Language) -> str:
        """How old something of *at* is; None and 0: never known."""
        return age(max(0.0, self.clock() - at), lang) if at else say("no-data", lang)

    def _span(self) -> Span:
        return SPANS.get(request.args.get("span", ""), SPANS[DEFAULT_SPAN])


def _served(body: bytes, kind: str) -> Callable[[], Response]:
    return lambda: Response(body, content_type=f"{kind}; charset=utf-8")
