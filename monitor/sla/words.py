"""A report and an operator's ticket in French words: sections of tables, which pages, PDF and CSV all show. No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from monitor.sla.figures import Judged
from monitor.sla.outages import NOWHERE, Cause, Extent, Outage
from monitor.sla.report import Quantiles, Report
from parvis.inventory import Line, Site, Sla, Town

CAUSES = {
    Cause.PRESUMED: "opérateur (présumé)",
    Cause.OPERATOR: "opérateur",
    Cause.PLANNED: "travaux programmés",
    Cause.POWER: "électricité du site",
    Cause.LAN: "réseau du site",
    Cause.TOWN: "réseau central de la ville",
    Cause.THIRD_PARTY: "tiers",
    Cause.FORCE_MAJEURE: "force majeure",
}
EXTENTS = {Extent.TOTAL: "totale", Extent.PARTIAL: "partielle", Extent.MICRO: "micro-coupure"}
WHY_NOT = {"partial": "partielle", "micro": "micro-coupure", "late-notice": "annoncés trop tard : comptée"}
MEASURES = {"gtr": "GTR", "ims": "IMS", "availability": "disponibilité"}
FIGURES = {
    "rtt": ("Latence, médiane horaire", "ms"),
    "loss": ("Perte de paquets", "%"),
    "in": ("Débit reçu", "Mbit/s"),
    "out": ("Débit émis", "Mbit/s"),
    "rx": ("Lumière reçue", "dBm"),
}
NOT_MEASURED = "non mesuré"
NOT_PROMISED = "sans engagement"


@dataclass(frozen=True, slots=True)
class Section:
    """A table of the report: its title, its header, its rows; all rows as long as the header."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def title(report: Report) -> str:
    """What the report is called."""
    return f"Lien {report.site.uplink.name}, {report.site.title.fr} : {report.month:%m/%Y}"


def sections(report: Report, zone: ZoneInfo) -> list[Section]:
    """The whole report, in the order of reading."""
    return [
        Section("Le lien", ("Élément", "Valeur"), tuple(link(report.site))),
        Section("Les chiffres", ("Mesure", "Valeur", "Engagement", "Période"), tuple(_figures(report, zone))),
        Section("Coupures", _OUTAGE_HEADER, tuple(_outage(one, zone) for one in report.outages)),
        Section("Pénalités estimées", ("Mesure", "Coupure", "Part de l'abonnement", "Montant"), tuple(_owed(report))),
        Section("Mesures du mois", ("Mesure", "P5", "Médiane", "P95"), tuple(_quantiles(report))),
        Section("Annexe : preuves", ("Coupure", "Ce que l'on savait au début"), tuple(_proofs(report))),
    ]


def link(site: Site) -> list[tuple[str, str]]:
    """The link as its contract has it (FIB-01)."""
    uplink, line = site.uplink, site.uplink.line
    rows = [
        ("Site", site.title.fr),
        ("Opérateur", uplink.operator),
        ("Contrat", uplink.contract),
        ("Débit souscrit", f"{uplink.capacity / 1e6:.0f} Mbit/s"),
    ]
    return rows + (_line(line) if line else [])


def _line(line: Line) -> list[tuple[str, str]]:
    known = (
        ("Type", line.kind),
        ("Opérateur d'infrastructure", line.infrastructure_operator),
        ("Prise (PTO)", line.pto),
        ("Point de mutualisation", line.pm),
        ("Boîtier optique (ONT)", line.ont_serial),
        ("VLAN", str(line.vlan) if line.vlan else None),
    )
    return [(name, value) for name, value in known if value]


