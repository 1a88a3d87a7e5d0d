"""What the wall shows, as plain values: the picture, the open alerts and the clock in, words out. No I/O, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from monitor.findings import Finding, State, isolated
from monitor.incidents import State as Stage
from monitor.rota import Turn
from monitor.sites import SiteView
from monitor.watch import Picture
from monitor.web.words import Language, age, counted, duration, moment, pick, say, words
from parvis.inventory import Site, Town, in_clear_text
from parvis.runbooks import of

FEW_SITES, MANY_SITES, CROWD = 4, 6, 16
"""More sites than these have smaller cards: the whole town fits a screen nobody scrolls."""
MAX_ALERTS = 6
"""Incidents on the wall, the gravest; the others are on the page of who is on call."""
MAX_TROUBLED = 3
"""Devices named on a card; the count says how many more there are."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When a figure is late, in seconds: the monitor's own rounds, the collectors' figures, Prometheus's beat."""

    round: float
    data: float
    beat: float


@dataclass(frozen=True, slots=True)
class Shown:
    """A live incident, as pages show it. *called*: the title of who was called last, empty for nobody.

    *taken*: the title of who has it, *until* when nobody is called (None: without an end).
    """

    number: int
    alert: str
    severity: str
    site: str
    state: str
    summary: str
    impact: str
    runbook_url: str
    since: datetime
    called: str
    taken: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class OnDuty:
    """Who is on call (None: nobody), the live incidents, and the channels whose last test failed, each in words."""

    turn: Turn | None
    incidents: Sequence[Shown]
    failed_tests: Sequence[str] = ()


def wall(
    town: Town, picture: Picture, duty: OnDuty, beat: float, limits: Limits, now: datetime, lang: Language
) -> dict[str, Any]:
    """Everything the page and /wall.json show. *beat* is Unix time, 0 for none yet; *now* is aware."""
    local = now.astimezone(ZoneInfo(town.timezone))
    measured = now.timestamp() - picture.at if picture.at else None
    stale = measured is None or measured > limits.round
    judged = _beat(beat, limits.beat, now, lang)
    sites = [_site(view, limits, now, lang, stale=stale) for view in picture.sites]
    return {
        "town": pick(town.title, lang),
        "now": local.isoformat(timespec="seconds"),
        "clock": moment(local, lang),
        "on_call": on_call(duty.turn, lang),
        "measured": _aged(measured, limits.round, lang),
        "beat": judged,
        "overdue": _overdue(town, local.date(), lang),
        "notices": [*_notices(picture, lang, stale=stale), *_tests(duty.failed_tests, lang)],
        "sites": sites,
        "alerts": [alert(shown, lang) for shown in duty.incidents],
        "no_alerts": say("alerts-blind" if stale or judged["late"] else "alerts-none", lang),
        "alerts_more": counted("and-more", more, lang) if (more := len(duty.incidents) - MAX_ALERTS) > 0 else "",
        "summary": _summary(sites, lang),
        "size": _size(len(sites)),
    }


def _size(sites: int) -> str:
    """How large the cards of so many sites are."""
    if sites > CROWD:
        return "many crowd"
    return "many" if sites > MANY_SITES else "few" if sites <= FEW_SITES else ""


def _aged(seconds: float | None, late_after: float, lang: Language) -> dict[str, Any]:
    """An age in seconds (None: never), in words, and whether it is late."""
    if seconds is None:
        return {"age_seconds": None, "words": say("no-data", lang), "late": True}
    seconds = max(0.0, seconds)
    late = seconds > late_after
    text = age(seconds, lang) + (f" · {say('late', lang)}" if late else "")
    return {"age_seconds": round(seconds, 1), "words": text, "late": late}


def _beat(beat: float, late_after: float, now: datetime, lang: Language) -> dict[str, Any]:
    if not beat:
        return {"age_seconds": None, "words": say("beat-none", lang), "late": True}
    seconds = max(0.0, now.timestamp() - beat)
    key = "beat-late" if seconds > late_after else "beat-young"
    return {
        "age_seconds": round(seconds, 1),
        "words": say(key, lang, age=age(seconds, lang)),
        "late": seconds > late_after,
    }


def _notices(picture: Picture, lang: Language, *, stale: bool) -> list[str]:
    if not picture.at:
        return [say("not-yet", lang)]
    if stale:
        return [say("picture-late", lang)]
    keys = ["isolated"] if isolated(picture.findings) else []
    keys += ["collectors-silent"] if picture.heard.wrong else []
    return [say(key, lang) for key in keys]


def _overdue(town: Town, today: date, lang: Language) -> list[str]:
    """SEC-06: devices still asked in clear text after the exception's end, or without one, in words."""
    listed = [one for one in in_clear_text(town) if one.overdue(today)]
    return [
        say("clear-text-ended", lang, device=one.device, day=one.until.strftime("%d/%m/%Y"))
        if one.until
        else say("clear-text-endless", lang, device=one.device)
        for one in listed
    ]


def _tests(failed: Sequence[str], lang: Language) -> list[str]:
    return [say("tests-failed", lang, what=", ".join(failed))] if failed else []


