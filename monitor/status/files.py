"""The status as files: pages in French and English, Atom feeds, the calendar of announced work, JSON. No I/O."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from jinja2 import Environment, PackageLoader

from monitor.calendars import events
from monitor.status.content import Announced, Condition, Happened, Place, Status, local
from monitor.web.words import Language, counted, duration, moment, pick, say

PAGES: Mapping[Language, str] = {"fr": "index.html", "en": "en.html"}
FEEDS: Mapping[Language, str] = {"fr": "incidents.atom", "en": "incidents-en.atom"}
SPREADS = {Condition.DOWN, Condition.DEGRADED, Condition.UNKNOWN}
"""What is said of some places, or of all."""
CALENDAR, DATA = "maintenance.ics", "status.json"
FEED_ENTRIES = 50
SHOWN_INCIDENTS = 20
"""Those before are there too, to unfold; what goes on is always shown."""
BAR, GAP, TALL = 6, 2, 34
HEIGHTS = {
    Condition.UP: 34,
    Condition.DEGRADED: 22,
    Condition.DOWN: 12,
    Condition.MAINTENANCE: 28,
    Condition.UNKNOWN: 6,
}
"""A day's state is told by the height of its bar and by its colour, and in the table."""


def files(status: Status, base_url: str = "") -> dict[str, bytes]:
    """File name -> content. *base_url*: where they will stand, for the feeds' links."""
    found = {PAGES[lang]: page(status, lang).encode() for lang in PAGES}
    found |= {FEEDS[lang]: feed(status, lang, base_url).encode() for lang in FEEDS}
    return found | {CALENDAR: calendar(status), DATA: as_json(status)}


def page(status: Status, lang: Language) -> str:
    """The page, whole by itself: its style is inside, and it asks for nothing more."""
    other: Language = "en" if lang == "fr" else "fr"
    shown = [one for n, one in enumerate(status.happened) if n < SHOWN_INCIDENTS or one.ends is None]
    facts = {
        "lang": lang,
        "other": {"lang": other, "href": PAGES[other], "words": say("other-language", lang)},
        "town": pick(status.town, lang),
        "made": {"iso": _iso(status.made_at), "words": moment(local(status.made_at, status.zone), lang)},
        "overall": {"condition": status.condition.value, "words": overall(status, lang)},
        "places": [_place(place, lang) for place in status.places],
        "happened": [_incident(one, status, lang) for one in shown],
        "older": [_incident(one, status, lang) for one in status.happened if one not in shown],
        "nothing": say("status-nothing" if _is_measured(status) else "status-bars-none", lang),
        "announced": [_work(one, status, lang) for one in status.announced],
        "feed": FEEDS[lang],
        "calendar": CALENDAR,
        "data": DATA,
        "say": lambda key, **values: say(key, lang, **values),
    }
    return str(_template().render(**facts))


def overall(status: Status, lang: Language) -> str:
    """The town in one sentence."""
    everywhere = status.condition in SPREADS and len({place.condition for place in status.places}) == 1
    return say(f"status-{'everywhere' if everywhere else 'overall'}-{status.condition}", lang)


def _is_measured(status: Status) -> bool:
    return any(place.ratio is not None for place in status.places)


@cache
def _template() -> Any:
    loader = PackageLoader("monitor.status", ".")
    return Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True).get_template("page.html")


def _place(place: Place, lang: Language) -> dict[str, Any]:
    bars = [
        {
            "x": n * (BAR + GAP),
            "y": TALL - HEIGHTS[day.condition],
            "h": HEIGHTS[day.condition],
            "c": day.condition.value,
        }
        for n, day in enumerate(place.days)
    ]
    bad = [day for day in place.days if day.condition not in (Condition.UP, Condition.UNKNOWN)]
    blank = sum(day.condition is Condition.UNKNOWN for day in place.days)
    ratio = _percent(place.ratio, lang)
    counts = {
        "bad": counted("status-bad-days", len(bad), lang),
        "unknown": counted("status-blank-days", blank, lang),
    }
    bars_in_words = "status-bars-none" if place.ratio is None else "status-bars"
    return {
        "site": place.site,
        "title": pick(place.title, lang),
        "condition": place.condition.value,
        "word": say(f"status-{place.condition}", lang),
        "ratio": ratio,
        "bars": bars,
        "width": len(place.days) * (BAR + GAP),
        "tall": TALL,
        "summary": say(bars_in_words, lang, ratio=ratio, **counts),
        "days": [
            {
                "day": f"{day.day:%d/%m/%Y}",
                "word": say(f"status-{day.condition}", lang),
                "ratio": _percent(day.ratio, lang),
                "down": duration(day.down, lang),
            }
            for day in reversed(bad)
        ],
    }


