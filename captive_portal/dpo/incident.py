"""An incident as the law wants it told: the five parameters of CPCE D.98-5 III, and who must know by when. No I/O."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, model_validator

from captive_portal.dpo.duties import Authority, duties
from parvis.inventory import Town
from parvis.settings import Frozen

Degree = Literal["total", "partial", "none"]
NAMES: Mapping[Authority, str] = {
    "cnil": "CNIL, notification initiale",
    "cnil-complement": "CNIL, notification complète",
    "interior": "Ministère de l'Intérieur",
    "anssi": "ANSSI",
    "residents": "Habitants concernés",
}
DEGREES: Mapping[Degree, str] = {"total": "service interrompu", "partial": "service dégradé", "none": "service intact"}


class Incident(Frozen):
    """One incident. *aware*: when the town knew, from which the clocks run; *users* None: not known yet."""

    number: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{3}$")]
    title: Annotated[str, Field(min_length=3, max_length=200)]
    began: AwareDatetime
    aware: AwareDatetime
    ended: AwareDatetime | None = None
    sites: tuple[str, ...] = Field(min_length=1)
    users: Annotated[int, Field(ge=0)] | None = None
    degree: Degree
    impact: Annotated[str, Field(min_length=3, max_length=2000)]
    measures: Annotated[str, Field(max_length=2000)] = ""
    personal_data: bool = False
    high_risk: bool = False
    """For the people concerned: then they are told too (GDPR art. 34)."""
    cyber: bool = False
    told: dict[Authority, AwareDatetime] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _in_order(self) -> "Incident":
        if self.aware < self.began:
            raise ValueError("the town cannot know before it begins; check --began and --aware")
        if self.ended and self.ended < self.began:
            raise ValueError("it cannot end before it begins; check --ended")
        return self


@dataclass(frozen=True, slots=True)
class Clock:
    """Who must be told, by when; *told*: when that was done."""

    authority: Authority
    until: datetime
    told: datetime | None

    def says(self, now: datetime) -> str:
        """How it stands, French."""
        if self.told:
            return f"fait le {_at(self.told)}" + (", en retard" if self.told > self.until else "")
        hours = (self.until - now).total_seconds() / 3600
        return f"avant le {_at(self.until)} : " + (
            f"reste {hours:.0f} h" if hours >= 0 else f"EN RETARD de {-hours:.0f} h"
        )


def clocks(incident: Incident) -> list[Clock]:
    """Every authority that this incident concerns."""
    due = duties(
        personal_data=incident.personal_data,
        high_risk=incident.high_risk,
        cyber=incident.cyber,
        degree=incident.degree,
    )
    return [Clock(who, incident.aware + time, incident.told.get(who)) for who, time in due.items()]


def late(incident: Incident, now: datetime) -> list[Clock]:
    """The clocks that have run out untold."""
    return [clock for clock in clocks(incident) if clock.told is None and clock.until < now]


def parameters(incident: Incident, town: Town, now: datetime) -> dict[str, str]:
    """The five parameters of D.98-5 III, in words. KeyError for a site the town does not have."""
    seconds = int(((incident.ended or now) - incident.began).total_seconds())
    going = "" if incident.ended else ", en cours"
    places = ", ".join(town.site(name).title.fr for name in incident.sites)
    return {
        "Utilisateurs touchés": "pas encore connu" if incident.users is None else str(incident.users),
        "Durée": f"{seconds // 3600} h {seconds % 3600 // 60:02} min{going}",
        "Zone": f"{len(incident.sites)} lieu(x) sur {len(town.sites)} : {places}",
        "Degré de perturbation": DEGREES[incident.degree],
        "Conséquences": incident.impact,
    }


def notice(incident: Incident, town: Town, now: datetime) -> str:
    """The notice to send, filled in as far as the record goes."""
    return "\n".join(_notice(incident, town, now)) + "\n"


def _notice(incident: Incident, town: Town, now: datetime) -> Iterator[str]:
    siret = f", SIRET {town.legal.siret}" if town.legal else ""
    yield f"Notification d'incident n° {incident.number} : {incident.title}"
    yield ""
    yield f"Déclarant : {town.title.fr}{siret}, opérateur d'un Wi-Fi public gratuit (CPCE, art. L. 34-1 II)"
    yield f"Contact : {town.contact.email}, {town.contact.phone}"
    if town.legal:
        yield f"Délégué à la protection des données : {town.legal.dpo}"
    yield ""
    yield f"Début : {_at(incident.began)}. Connaissance : {_at(incident.aware)}. " + (
        f"Fin : {_at(incident.ended)}." if incident.ended else "En cours."
    )
    yield from (f"{name} : {said}" for name, said in parameters(incident, town, now).items())
    yield f"Incident d'origine cyber : {_yes(incident.cyber)}"
    yield f"Violation de données personnelles : {_yes(incident.personal_data)}"
    yield f"Mesures prises : {incident.measures or 'à compléter'}"
    yield ""
    yield "Échéances"
    yield from (f"- {NAMES[clock.authority]} : {clock.says(now)}" for clock in clocks(incident))


def _at(moment: datetime) -> str:
    return f"{moment:%d/%m/%Y %H:%M %Z}".rstrip()


def _yes(true: bool) -> str:
    return "oui" if true else "non"
