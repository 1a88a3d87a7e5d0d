"""The rows of wifi-public-sites and of wifi-public-disponibilite-mensuelle. No clock, no file."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from captive_portal.opendata.datasets import LICENCE, Row
from parvis.inventory import Site, Town
from parvis.inventory.places import CHILDREN
from parvis.settings import Frozen

State = Literal["Opérationnel", "Partiel", "Indisponible", "En maintenance", "Fermé (horaires)"]
ACCESS = {"indoor": "intérieur", "outdoor": "extérieur", "both": "intérieur et extérieur"}
NEARBY, EXACT = 3, 6
"""Decimals of a degree: about 100 m, where children are; about 10 cm."""
PARIS = {
    "id": "idpw",
    "nom_site": "nom_site",
    "adresse": "arc_adresse",
    "code_postal": "cp",
    "nombre_bornes": "nombre_de_borne_wifi",
    "etat": "etat2",
    "geo_point_2d": "geo_point_2d",
}
"""Our fields -> those of Paris' dataset sites-disposant-du-service-paris-wi-fi, for programs that read it."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How a site's service was found, and when (UTC)."""

    state: State
    at: datetime


class SaidState(Frozen):
    """One site's state, as another program tells it: a JSON object by site's name."""

    etat: State
    date_etat: AwareDatetime


class SaidMonth(Frozen):
    """One line of the availability file, a JSON list: a site's month as the monitor measured it."""

    month: Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
    site: str
    availability_pct: Annotated[float, Field(ge=0, le=100)]
    incidents: Annotated[int, Field(ge=0)]
    mttr_minutes: Annotated[float, Field(ge=0)] | None = None


def sites_rows(town: Town, seen: Mapping[str, Seen]) -> list[Row]:
    """A row a site; a site nobody has *seen* has no state."""
    return [_row(town, site, seen.get(site.site)) for site in town.sites]


def _row(town: Town, site: Site, seen: Seen | None) -> Row:
    here, data = site.location, town.open_data
    return {
        "id": site.site,
        "nom_site": site.title.fr,
        "adresse": here.address if here else None,
        "code_postal": here.postcode if here else None,
        "code_insee": data.insee if data else None,
        "commune": data.commune if data else None,
        "nombre_bornes": len(site.access_points),
        "etat": seen.state if seen else None,
        "date_etat": seen.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seen else None,
        "ssid": town.network_name,
        "acces": ACCESS[here.access] if here else None,
        "horaires": site.opening_hours,
        "pmr": here.step_free if here else None,
        "generation_wifi": here.wifi if here else None,
        "geo_point_2d": place(site),
        "licence": LICENCE,
    }


def place(site: Site) -> tuple[float, float] | None:
    """Latitude and longitude as they are published: where children are, the neighbourhood only (ODA-04)."""
    if site.location is None:
        return None
    digits = NEARBY if site.kind in CHILDREN else EXACT
    return round(site.location.latitude, digits), round(site.location.longitude, digits)


def under_paris_names(rows: Iterable[Row]) -> list[Row]:
    """The same sites with the names of Paris' dataset."""
    return [{theirs: row[ours] for ours, theirs in PARIS.items()} for row in rows]


def availability_rows(said: Iterable[SaidMonth]) -> list[Row]:
    """A row a site and month, in order."""
    rows = []
    for one in sorted(said, key=lambda line: (line.month, line.site)):
        figures = {"disponibilite_pct": round(one.availability_pct, 2), "nb_incidents": one.incidents}
        mttr = None if one.mttr_minutes is None else round(one.mttr_minutes, 1)
        rows.append({"mois": one.month, "id_site": one.site, **figures, "mttr_min": mttr})
    return rows
