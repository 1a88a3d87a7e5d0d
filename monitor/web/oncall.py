"""The pages of who is on call: the duty and its incidents, one incident, and the signed links of messages.

A GET changes nothing. What changes something is a POST with a token: a link's own (one message, one action, once), or a
page's (one incident, one hour), so that no other site can make a browser send it.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from flask import Flask, Response, json, redirect, render_template, request
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from monitor.calendars import exported
from monitor.delivery import Result
from monitor.duty import Duty
from monitor.engine import LinkUsed, Unknown
from monitor.incidents import LIVE, NEXT, RANK, Event, NotPossible, State
from monitor.links import Link, LinkRefused, mark, read, token
from monitor.oncall import Kind
from monitor.rota import NobodyOnCall, Turn
from monitor.store_oncall import Entries
from monitor.web.asked import language, saying
from monitor.web.review import line_in_words, review, title_of
from monitor.web.wall import OnDuty, Shown, alert, on_call
from monitor.web.words import Language, duration, moment, pick, say
from parvis.inventory import Town
from parvis.runbooks import of

FORM_SECONDS = 3600
BY_PAGE = (Event.ACKNOWLEDGE, Event.SNOOZE, Event.HAND_OVER, Event.CLOSE)
WALL = "wall"
"""Who acts from a page: whoever stands in the office; the page knows no names."""
MAX_NOTE = 1000


def on_duty(duty: Duty, now: datetime) -> OnDuty:
    """Who is on call and what is going on, at *now* (aware)."""
    with duty.engine.book.look() as entries:
        rows = sorted((row for row in entries.rows() if row["state"] in LIVE), key=_gravest_first)
        shown = tuple(_shown(duty, entries, row) for row in rows)
        failed = tuple(_failed_tests(duty, entries))
    return OnDuty(_turn(duty, now), shown, failed)


def _failed_tests(duty: Duty, entries: Entries) -> Iterator[str]:
    """Whom a channel could not reach the last time it was tested."""
    town = duty.roster.town
    for person in town.people:
        for channel in town.channels:
            found = entries.fact(f"test/{person.name}/{channel.name}")
            if found is not None and found["result"] == Result.FAILED:
                yield f"{channel.name} ({person.title})"


def _gravest_first(row: Mapping[str, Any]) -> tuple[int, int]:
    return -RANK.get(row["severity"], 0), -row["number"]


def _turn(duty: Duty, now: datetime, level: int = 1) -> Turn | None:
    try:
        return duty.roster.turn(now, level)
    except NobodyOnCall:
        return None


def _shown(duty: Duty, entries: Entries, row: Mapping[str, Any]) -> Shown:
    calls = [page for page in entries.pages_of(row["number"]) if page["kind"] == Kind.CALL]
    names = entries.alerts_of(row["number"])
    title = title_of(duty, calls[-1]["person"]) if calls else ""
    since = _local(duty, row["opened_at"])
    return Shown(
        row["number"],
        names[0]["name"] if names else "",
        row["severity"],
        row["site"],
        row["state"],
        row["title"],
        row["impact"],
        row["runbook"],
        since,
        title,
        title_of(duty, row["owner"]) if row["owner"] else "",
        _local(duty, row["until"]) if row["until"] is not None else None,
    )


def _local(duty: Duty, at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone(duty.roster.zone)


class OnCallPages:
    """The views; each reads the engine's book and writes through the engine."""

    def __init__(self, town: Town, duty: Duty) -> None:
        self._town = town
        self._duty = duty

    def add_to(self, app: Flask) -> None:
        """Add the pages to the application."""
        app.add_url_rule("/oncall", view_func=self.page, endpoint="oncall")
        app.add_url_rule("/oncall.json", view_func=self.data, endpoint="oncall-data")
        app.add_url_rule("/oncall.ics", view_func=self.calendar, endpoint="oncall-calendar")
        app.add_url_rule("/incidents/<int:number>", view_func=self.incident, endpoint="incident")
        app.add_url_rule("/incidents/<int:number>.md", view_func=self.paper, endpoint="incident-paper")
        app.add_url_rule("/incidents/<int:number>", view_func=self.change, endpoint="change", methods=["POST"])
        app.add_url_rule("/a/<text>", view_func=self.ask, endpoint="ask")
        app.add_url_rule("/a/<text>", view_func=self.act, endpoint="act", methods=["POST"])

    def page(self) -> str:
        """Who, until when, what."""
        return self._render("oncall.html", language(), **self._facts(language()))

    def data(self) -> Response:
        """The same, as JSON."""
        body = json.dumps(self._facts(language()), ensure_ascii=False)
        return Response(body, content_type="application/json; charset=utf-8")

    def calendar(self) -> Response:
        """Half a year of turns, to subscribe to."""
        body = exported(self._duty.roster, self._now() - timedelta(days=31))
        return Response(body, content_type="text/calendar; charset=utf-8")

    def incident(self, number: int) -> str:
        """One incident: what, since when, who was told, what was done."""
        lang = language()
        with self._duty.engine.book.look() as entries:
            row = entries.row(number)
            if row is None:
                raise NotFound
            shown = alert(_shown(self._duty, entries, row), lang)
            lines = [self._line(line, lang) for line in entries.timeline_of(number)]
            alerts = entries.alerts_of(number)
        state = State(row["state"])
        possible = [event.value for event in BY_PAGE if (state, event) in NEXT]
        form = token(Link(number, "form", int(self._duty.clock()) + FORM_SECONDS), self._duty.key)
        again = "do-prolong" if state is State.ACKNOWLEDGED else "do-acknowledge"
        names = {event: again if event == Event.ACKNOWLEDGE else f"do-{event}" for event in possible}
        facts = {"lines": lines, "alerts": alerts, "possible": names, "form": form, "path": f"/incidents/{number}"}
        found = of(shown["runbook_url"])
        place = next((pick(site.title, lang) for site in self._town.sites if site.site == row["site"]), "")
        facts |= {"first": found.first if found else (), "place": place}
        return self._render("incident.html", lang, incident=shown, **facts)

    def paper(self, number: int) -> Response:
        """The same, to take into the meeting after it."""
        text = review(self._duty, number, language())
        if text is None:
            raise NotFound
        return Response(text, content_type="text/markdown; charset=utf-8")

    def change(self, number: int) -> AnyResponse:
        """What the buttons of an incident's page do."""
        try:
            link = read(request.form.get("token", ""), self._duty.key, self._duty.clock())
        except LinkRefused:
            return self._said("link-void", 403)
        if link.action != "form" or link.page != number:
            return self._said("link-void", 403)
        wanted, text = request.form.get("do", ""), request.form.get("text", "").strip()[:MAX_NOTE]
        try:
            if wanted == "note" and text:
                self._duty.engine.note(number, WALL, text, self._duty.clock())
            elif wanted in {event.value for event in BY_PAGE}:
                self._duty.engine.act(number, Event(wanted), self._page_person(), self._duty.clock(), text)
        except Unknown as error:
            raise NotFound from error
        except NotPossible:
            return self._said("link-late", 409)
        return redirect(f"/incidents/{number}{'?lang=en' if language() == 'en' else ''}", 303)

    def ask(self, text: str) -> AnyResponse:
        """What a link of a message would do; it does nothing yet."""
        found = self._message(text)
        if found is None:
            return self._said("link-void", 403)
        link, row, title = found
        if row["state"] not in LIVE:
            return self._said("link-late", 409)
        facts = {"action": link.action, "number": row["number"], "title": title, "path": request.path}
        return Response(self._render("act.html", language(), said="", lasting=self._lasting(language()), **facts))

    def act(self, text: str) -> AnyResponse:
        """Do what the link says, once."""
        found = self._message(text)
        if found is None:
            return self._said("link-void", 403)
        link, row, _ = found
        with self._duty.engine.book.look() as entries:
            message = entries.message(link.page)
        who = message["person"] if message else ""
        try:
            self._duty.engine.act(row["number"], Event(link.action), who, self._duty.clock(), link=mark(text))
        except LinkUsed:
            return self._said("link-used", 409)
        except NotPossible:
            return self._said("link-late", 409)
        done = say(f"effect-{link.action}", language(), lasting=self._lasting(language()))
        return self._said("link-done", 200, done)

    def _message(self, text: str) -> tuple[Link, Mapping[str, Any], str] | None:
        """(link, incident, its title) of a link's token; None when it is void."""
        try:
            link = read(text, self._duty.key, self._duty.clock())
        except LinkRefused:
            return None
        if link.action == "form":
            return None
        with self._duty.engine.book.look() as entries:
            message = entries.message(link.page)
            row = entries.row(message["incident"]) if message else None
        return (link, row, row["title"]) if row else None

    def _page_person(self) -> str:
        turn = _turn(self._duty, self._now())
        return turn.person.name if turn else WALL

    def _facts(self, lang: Language) -> dict[str, Any]:
        duty, now = self._duty, self._now()
        with duty.engine.book.look() as entries:
            rows = sorted(entries.rows(), key=_gravest_first)
            live = [alert(_shown(duty, entries, row), lang) for row in rows if row["state"] in LIVE]
            over = sorted((row for row in rows if row["state"] not in LIVE), key=lambda row: -row["number"])
            past = [alert(_shown(duty, entries, row), lang) for row in over[:10]]
            tests = [self._test(entries, person, name, lang) for person, name in self._tested()]
        return {
            "now": now.astimezone(duty.roster.zone).isoformat(timespec="seconds"),
            "levels": [self._level(level, now, lang) for level in range(1, duty.roster.levels + 1)],
            "incidents": live,
            "past": past,
            "disagreements": list(duty.engine.disagreements),
            "tests": [test for test in tests if test],
        }

    def _level(self, level: int, now: datetime, lang: Language) -> dict[str, Any]:
        turn = _turn(self._duty, now, level)
        following = _turn(self._duty, turn.ends, level) if turn else None
        then = say("duty-next", lang, title=following.person.title) if following else ""
        return {"level": level, "words": say("duty-level", lang, level=level), **on_call(turn, lang), "then": then}

    def _tested(self) -> list[tuple[str, str]]:
        return [(p.name, c.name) for p in self._town.people for c in self._town.channels]

    def _test(self, entries: Entries, person: str, channel: str, lang: Language) -> dict[str, str] | None:
        found = entries.fact(f"test/{person}/{channel}")
        if found is None:
            return None
        at = moment(datetime.fromtimestamp(found["at"], UTC).astimezone(self._duty.roster.zone), lang)
        facts = {"person": title_of(self._duty, person), "channel": channel, "at": at, "result": found["result"]}
        return {**facts, "words": say(f"result-{found['result']}", lang)}

    def _line(self, line: Mapping[str, Any], lang: Language) -> dict[str, str]:
        at = _local(self._duty, line["at"])
        text = line_in_words(self._duty, line, lang)
        return {"at": at.isoformat(timespec="seconds"), "clock": f"{at:%d/%m %H:%M:%S}", "text": text}

    def _lasting(self, lang: Language) -> str:
        return duration(self._duty.engine.policy.acknowledged_for, lang)

    def _said(self, key: str, status: int, more: str = "") -> Response:
        lang = language()
        said = f"{say(key, lang)} {more}".strip()
        facts = {"action": "", "number": 0, "title": "", "path": request.path}
        return Response(self._render("act.html", lang, said=said, **facts), status)

    def _render(self, template: str, lang: Language, **facts: Any) -> str:
        other = "fr" if lang == "en" else "en"
        suffix = "?lang=en" if lang == "en" else ""
        known = {"lang": lang, "other": other, "suffix": suffix, "say": partial(saying, lang)}
        return render_template(template, **known, **facts)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._duty.clock(), UTC)
