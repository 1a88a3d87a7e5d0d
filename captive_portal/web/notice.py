"""The notice on personal data: every field of GDPR art. 13, and every place where data are kept, with its term."""

from collections.abc import Callable
from dataclasses import dataclass

from captive_portal.web.facts import Facts
from captive_portal.web.wording import duration, plain
from parvis.languages import Language

Say = Callable[[str], str]


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
    found = [
        Field("responsable", _("Responsable"), f"{plain(facts.town, language)}, {facts.email}, {facts.phone}"),
        Field("dpo", _("Délégué à la protection des données"), facts.dpo),
        Field(
            "finalites",
            _("Pourquoi"),
            _(
                "Ouvrir et fermer l'accès de votre appareil, montrer que les conditions ont été acceptées, répondre à"
                " la justice quand la loi l'impose, protéger le réseau."
            ),
        ),
        Field(
            "categories",
            _("Quelles données"),
            _(
                "L'adresse technique (MAC) de votre appareil, ses adresses IP, les heures de connexion, le lieu, la "
                "version et la langue des conditions. Jamais votre nom, ni les contenus, ni les sites visités."
            ),
        ),
        Field("source", _("D'où elles viennent"), _("De votre appareil, quand il se connecte.")),
        Field(
            "destinataires",
            _("Pour qui"),
            _(
                "Les agents habilités de la ville et ses prestataires de maintenance ; les autorités judiciaires, sur"
                " demande."
            ),
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
    """Every kind of data this service keeps."""
    service = _("mission d'intérêt public (RGPD, art. 6.1.e)")
    found = [
        Kept(
            _("Connexion en cours"),
            _("Adresse MAC, adresses IP le temps du bail, lieu, heures."),
            service,
            _("Jusqu'à la fin de la connexion."),
        ),
        Kept(
            _("Preuve d'acceptation"),
            _(
                "Version, langue et empreinte des conditions, heure, lieu. L'adresse MAC en est retirée à la fin de "
                "la connexion."
            ),
            service,
            _("Un an."),
        ),
        Kept(
            _("Données imposées par la loi"),
            _("De quoi retrouver l'appareil à l'origine d'une connexion, pour la justice seulement."),
            _("obligation légale (RGPD, art. 6.1.c ; CPCE, art. L. 34-1)"),
            _("Un an, puis effacement."),
        ),
        Kept(
            _("Suivi du jour"),
            _("Les étapes de la connexion, sous un code qui change chaque jour, pour vous dépanner."),
            service,
            _("Jusqu'à minuit, en mémoire seulement."),
        ),
    ]
    if facts.remember:
        known = _("Une empreinte de l'adresse MAC, d'où l'adresse ne peut pas être retrouvée sans la clé de la ville.")
        found.append(Kept(_("Appareil reconnu"), known, service, duration(facts.remember, language)))
    return found
