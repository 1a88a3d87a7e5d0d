"""Gathers what an explanation needs: from the engine's book, the newest picture, the scrapes, the ring. Reads only."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from monitor.duty import Duty
from monitor.explain import Asked, Known
from monitor.exposition import Figure
from monitor.findings import Finding
from monitor.rota import NobodyOnCall
from monitor.store_oncall import Entries

OF_SUBJECT = ("rtt", "loss", "clients", "rx", "airtime")
Samples = Mapping[str, Sequence[tuple[float, float]]]


def known(
    duty: Duty, what: Asked, now: float, findings: Sequence[Finding], collectors: Sequence[Figure], samples: Samples
) -> Known:
    """What is known of *what* at *now* (Unix time)."""
    engine, zone = duty.engine, duty.roster.zone
    with engine.book.look() as entries:
        alert = newest(entries, what)
        incident = entries.row(alert["incident"]) if alert else None
        messages = [_message(duty, entries, page) for page in entries.pages_of(alert["incident"])] if alert else []
    local = datetime.fromtimestamp(now, UTC).astimezone(zone)
    return Known(
        findings,
        collectors,
        samples,
        engine.verdicts.get(what.identity),
        engine.beats(now),
        incident,
        alert,
        messages,
        _on_duty(duty, local),
        local,
    )


def newest(entries: Entries, what: Asked) -> dict[str, Any] | None:
    """The newest alert of this name and subject, as it is written; None when there never was one."""
    found = [
        alert
        for row in entries.rows(500)
        for alert in entries.alerts_of(row["number"])
        if alert["name"] == what.name and (not what.site or alert["identity"].split("/")[1] == what.site)
        if not what.subject or alert["subject"] in {what.subject, ""}
    ]
    return max(found, key=lambda alert: alert["starts_at"], default=None)


def _message(duty: Duty, entries: Entries, page: Mapping[str, Any]) -> dict[str, Any]:
    tries = entries.attempts_of(page["id"])
    words = ", ".join(f"{one.channel} : {one.result.value}" for one in tries) or str(page["state"])
    return {**page, "title": _title(duty, page["person"]), "words": words}


def _title(duty: Duty, name: str) -> str:
    try:
        return duty.roster.person(name).title
    except KeyError:
        return name


def _on_duty(duty: Duty, local: datetime) -> str:
    try:
        return duty.roster.turn(local).person.title
    except NobodyOnCall:
        return ""