def _figures(report: Report, zone: ZoneInfo) -> list[tuple[str, str, str, str]]:
    line = report.site.uplink.line
    sla = line.sla if line and line.sla else Sla()
    month = f"{report.month:%m/%Y}" + (
        "" if report.until >= report.period[1] else f", arrêté au {at(report.until, zone)}"
    )
    year = f"{report.month:%Y}, au {at(report.until, zone)}"
    target = NOT_PROMISED if sla.availability is None else percent(sla.availability)
    by_year = sla.availability_period == "year"
    kept = f"{report.gtr_kept}/{report.gtr_judged}" if report.gtr_judged else "aucune coupure à juger"
    gtr = NOT_PROMISED if sla.gtr is None else spell(sla.gtr) + (" ouvrées" if sla.gtr_hours else " à toute heure")
    ims = NOT_PROMISED if sla.ims_year is None else f"{spell(sla.ims_year)} par an"
    felt, opened = report.felt, report.felt_open
    return [
        ("Disponibilité, contrat", percent(report.contract.ratio), "" if by_year else target, month),
        ("Disponibilité, contrat", percent(report.contract_year.ratio), target if by_year else "", year),
        ("Disponibilité vécue, 24 h/24", percent(felt.ratio), "", month),
        ("Disponibilité vécue, heures d'ouverture", percent(opened.ratio), "", month),
        ("Non mesuré", spell(felt.unmeasured), "", month),
        ("dont pendant une coupure", spell(report.unmeasured_outage), "", month),
        ("Coupures totales", str(len(report.total)), "", month),
        ("Micro-coupures", str(report.micro), "", month),
        ("Durée cumulée des coupures", spell(report.down_seconds), "", month),
        ("IMS consommée", spell(report.ims_used), ims, year),
        ("GTR tenue", kept, gtr, month),
        ("Temps moyen de rétablissement (MTTR)", _maybe(report.mttr), "", month),
        ("Temps moyen entre pannes (MTBF)", _maybe(report.mtbf), "", month),
        ("Réitérations à moins de 30 jours", str(len(report.repeated)), "", month),
    ]


_OUTAGE_HEADER = (
    "N°", "Étendue", "Détectée", "Confirmée", "Signalée (ticket)", "Rétablie (opérateur)", "Vérifiée", "Durée brute",
    "GTR décomptée", "GTR tenue", "Cause", "Comptée",
)  # fmt: skip


def _outage(one: Judged, zone: ZoneInfo) -> tuple[str, ...]:
    outage = one.outage
    kept = {None: "", True: "oui", False: "non"}[one.gtr_kept]
    ticket = f" ({outage.ticket})" if outage.ticket else ""
    return (
        str(outage.number),
        EXTENTS[one.extent],
        at(outage.detected_at, zone),
        at(outage.confirmed_at, zone),
        at(outage.signalled_at, zone) + ticket,
        at(outage.restored_at, zone),
        at(outage.verified_at, zone) or "en cours",
        spell(one.raw_seconds),
        "" if one.gtr_seconds is None else spell(one.gtr_seconds),
        kept,
        CAUSES[outage.cause],
        counted(one),
    )


def counted(one: Judged) -> str:
    """Whether an outage counts against the operator, and why not."""
    reason = one.attribution.reason
    if one.counts:
        return f"oui, {WHY_NOT[reason]}" if reason else "oui"
    return f"non, {WHY_NOT.get(reason) or CAUSES[Cause(reason)]}"


def _owed(report: Report) -> list[tuple[str, str, str, str]]:
    rows = [
        (
            MEASURES[one.measure],
            str(one.because) if one.because else "la période",
            f"{number(float(one.percent))} %",
            "abonnement inconnu" if one.euros is None else f"{number(float(one.euros), 2)} € HT",
        )
        for one in report.owed
    ]
    return rows or [("aucune", "", "", "")]


def _quantiles(report: Report) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for kind, (words, unit) in FIGURES.items():
        found: Quantiles | None = report.figures.get(kind)
        values = (NOT_MEASURED,) * 3 if found is None else tuple(f"{number(v, 1)} {unit}" for v in found)
        rows.append((words, *values))
    return rows


def _proofs(report: Report) -> list[tuple[str, str]]:
    rows = [(str(one.outage.number), proof(one.outage)) for one in report.outages]
    return rows or [("aucune", "")]


def proof(outage: Outage) -> str:
    """What was known when an outage began, freezes and the note."""
    parts = [f"{name} : {value}" for name, value in (outage.evidence or {}).items()]
    parts += [f"gel {spell(freeze.ends_at - freeze.starts_at)} ({freeze.why})" for freeze in outage.freezes]
    return " ; ".join([*parts, outage.note] if outage.note else parts)


