"""An incident on paper, for the meeting after it: what happened, who was told, what was done, what is left to say."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from monitor.duty import Duty
from monitor.web.words import Language, duration, say, words

TO_SAY = ("review-cause", "review-felt", "review-well", "review-next")
"""What only people can add."""


def line_in_words(duty: Duty, line: Mapping[str, Any], lang: Language) -> str:
    """A line of the timeline, in words."""
    key = f"event-{line['what']}"
    who = title_of(duty, line["who"])
    return (say(key, lang, who=who, text=line["text"]) if key in words() else f"{line['what']} {line['text']}").strip()


def title_of(duty: Duty, name: str) -> str:
    """What a person is called on pages; the name itself for who is no longer there."""
    try:
        return duty.roster.person(name).title
    except KeyError:
        return name


def review(duty: Duty, number: int, lang: Language) -> str | None:
    """Incident *number* as Markdown (CommonMark); None when there is none. No address, no telephone number."""
    with duty.engine.book.look() as entries:
        row = entries.row(number)
        if row is None:
            return None
        alerts, lines = entries.alerts_of(number), entries.timeline_of(number)
        sheets = entries.sheets(incident=number)
    ended = row["ended_at"]
    taken = next((line["at"] for line in lines if line["what"] == "acknowledge"), None)
    facts = [
        (say("review-since", lang), _at(duty, row["opened_at"])),
        (say("review-until", lang), _at(duty, ended) if ended else say(f"incident-{row['state']}", lang)),
        (say("review-lasted", lang), duration(ended - row["opened_at"], lang) if ended else ""),
        (say("review-taken", lang), duration(taken - row["opened_at"], lang) if taken else ""),
        (say("impact", lang), row["impact"]),
        (say("what-to-do", lang), row["runbook"]),
    ]
    parts = [
        f"# {say('number', lang, number=number)} : {row['title']}",
        "\n".join(f"- {name} : {text}" for name, text in facts if text),
        _part(say("its-alerts", lang), [f"{one['name']} {one['subject']} : {one['summary']}" for one in alerts]),
        _part(say("timeline", lang), [f"{_at(duty, line['at'])} {line_in_words(duty, line, lang)}" for line in lines]),
        _part(say("its-sheets", lang), [_sheet(duty, sheet) for sheet in sheets]),
        *(f"## {say(key, lang)}\n" for key in TO_SAY),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _part(title: str, lines: list[str]) -> str:
    return "\n".join([f"## {title}", "", *(f"- {line}" for line in lines)]) if lines else ""


def _sheet(duty: Duty, sheet: Mapping[str, Any]) -> str:
    spent = f"{_at(duty, sheet['began_at'])} - {_at(duty, sheet['ended_at'])}"
    return f"{title_of(duty, sheet['person'])}, {spent} : {sheet['note']} {sheet['result']}".strip()


def _at(duty: Duty, moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC).astimezone(duty.roster.zone):%d/%m/%Y %H:%M:%S}"
