"""Why is this device not online? From what a site knows of it, where it stopped and what to try. Decides only."""

from dataclasses import dataclass
from typing import Any

Facts = dict[str, Any]
ENDINGS = ("left", "expired", "idle", "revoked")
WAY = ("lease", "neighbour", "probe", "api", "page", "accepted", "admitted", "first-byte")
"""The steps in the order they happen."""


@dataclass(frozen=True, slots=True)
class Row:
    """One step as shown: *done*, seconds ago first and last, how often; None where it was not seen or is not known."""

    step: str
    done: bool
    first: float | None = None
    last: float | None = None
    count: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """*what* names the words of :data:`WORDS`; *online* whether the device can use the internet, as far as is known."""

    what: str
    online: bool = False

    @property
    def words(self) -> tuple[str, str]:
        """Where it stopped, and what to try."""
        return WORDS[self.what]


WORDS: dict[str, tuple[str, str]] = {
    "online": (
        "L'appareil est en ligne : il est admis et des données lui arrivent.",
        "Si une application ne répond pas, essayer un autre site web, puis l'application sur un autre réseau.",
    ),
    "open": (
        "La porte est ouverte à tous : l'appareil n'a pas besoin d'accepter les conditions.",
        "S'il n'est pas en ligne, l'éloigner puis le rapprocher de la borne, ou réactiver son Wi-Fi.",
    ),
    "uplink": (
        "La fibre de ce lieu est coupée : personne n'y est en ligne.",
        "Rien à faire sur l'appareil. Suivre l'incident de la fibre.",
    ),
    "blocked": (
        "Des agents ont bloqué cet appareil pour un temps ; la page le lui dit.",
        "Attendre la fin, ou lever le blocage ci-dessous si la raison n'existe plus.",
    ),
    "closed": (
        "Le Wi-Fi de ce lieu est fermé par des agents ; la page le dit.",
        "Rouvrir le lieu sur sa page si la raison n'existe plus.",
    ),
    "hours": (
        "Le bâtiment est fermé à cette heure, et son Wi-Fi avec lui ; la page le dit.",
        "Attendre l'ouverture.",
    ),
    "full": (
        "Toutes les places du lieu sont prises ; la page le dit.",
        "Réessayer dans quelques minutes.",
    ),
    "slowed": (
        "L'appareil est en ligne, mais au-delà du volume prévu : il est ralenti, jamais coupé.",
        "Rien à réparer ; la page dit la vitesse.",
    ),
    "no-answer": (
        "L'appareil est admis et envoie, mais rien ne lui revient d'internet.",
        "Couper son VPN et son DNS privé ; vérifier que d'autres appareils du lieu reçoivent.",
    ),
    "no-byte": (
        "L'appareil est admis, mais n'a encore rien envoyé.",
        "Ouvrir une page web ; si rien ne vient, couper son VPN, puis réactiver son Wi-Fi.",
    ),
    "left": ("Le résident s'est déconnecté par le bouton.", "Rouvrir la page du Wi-Fi et accepter de nouveau."),
    "expired": (
        "La durée de la connexion est passée.",
        "Rouvrir la page du Wi-Fi et accepter de nouveau.",
    ),
    "idle": (
        "La connexion a pris fin après un long silence de l'appareil.",
        "Rouvrir la page du Wi-Fi et accepter de nouveau.",
    ),
    "revoked": (
        "Des agents ont déconnecté cet appareil, ou le lieu a fermé.",
        "Rouvrir la page du Wi-Fi et accepter de nouveau.",
    ),
    "refused": (
        "Le portail a refusé l'acceptation ; la page en a dit la raison : lieu fermé, complet ou appareil bloqué.",
        "Lire la raison sur la page de l'appareil.",
    ),
    "not-admitted": (
        "Les conditions sont acceptées, mais la passerelle n'a pas admis l'appareil.",
        "La passerelle se répare seule en quelques secondes ; sinon, voir l'état de la passerelle sur la page du lieu.",
    ),
    "not-accepted": (
        "La page s'est ouverte, mais les conditions ne sont pas acceptées.",
        "Toucher le bouton « Accepter et se connecter » de la page.",
    ),
    "no-page": (
        "L'appareil a demandé s'il est en ligne et sait que non, mais sa page ne s'est pas ouverte.",
        "Toucher la notification du Wi-Fi, ou taper l'adresse du portail dans le navigateur.",
    ),
    "no-probe": (
        "L'appareil a une adresse, mais n'a rien demandé.",
        "Couper son VPN et son DNS privé, puis réactiver son Wi-Fi.",
    ),
    "no-lease": (
        "L'appareil n'a pas d'adresse ici en ce moment.",
        "Vérifier qu'il est sur ce Wi-Fi et assez près d'une borne, puis réactiver son Wi-Fi.",
    ),
}
"""French; english.json has the English."""


def judge(known: Facts) -> Verdict:
    """The verdict on one device at one site; *known* is the answer of ``/v1/devices/CODE``."""
    gateway, steps = known["gateway"], known["steps"]
    standing = (
        ("uplink", not known["uplink"]),
        ("blocked", known["blocked"] or gateway["blocked"]),
        ("closed", known["closed"]),
        ("open", known["open"] and gateway["session"] is None),
        ("hours", known["refusal"] == "closed-hours"),
        ("full", known["refusal"] == "full" and gateway["session"] is None),
        ("slowed", known["slowed"] and gateway["session"] is not None),
    )
    for what, so in standing:
        if so:
            return Verdict(what, online=what in {"open", "slowed"})
    if gateway["session"] is not None:
        if gateway["bytes_down"]:
            return Verdict("online", online=True)
        return Verdict("no-answer" if gateway["bytes_up"] else "no-byte")
    return Verdict(_stopped(steps, gateway))


def _stopped(steps: Facts, gateway: Facts) -> str:
    """How far a device without a session came; the latest ending or refusal counts if nothing was accepted since."""
    last = min((step for step in (*ENDINGS, "refused", "accepted") if step in steps), key=_age(steps), default="")
    if last == "accepted":
        return "not-admitted"
    if last:
        return last
    for step, what in (("page", "not-accepted"), ("api", "no-page"), ("probe", "no-page")):
        if step in steps:
            return what
    return "no-lease" if gateway["lease_age"] is None and not gateway["ipv6"] else "no-probe"


def _age(steps: Facts) -> Any:
    return lambda step: steps[step]["last"]


def rows(known: Facts) -> list[Row]:
    """The timeline: every step of the way, then what ended it; the gateway's own word where it knows better."""
    gateway, steps = known["gateway"], known["steps"]
    certain = {
        "lease": gateway["lease_age"] is not None,
        "neighbour": gateway["neighbour"] not in {None, "failed", "incomplete"},
        "admitted": gateway["session"] is not None,
        "first-byte": bool(gateway["bytes_down"]),
    }
    more = [step for step in ("refused", "slowed", *ENDINGS) if step in steps]
    return [_row(step, steps.get(step), certain.get(step), gateway) for step in (*WAY, *more)]


def _row(step: str, seen: Facts | None, certain: bool | None, gateway: Facts) -> Row:
    done = bool(seen) if certain is None else certain
    if seen:
        return Row(step, done, seen["first"], seen["last"], seen["count"])
    return Row(step, done, last=gateway["lease_age"] if step == "lease" else None)