def _site(view: SiteView, limits: Limits, now: datetime, lang: Language, *, stale: bool) -> dict[str, Any]:
    """One card. When the monitor's own rounds are late, the last state known is no state, nor is what it said."""
    site = view.site
    state = State.UNKNOWN if stale else view.state
    zone = now.tzinfo or UTC
    verdict = say("verdict-cannot-know" if stale else f"verdict-{view.verdict}", lang)
    oldest = None if view.oldest is None else now.timestamp() - view.oldest
    troubled = [] if stale else view.troubled
    own = [finding for finding in troubled if finding.state is not State.UNREACHABLE]
    named = own[:MAX_TROUBLED]
    behind = len(troubled) - len(own)
    points = say("clients-unknown", lang) if stale else f"{view.points_up} / {view.points}"
    short = f"{'?' if stale else view.points_up}/{view.points}"
    clients = say("clients-unknown", lang) if view.clients is None else str(view.clients)
    return {
        "site": site.site,
        "title": pick(site.title, lang),
        "state": state.value,
        "word": say(f"state-{state.value}", lang),
        "verdict": verdict,
        "planned": say("planned", lang, reason=view.planned) if view.planned else "",
        "since": datetime.fromtimestamp(view.since, zone).isoformat(timespec="seconds"),
        "since_words": "" if stale else say("lasting", lang, duration=duration(now.timestamp() - view.since, lang)),
        "clients": view.clients,
        "clients_counted": view.counted,
        "clients_words": clients,
        "clients_partial": counted("clients-partial", view.counted, lang, counted=view.counted)
        if view.clients is not None and view.counted < view.points
        else "",
        "points_up": None if stale else view.points_up,
        "points": view.points,
        "points_words": points,
        "brief": say("brief", lang, clients="?" if view.clients is None else view.clients, points=short),
        "uplink": _uplink(view.uplink, site, lang, stale=stale),
        "data": _aged(oldest, limits.data, lang),
        "troubled": [_troubled(finding, site, lang) for finding in named],
        "more": [
            *([counted("and-more", len(own) - len(named), lang)] if len(own) > len(named) else []),
            *([counted("and-behind", behind, lang)] if behind else []),
        ],
    }


def _uplink(finding: Finding, site: Site, lang: Language, *, stale: bool) -> dict[str, Any]:
    state = State.UNKNOWN if stale else finding.state
    return {
        "name": site.uplink.name,
        "state": state.value,
        "word": say(f"state-{state.value}", lang),
        "operator": site.uplink.operator,
        "contract": site.uplink.contract,
        "capacity_bits_per_second": site.uplink.capacity,
        "rtt_seconds": finding.rtt_seconds,
        "loss_ratio": finding.loss_ratio,
        "figures": "" if stale else _figures(finding, lang),
    }


def _figures(finding: Finding, lang: Language) -> str:
    if finding.loss_ratio is None:
        return ""
    loss = f"{finding.loss_ratio * 100:.0f}"
    if finding.rtt_seconds is None:
        return say("uplink-lost", lang, loss=loss)
    milliseconds = f"{finding.rtt_seconds * 1000:.1f}"
    decimal = milliseconds.replace(".", ",") if lang == "fr" else milliseconds
    return say("uplink-figures", lang, rtt=decimal, loss=loss)


def _troubled(finding: Finding, site: Site, lang: Language) -> dict[str, str]:
    target = finding.target
    place = next((point.place for point in site.access_points if point.name == target.name), None)
    return {
        "name": target.name,
        "kind": say(f"kind-{target.kind.value}", lang),
        "place": pick(place, lang) if place else "",
        "state": finding.state.value,
        "reason": say(f"reason-{finding.reason.value}", lang, cause=finding.cause),
    }


def on_call(turn: Turn | None, lang: Language) -> dict[str, str]:
    """Who is on call and until when, in words."""
    if turn is None:
        return {"title": say("nobody", lang), "until": "", "until_words": ""}
    return {"title": turn.person.title, "until": turn.ends.isoformat(), "until_words": moment(turn.ends, lang)}


def alert(shown: Shown, lang: Language) -> dict[str, Any]:
    """A live incident, in words."""
    key = f"severity-{shown.severity}"
    return {
        "number": shown.number,
        "alert": shown.alert,
        "severity": shown.severity,
        "severity_words": say(key if key in words() else "severity-other", lang),
        "state": shown.state,
        "state_words": _stage(shown, lang),
        "taken": shown.taken or None,
        "until": shown.until.isoformat(timespec="seconds") if shown.until else None,
        "site": shown.site,
        "summary": shown.summary,
        "impact": shown.impact,
        "runbook_url": shown.runbook_url,
        "runbook": found.name if (found := of(shown.runbook_url)) else "",
        "since": shown.since.isoformat(timespec="seconds"),
        "since_words": moment(shown.since, lang),
        "paged": shown.called or None,
        "paged_words": say("paged", lang, title=shown.called) if shown.called else say("nobody-paged", lang),
    }


def _stage(shown: Shown, lang: Language) -> str:
    """How far it has come, who has it, and until when nobody is called."""
    said = say(f"incident-{shown.state}", lang)
    if shown.state == Stage.ACKNOWLEDGED and shown.taken:
        said = say("incident-taken", lang, title=shown.taken)
    return f"{said}, {say('calls-again', lang, at=moment(shown.until, lang))}" if shown.until else said


def _summary(sites: Sequence[dict[str, Any]], lang: Language) -> dict[str, Any]:
    bad = sum(site["state"] != State.UP.value for site in sites)
    well = bool(sites) and not bad
    text = say("all-sites-well", lang) if well else say("some-sites-badly", lang, bad=bad, all=len(sites))
    return {"well": well, "words": text}
