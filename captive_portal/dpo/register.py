"""The register of processing activities (GDPR art. 30) and the light impact assessment (art. 35). No I/O."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from io import StringIO

from jinja2 import Environment, PackageLoader, StrictUndefined

from parvis.data_inventory import DataInventory, Kind
from parvis.inventory import Town

NO_TRANSFER = "Aucun hors de l'Union européenne"


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of data of one processing, as the register has it. French, as the register is."""

    processing: str
    purpose: str
    kind: str
    basis: str
    people: str
    categories: str
    kept: str
    recipients: str
    readers: str
    transfers: str
    measures: str
    controller: str
    dpo: str


HEAD = {
    "processing": "Traitement",
    "purpose": "Finalité",
    "kind": "Données",
    "basis": "Base légale",
    "people": "Personnes concernées",
    "categories": "Catégories",
    "kept": "Conservation",
    "recipients": "Destinataires",
    "readers": "Qui peut lire",
    "transfers": "Transferts",
    "measures": "Mesures de sécurité",
    "controller": "Responsable du traitement",
    "dpo": "Délégué à la protection des données",
}


def lines(inventory: DataInventory, town: Town) -> Iterator[Line]:
    """Every kind of data, by processing."""
    address = f", {town.legal.address}, SIRET {town.legal.siret}" if town.legal else ""
    controller, dpo = f"{town.title.fr}{address}", town.legal.dpo if town.legal else town.contact.email
    for name, processing in inventory.processings.items():
        for kind in inventory.of(name).values():
            yield Line(
                processing=processing.title,
                purpose=processing.purpose,
                kind=kind.title,
                basis=inventory.bases[kind.basis],
                people=processing.people,
                categories=processing.categories,
                kept=kept(kind),
                recipients=processing.recipients,
                readers=kind.readers,
                transfers=NO_TRANSFER,
                measures=" ; ".join(processing.measures),
                controller=controller,
                dpo=dpo,
            )


def kept(kind: Kind) -> str:
    """How long, in words.

    >>> from parvis.data_inventory import data_inventory
    >>> kept(data_inventory().kinds["acceptance-proof"])
    '365 jours après : la fin de la connexion'
    """
    if kind.days is None:
        return f"Jusqu'à : {kind.since}"
    return f"{kind.days} jours après : {kind.since}" if kind.days else f"Au plus 24 heures après : {kind.since}"


def as_csv(rows: list[Line]) -> str:
    """Semicolons, as French spreadsheets read it."""
    out = StringIO()
    write = csv.writer(out, delimiter=";").writerow
    write(HEAD.values())
    for row in rows:
        write([getattr(row, name) for name in HEAD])
    return out.getvalue()


def as_html(inventory: DataInventory, town: Town, today: str) -> str:
    """The register as one page."""
    return _rendered("register.html", inventory, town, today)


def assessment(inventory: DataInventory, town: Town, today: str) -> str:
    """The light impact assessment (GDPR art. 35): what is done, why it is needed, the risks, what is left of them."""
    return _rendered("assessment.html", inventory, town, today)


def _rendered(name: str, inventory: DataInventory, town: Town, today: str) -> str:
    found = list(lines(inventory, town))
    page = _templates().get_template(name)
    return page.render(inventory=inventory, lines=found, head=HEAD, town=town.title.fr, today=today, kept=kept)


@cache
def _templates() -> Environment:
    loader = PackageLoader("captive_portal", "dpo/templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