def _incident(one: Happened, status: Status, lang: Language) -> dict[str, Any]:
    """An incident with its steps, newest first, in ready sentences."""
    steps = [(one.starts, say(f"status-began-{one.condition}", lang))]
    steps += [(at, say(f"notice-{what}", lang)) for at, what in one.notices]
    if one.ends is not None:
        lasted = duration(one.ends - one.starts, lang)
        steps.append((one.ends, say("status-ended", lang, lasted=lasted)))
    return {
        "key": one.key,
        "title": say("status-incident", lang, place=pick(one.title, lang), what=say(f"status-{one.condition}", lang)),
        "open": one.ends is None,
        "condition": one.condition.value,
        "steps": [
            {"iso": _iso(at), "when": moment(local(at, status.zone), lang), "words": words}
            for at, words in sorted(steps, key=lambda step: -step[0])
        ],
    }


def _work(one: Announced, status: Status, lang: Language) -> dict[str, Any]:
    starts, ends = (local(at, status.zone) for at in (one.starts, one.ends))
    where = ", ".join(pick(title, lang) for title in one.sites) or say("status-everywhere", lang)
    words = say("status-work", lang, starts=moment(starts, lang), ends=moment(ends, lang), where=where)
    return {"iso": _iso(one.starts), "words": words}


def feed(status: Status, lang: Language, base_url: str) -> str:
    """RFC 4287: an entry an incident; it is updated when something is added."""
    newest = [_incident(one, status, lang) for one in status.happened[:FEED_ENTRIES]]
    here = f"{base_url.rstrip('/')}/" if base_url else ""
    updated = max((one["steps"][0]["iso"] for one in newest), default=_iso(status.made_at))
    title = say("status-title", lang, town=pick(status.town, lang))
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{lang}">',
        f"<title>{escape(title)}</title><id>urn:parvis:status:{lang}</id><updated>{updated}</updated>",
        f"<author><name>{escape(pick(status.town, lang))}</name></author>",
        f'<link rel="self" href={quoteattr(here + FEEDS[lang])}/><link href={quoteattr(here + PAGES[lang])}/>',
        *(_entry(one, here + PAGES[lang]) for one in newest),
        "</feed>",
    ]
    return "\n".join(lines) + "\n"


def _entry(one: Mapping[str, Any], address: str) -> str:
    text = "\n".join(f"{step['when']} : {step['words']}" for step in one["steps"])
    times = one["steps"][0]["iso"], one["steps"][-1]["iso"]
    return (
        f"<entry><title>{escape(one['title'])}</title><id>urn:parvis:incident:{one['key']}</id>"
        f"<updated>{times[0]}</updated><published>{times[1]}</published>"
        f'<link href={quoteattr(address + "#" + one["key"])}/><content type="text">{escape(text)}</content></entry>'
    )


def calendar(status: Status) -> bytes:
    """RFC 5545: the announced work, to subscribe to; both languages in one title."""
    found = []
    for one in status.announced:
        titles = ", ".join(pick(title, "fr") for title in one.sites) or pick(status.town, "fr")
        title = f"{say('status-work-title', 'fr')} / {say('status-work-title', 'en')} : {titles}"
        name = f"work-{one.starts:.0f}-{one.ends:.0f}"
        found.append((name, datetime.fromtimestamp(one.starts, UTC), datetime.fromtimestamp(one.ends, UTC), title))
    return events("travaux", found, datetime.fromtimestamp(status.made_at, UTC))


def as_json(status: Status) -> bytes:
    """The same for programs; times are RFC 3339."""
    found = {
        "town": status.town.by_language(),
        "made_at": _iso(status.made_at),
        "condition": status.condition.value,
        "places": [
            {
                "site": place.site,
                "title": place.title.by_language(),
                "condition": place.condition.value,
                "availability": place.ratio,
                "days": [
                    {"day": f"{day.day}", "condition": day.condition.value, "availability": day.ratio}
                    for day in place.days
                ],
            }
            for place in status.places
        ],
        "incidents": [
            {
                "id": one.key,
                "site": one.site,
                "condition": one.condition.value,
                "starts": _iso(one.starts),
                "ends": None if one.ends is None else _iso(one.ends),
                "notices": [{"at": _iso(at), "what": what.value} for at, what in one.notices],
            }
            for one in status.happened
        ],
        "maintenance": [
            {"starts": _iso(one.starts), "ends": _iso(one.ends), "places": [title.by_language() for title in one.sites]}
            for one in status.announced
        ],
    }
    return json.dumps(found, ensure_ascii=False, indent=1).encode()


def _iso(at: float) -> str:
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _percent(ratio: float | None, lang: Language) -> str:
    """Cut, not rounded: 99.99 % is not 100 %."""
    if ratio is None:
        return say("status-unmeasured", lang)
    text = f"{int(ratio * 10000) / 100:.2f}"
    return f"{text.replace('.', ',')} %" if lang == "fr" else f"{text}%"
