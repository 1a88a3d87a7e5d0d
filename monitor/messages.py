"""What is written to whoever is called: French, one SMS or one letter, no personal data. No I/O, no clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.gsm7 import fitted

ACTIONS = {"acknowledge": "Prendre en charge", "snooze": "Reporter au matin", "hand-over": "Passer au suivant"}
"""What a link can do, in the words of its button."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What a message is about. *since*: local time."""

    number: int
    title: str
    impact: str
    runbook: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """*short*: one SMS (160 GSM-7 letters at most); *subject* and *long*: a letter."""

    short: str
    subject: str
    long: str


def call(cause: Cause, links: Mapping[str, str], *, replies: bool, level: int = 1) -> Message:
    """A call. *links*: URL by action, empty where the channel takes none; *replies*: "OK 12" can be answered."""
    answer = f" Rep. OK {cause.number} (vu) ou NON {cause.number}" if replies else ""
    link = f" {links['acknowledge']}" if "acknowledge" in links else ""
    short = fitted(f"#{cause.number} {cause.title}", f" ({cause.since:%H:%M}).{answer}{link}")
    lines = [
        cause.title,
        "",
        cause.impact,
        f"Depuis : {cause.since:%d/%m/%Y %H:%M}. Incident {cause.number}, appel de niveau {level}.",
        f"Que faire : {cause.runbook}",
        "",
        *(f"{words} : {links[action]}" for action, words in ACTIONS.items() if action in links),
    ]
    return Message(short, f"[Wi-Fi] #{cause.number} {cause.title}"[:150], "\n".join(lines))


def all_clear(cause: Cause, ended: datetime) -> Message:
    """It is over."""
    short = fitted(f"#{cause.number} FINI : {cause.title}", f" ({cause.since:%H:%M}-{ended:%H:%M}).")
    text = f"Fin de l'incident {cause.number}, à {ended:%d/%m/%Y %H:%M}.\n{cause.title}\n"
    return Message(short, f"[Wi-Fi] Fini : #{cause.number} {cause.title}"[:150], text)


def digest(causes: Sequence[Cause], link: str) -> Message:
    """Many incidents at once, in one message."""
    numbers = ", ".join(f"#{cause.number}" for cause in causes)
    tail = f" {link}" if link else ""
    short = fitted(f"{len(causes)} autres incidents : {numbers}. {causes[0].title if causes else ''}", tail)
    lines = [f"#{cause.number} {cause.title} ({cause.since:%H:%M})" for cause in causes]
    return Message(short, f"[Wi-Fi] {len(causes)} autres incidents", "\n".join([*lines, "", link]))


def test(channel: str, at: datetime) -> Message:
    """The weekly test of a channel; nothing to do."""
    short = fitted(f"Essai hebdomadaire du canal {channel}, {at:%d/%m %H:%M}. Rien a faire.", "")
    return Message(short, "[Wi-Fi] Essai hebdomadaire", short)
