"""What is written to whoever is called: French, one SMS or one letter, no personal data. No I/O, no clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.gsm7 import fitted
from monitor.incidents import Event

ACTIONS = {"acknowledge": "Prendre en charge", "snooze": "Reporter au matin", "hand-over": "Passer au suivant"}
"""What a link can do, in the words of its button."""


AGAIN = {
    Event.EXPIRE: ("RAPPEL", "Pris en charge à {at}, et cela dure encore : les appels recommencent."),
    Event.WAKE: ("RAPPEL", "Reporté, et cela dure encore : les appels recommencent."),
    Event.WORSEN: ("PLUS GRAVE", "Devenu plus grave à {at}."),
    Event.HAND_OVER: ("PASSE", "Passé au niveau suivant à {at}."),
}
"""Why somebody is called once more for an incident: in an SMS, and in a letter."""


KEYS = "Pour prendre en charge, tapez 1. Pour passer au suivant, tapez 2. Pour reporter au matin, tapez 3."


GRAVITY = {"page": ("urgent", "urgent, appel à toute heure"), "page-jour": ("jour", "appel en journée")}
"""How grave it is: in an SMS, and in a letter."""


@dataclass(frozen=True, slots=True)
class Again:
    """What made calling begin anew. *at*: local time; of what has expired, the time at which it was taken."""

    event: Event
    at: datetime


@dataclass(frozen=True, slots=True)
class Cause:
    """What a message is about. *since*: local time. *severity*: as the rules'. *again*: why it is told once more."""

    number: int
    title: str
    impact: str
    runbook: str
    since: datetime
    severity: str = ""
    again: Again | None = None
    first: tuple[tuple[str, str], ...] = ()
    """What is done first: (title, text) of its runbook."""


@dataclass(frozen=True, slots=True)
class Message:
    """*short*: one SMS (160 GSM-7 letters at most); *subject* and *long*: a letter; *spoken*: over the telephone."""

    short: str
    subject: str
    long: str
    spoken: str = ""
    link: str = ""
    """Where it is taken, for a service that shows a button."""


def call(cause: Cause, links: Mapping[str, str], *, replies: bool, level: int = 1) -> Message:
    """A call. *links*: URL by action, empty where the channel takes none; *replies*: "OK 12" can be answered."""
    answer = f" Rep. OK {cause.number} (vu) ou NON {cause.number}" if replies else ""
    link = f" {links['acknowledge']}" if "acknowledge" in links else ""
    why, told = AGAIN[cause.again.event] if cause.again else ("", "")
    if cause.again and cause.again.event is Event.EXPIRE:
        why += f" (pris {cause.again.at:%H:%M})"
    what = f"{why} : {cause.title}" if why else cause.title
    head = f"#{cause.number} {what}"
    grave, gravity = GRAVITY.get(cause.severity, ("", ""))
    short = fitted(head, f" ({cause.since:%H:%M}{', ' * bool(grave)}{grave}).{answer}{link}")
    lines = [
        cause.title,
        *([told.format(at=f"{cause.again.at:%H:%M}")] if cause.again else []),
        "",
        cause.impact,
        f"Depuis : {cause.since:%d/%m/%Y %H:%M}. Incident {cause.number}, appel de niveau {level}.",
        *([f"Gravité : {gravity}."] if gravity else []),
        f"Que faire : {cause.runbook}",
        *(f"- {title} : {text}" for title, text in cause.first),
        "",
        *(f"{words} : {links[action]}" for action, words in ACTIONS.items() if action in links),
    ]
    alarm = f"Alerte {grave} du wifi public" if grave == "urgent" else "Alerte du wifi public"
    said = f"{alarm}, incident {cause.number}. {what}. {_hour(cause.since)}. {KEYS}"
    return Message(short, f"[Wi-Fi] {head}"[:150], "\n".join(lines), said, links.get("acknowledge", ""))


def all_clear(cause: Cause, ended: datetime) -> Message:
    """It is over."""
    short = fitted(f"#{cause.number} FINI : {cause.title}", f" ({cause.since:%H:%M}-{ended:%H:%M}).")
    text = f"Fin de l'incident {cause.number}, à {ended:%d/%m/%Y %H:%M}.\n{cause.title}\n"
    said = f"Incident {cause.number} terminé : {cause.title}. Tapez 1 pour raccrocher."
    return Message(short, f"[Wi-Fi] Fini : #{cause.number} {cause.title}"[:150], text, said)


def digest(causes: Sequence[Cause], link: str) -> Message:
    """Many incidents at once, in one message."""
    numbers = ", ".join(f"#{cause.number}" for cause in causes)
    tail = f" {link}" if link else ""
    short = fitted(f"{len(causes)} autres incidents : {numbers}. {causes[0].title if causes else ''}", tail)
    lines = [f"#{cause.number} {cause.title} ({cause.since:%H:%M})" for cause in causes]
    said = f"{len(causes)} autres incidents du wifi public. {'. '.join(cause.title for cause in causes[:3])}. Tapez 1."
    return Message(short, f"[Wi-Fi] {len(causes)} autres incidents", "\n".join([*lines, "", link]), said)


def relay(causes: Sequence[Cause], until: datetime, link: str) -> Message:
    """What is going on, to who has just taken over duty."""
    many = "s" * (len(causes) > 1)
    what = "; ".join(f"#{cause.number} {cause.title}" for cause in causes)
    head = f"Relève d'astreinte, {len(causes)} incident{many} en cours : {what}"
    lines = [f"Vous êtes d'astreinte jusqu'au {until:%d/%m/%Y %H:%M}. En cours :"]
    lines += [f"#{cause.number} {cause.title} (depuis {cause.since:%d/%m %H:%M})" for cause in causes]
    said = f"Relève d'astreinte du wifi public. {len(causes)} incident{many} en cours. Tapez 1 pour confirmer."
    short = fitted(head, f" {link}" if link else "")
    return Message(
        short, f"[Wi-Fi] Relève : {len(causes)} incident{many} en cours", "\n".join([*lines, "", link]), said
    )


def test(channel: str, at: datetime) -> Message:
    """The weekly test of a channel; nothing to do."""
    short = fitted(f"Essai hebdomadaire du canal {channel}, {at:%d/%m %H:%M}. Rien a faire.", "")
    said = "Essai hebdomadaire de l'astreinte du wifi public. Tapez 1 pour confirmer. Il n'y a rien d'autre à faire."
    return Message(short, "[Wi-Fi] Essai hebdomadaire", short, said)


def _hour(at: datetime) -> str:
    return f"Depuis {at.hour} heures {at.minute:02d}"
