"""The notice on personal data: every field of GDPR art. 13, and every kind of data with its term.

What is kept and why stands in the data inventory; the pages' catalogues translate its French.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from captive_portal.web.facts import Facts
from captive_portal.web.facts import Kept as Said
from captive_portal.web.wording import period, plain
from parvis.languages import Language

Say = Callable[[str], str]
PARTS: tuple[Literal["title"], Literal["what"], Literal["basis"]] = ("title", "what", "basis")
WHOLE: tuple[Literal["purpose"], Literal["categories"], Literal["recipients"]] = ("purpose", "categories", "recipients")


@dataclass(frozen=True, slots=True)
class Field:
    """One thing the law wants said; *id* is its anchor on the page."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Kept:
    """One kind of data: what, on which legal basis, how long."""

    title: str
    what: str
    basis: str
    kept: str


class Unsaid(ValueError):
    """A field of the notice is empty; the town's description must fill it."""


def fields(facts: Facts, language: Language, _: Say) -> list[Field]:
    """What art. 13 asks for; Unsaid when a field has nothing in it."""
    told = facts.data
    purpose, categories, recipients = (told[part] for part in WHOLE) if told else ("", "", "")
    found = [
        Field("responsable", _("Responsable"), f"{plain(facts.town, language)}, {facts.email}, {facts.phone}"),
        Field("dpo", _("Délégué à la protection des données"), facts.dpo),
        Field(
            "finalites",
            _("Pourquoi"),
            _(purpose),
        ),
        Field(
            "categories",
            _("Quelles données"),
            _(categories),
        ),
        Field("source", _("D'où elles viennent"), _("De votre appareil, quand il se connecte.")),
        Field(
            "destinataires",
            _("Pour qui"),
            _(recipients),
        ),
        Field("transferts", _("Hors de l'Union européenne"), _("Aucun transfert.")),
        Field("decision", _("Décision automatisée"), _("Aucune, ni profilage. Aucun cookie.")),
        Field(
            "obligation",
            _("Est-ce obligatoire"),
            _("Sans l'adresse technique, l'accès ne peut pas être ouvert. Une adresse aléatoire convient."),
        ),
        Field(
            "droits",
            _("Vos droits"),
            _(
                "Accès, rectification, limitation ; opposition pour ce qui relève de la mission d'intérêt public. Ni "
                "effacement ni opposition pour ce que la loi oblige à garder."
            ),
        ),
        Field("reclamation", _("Réclamation"), _("Auprès de la CNIL : www.cnil.fr.")),
    ]
    empty = [field.id for field in found if not field.text.strip(" ,")]
    if empty:
        raise Unsaid(f"the notice on personal data says nothing of {', '.join(empty)}")
    return found


def stores(facts: Facts, language: Language, _: Say) -> list[Kept]:
    """Every kind of data about residents that this service keeps, as the data inventory lists them."""
    found = []
    for one in facts.data["kinds"] if facts.data else []:
        title, what, basis = (_(one[part]) for part in PARTS)
        found.append(Kept(title, what, basis, _term(one, language, _)))
    return found


def _term(one: Said, language: Language, _: Say) -> str:
    words = one["kept"]
    return _(words) if words else period(one["seconds"], language)
