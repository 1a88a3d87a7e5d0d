"""What is said of a cause: an alert and the evidence in, a sentence out. No I/O, no clock.

What explains what is in incidents; here it is put into the words that whoever is called needs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from monitor.incidents import Alert
from parvis.alerts import alerts
from parvis.inventory import Site, Town


@dataclass(frozen=True, slots=True)
class Light:
    """The light in the fibre of an uplink, as a module of the town's sees it. *dark_since*: local time it went out.

    *rx_dbm*: the last power received; *margin_db*: how far that is from the module's low warning.
    """

    lit: bool | None = None
    dark_since: datetime | None = None
    rx_dbm: float | None = None
    margin_db: float | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one site beside its alerts. *people*: devices connected when it was last known."""

    far: Light = Light()
    near: Light = Light()
    people: int | None = None
    failing_step: str = ""
    answering: frozenset[str] = frozenset()
    """Names of the site's equipment that answers now."""
    intruders: tuple[str, ...] = ()
    """Behind which ports something is on the residents' network that must not be there."""


def in_words(alert: Alert, town: Town, evidence: Mapping[str, Evidence]) -> Alert:
    """*alert* with what whoever is called needs: what it is, since when, how many are behind it, whom to ring.

    Nothing is said that was not measured: without evidence the rule's own words stay.
    """
    site = next((one for one in town.sites if one.site == alert.site), None)
    known = evidence.get(alert.site)
    if site is None or known is None:
        return alert
    summary, more = WORDS[alert.name](alert, site, known) if alert.name in WORDS else (alert.summary, "")
    impact = f"{alert.impact} {more}".strip() if more and more not in alert.impact else alert.impact
    return replace(alert, summary=summary, impact=impact)


def _link(alert: Alert, site: Site, known: Evidence) -> tuple[str, str]:
    """A link that does not answer: the light tells a cut fibre from a site without power or a dead gateway."""
    name, behind = site.title.fr, _behind(len(site.access_points), known)
    call = site.uplink.hotline
    ring = f"Opérateur : {call}." if call else ""
    if known.far.lit is False:
        at = f" à {known.far.dark_since:%H:%M}" if known.far.dark_since else ""
        said = f"Fibre coupée vers {name} : lumière perdue{at}{behind}"
        last = f" Dernière mesure {_db(known.far.rx_dbm)} dBm." if known.far.rx_dbm is not None else ""
        return _who(said, site), f"Fibre sectionnée, ou site sans courant.{last} {ring}".strip()
    if known.far.lit:
        hint = "La fibre est éclairée des deux côtés : passerelle, convertisseur ou réseau de l'opérateur."
        return _who(f"Lien coupé, fibre éclairée : {name}{behind}", site), f"{hint} {ring}".strip()
    return _who(f"{alert.summary}{behind}", site), ring


def _mains(alert: Alert, site: Site, known: Evidence) -> tuple[str, str]:
    return f"{alert.summary}{_behind(len(site.access_points), known)}", "Rien d'autre n'appellera pour ce site."


def _switch(alert: Alert, site: Site, known: Evidence) -> tuple[str, str]:
    fed = [point.name for point in site.access_points if point.switch == alert.subject]
    there = known.answering.intersection(fed)
    if fed and len(there) == len(fed):
        return alert.summary, "Ses bornes répondent : seule son adresse d'administration est en cause."
    more = "La passerelle répond : courant de la baie, ou commutateur." if site.gateway.name in known.answering else ""
    return f"{alert.summary}{_behind(len(fed) - len(there), known)}", more


def _gateway(alert: Alert, _site: Site, known: Evidence) -> tuple[str, str]:
    return f"{alert.summary}{_behind(0, known)}", "Le lien répond : la passerelle elle-même est en cause."


def _quality(alert: Alert, site: Site, known: Evidence) -> tuple[str, str]:
    """Losses: too little light is something to clean, enough of it is the operator's."""
    for place, light in (("sur place", known.near), ("à l'autre bout", known.far)):
        if light.margin_db is not None and light.margin_db < 0:
            level = f"{_db(light.rx_dbm)} dBm, marge {_db(light.margin_db)} dB"
            return (
                f"Optique à nettoyer {place} : {site.title.fr}, {level}",
                "Le lien perd des paquets faute de lumière.",
            )
    lit = [light for light in (known.near, known.far) if light.margin_db is not None]
    return alert.summary, "La lumière est bonne : c'est chez l'opérateur." if lit else ""


def _visitor(alert: Alert, _site: Site, known: Evidence) -> tuple[str, str]:
    if not known.failing_step:
        return alert.summary, ""
    return f"{alert.summary} (étape {known.failing_step})", f"Première étape qui échoue : {known.failing_step}."


def _intruder(alert: Alert, _site: Site, known: Evidence) -> tuple[str, str]:
    if not known.intruders:
        return alert.summary, ""
    return (
        f"{alert.summary}, derrière {' ; '.join(known.intruders)}",
        "Fermer ce port, ou bloquer l'appareil à la borne.",
    )


WORDS = {
    "EquipementIndesirable": _intruder,
    "LienCoupe": _link,
    "CoupureSecteur": _mains,
    "CommutateurMuet": _switch,
    "PasserelleMuette": _gateway,
    "LienDegrade": _quality,
    "LienLent": _quality,
    "ErreursInterface": _quality,
    "VisiteurTestEnEchec": _visitor,
}
assert set(WORDS) <= set(alerts())  # noqa: S101 a name that is no alert would never be used


def _behind(points: int, known: Evidence) -> str:
    """How much hangs on it: access points, people.

    >>> _behind(6, Evidence(people=40)), _behind(1, Evidence(people=1)), _behind(0, Evidence())
    (', 6 bornes, env. 40 personnes', ', 1 borne, env. 1 personne', '')
    """
    said = f", {points} borne{'s' * (points > 1)}" if points else ""
    if known.people:
        said += f", env. {known.people} personne{'s' * (known.people > 1)}"
    return said


def _who(said: str, site: Site) -> str:
    call = f" {site.uplink.hotline}" if site.uplink.hotline else ""
    return f"{said}. {site.uplink.operator}, {site.uplink.contract}{call}"


def _db(value: float | None) -> str:
    return "?" if value is None else f"{value:.1f}".replace(".", ",")