def ticket(town: Town, site: Site, outage: Outage, now: float, zone: ZoneInfo) -> str:
    """The sheet to read to the operator, or to send: who, where, what, since when, what was tried, who is there."""
    line = site.uplink.line
    optics = (outage.evidence or {}).get("optics", "")
    rows = [
        ("Signalement", f"lien {EXTENTS[outage.extent(now)]} en panne depuis le {at(outage.detected_at, zone)}"),
        ("Client", f"{town.title.fr}, {town.contact.phone}"),
        *link(site),
        ("Hotline", site.uplink.hotline),
        ("Référence client", line.hotline_reference if line else None),
        ("Voyants attendus", _lights(optics)),
        ("Lumière reçue", f"{level} dBm" if (level := (outage.evidence or {}).get("rx_dbm")) else None),
        ("Essais faits", _trials(outage, site)),
        ("Ticket de l'opérateur", outage.ticket or "à noter : parvis sla signal"),
        ("Accès au site", line.access_hours if line else None),
        ("Contact sur place", line.site_contact if line else None),
        ("Escalade", ", puis ".join(line.escalation) if line else None),
        ("Engagement", _promise(line.sla) if line and line.sla else None),
    ]
    return "".join(f"{name} : {value}\n" for name, value in rows if value)


def _lights(optics: str) -> str:
    known = {"no_light": "LOS allumé ou PON éteint : plus de lumière", "ok": "PON fixe : la lumière arrive"}
    return known.get(optics, "à relever sur le boîtier : PON, LOS")


def _trials(outage: Outage, site: Site) -> str:
    known = outage.evidence or {}
    gateway = {"up": "répond", "down": "ne répond pas"}.get(known.get(site.gateway.name, ""), "inconnue")
    others = known.get("others_down", "")
    text = f"ping de l'extrémité du lien sans réponse, passerelle {gateway}"
    if NOWHERE in known:
        text = f"l'extrémité du lien répond, rien au-delà ne répond à la passerelle ({gateway})"
    return text + (f", autres liens de la ville en panne : {others}" if others else "")


def _promise(sla: Sla) -> str | None:
    parts = [f"GTI {spell(sla.gti)}"] if sla.gti else []
    if sla.gtr:
        parts.append(f"GTR {spell(sla.gtr)}" + (" ouvrées" if sla.gtr_hours else " à toute heure"))
    return ", ".join(parts) or None


def at(moment: float | None, zone: ZoneInfo) -> str:
    """Local day and time; empty for none."""
    return "" if moment is None else datetime.fromtimestamp(moment, zone).strftime("%d/%m/%Y %H:%M")


def percent(ratio: float | None) -> str:
    """Three decimals: at 99.85 % a month has 65 minutes.

    >>> percent(0.9985), percent(None)
    ('99,850 %', 'non mesuré')
    """
    return NOT_MEASURED if ratio is None else f"{number(ratio * 100, 3)} %"


def number(value: float, decimals: int | None = None) -> str:
    """A number as French writes it.

    >>> number(1234.5), number(2.0), number(2.0, 1)
    ('1234,5', '2', '2,0')
    """
    text = f"{value:.10g}" if decimals is None else f"{value:.{decimals}f}"
    return text.replace(".", ",")


def spell(seconds: float) -> str:
    """Hours and minutes; seconds below two minutes.

    >>> spell(14400), spell(5400), spell(45), spell(0)
    ('4 h', '1 h 30', '45 s', '0 min')
    """
    if 0 < seconds < 120:  # noqa: PLR2004 two minutes
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes:02d}" if minutes else f"{hours} h"


def _maybe(seconds: float | None) -> str:
    return "sans objet" if seconds is None else spell(seconds)


def table_rows(found: Sequence[Section]) -> list[tuple[str, ...]]:
    """All sections one after the other, for a spreadsheet."""
    rows: list[tuple[str, ...]] = []
    for section in found:
        rows += [(section.title,), section.header, *section.rows, ()]
    return rows
