"""Why an alert is there, or is not, and why somebody was called for it, or nobody: everything in one place. No I/O.

The rule, the raw values and what becomes of them, the last samples, the path, the state, the messages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitor.checks import OF_KIND, Verdict
from monitor.exposition import Figure
from monitor.findings import Finding
from monitor.incidents import CALLING
from monitor.oncall import DAY, by_day
from monitor.targets import Kind, targets
from parvis.alerts import Alert, alerts, filled, labelled
from parvis.catalogue import metrics
from parvis.inventory import Site, Town
from parvis.recordings import recorded_in
from parvis.runbooks import runbook

Row = tuple[str, str]
SAMPLES = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """Which alert: *name*, and of what, where it is of something."""

    name: str
    site: str = ""
    subject: str = ""

    @property
    def identity(self) -> str:
        """As incidents name it."""
        return f"{self.name}/{self.site}/{self.subject}"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known: the newest *findings*, what the *collectors* say of the subject, its last *samples* by series.

    *verdict*: the monitor's own check. *beats*: whether Prometheus does. *incident*, *alert*, *messages*: as they are
    written, None and empty where there is nothing. *duty*: the title of who is on duty, empty for nobody.
    """

    findings: Sequence[Finding]
    collectors: Sequence[Figure]
    samples: Mapping[str, Sequence[tuple[float, float]]]
    verdict: Verdict | None
    beats: bool
    incident: Mapping[str, Any] | None
    alert: Mapping[str, Any] | None
    messages: Sequence[Mapping[str, Any]]
    duty: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the explanation: a title and its rows, in French."""

    title: str
    rows: tuple[Row, ...]


def asked(town: Town, name: str, site: str = "", subject: str = "") -> Asked:
    """The alert that is meant; KeyError for a name there is none of. A subject alone tells its site."""
    rule = alerts()[name]
    if subject and not site:
        site = next((one.site for one in town.sites if subject in _names(one)), "")
    if site and not subject and rule.layer == "uplink":
        subject = town.site(site).uplink.name
    if site and not subject and rule.layer == "gateway" and name in OF_KIND.values():
        subject = town.site(site).gateway.name
    return Asked(name, site, subject)


def explanation(town: Town, what: Asked, known: Known) -> list[Part]:
    """Everything about *what*, in the order in which one would ask."""
    rule = alerts()[what.name]
    site = town.site(what.site) if what.site else None
    return [
        Part("La règle", tuple(_rule(town, rule, site, what))),
        Part("Le chemin", tuple(_path(town, what, known))),
        Part("L'état vu par le moniteur", tuple(_state(what, known))),
        Part("Ce que disent les collecteurs", tuple(_raw(rule, known))),
        Part("Derniers échantillons", tuple(_samples(known))),
        Part("L'incident et les messages", tuple(_messages(known))),
        Part("Pourquoi on appelle, ou pas", tuple(("", text) for text in reasons(rule, site, what, known))),
    ]


def reasons(rule: Alert, site: Site | None, what: Asked, known: Known) -> list[str]:
    """Why somebody was called, or nobody, in sentences; the first is what decides."""
    finding = _finding(what, known)
    severity = rule.severity_at(site.site_class if site else "A")
    found = []
    if finding is not None and finding.planned:
        found.append(f"Travaux annoncés ({finding.planned}) : personne n'est appelé.")
    if finding is not None and finding.cause:
        found.append(f"La cause est ailleurs : derrière {finding.cause}, c'est cet incident-là qui appelle.")
    if known.alert is None:
        found.append(_not_there(rule, known))
    elif known.alert["ended_at"] is not None:
        found.append("L'alerte est finie.")
    if known.incident is not None:
        found += _of_incident(known, severity)
    elif severity not in CALLING:
        found.append("De cette gravité (ticket) on n'appelle personne : c'est pour les heures de bureau.")
    if not known.duty:
        found.append("Personne n'est d'astreinte à cette heure.")
    return found


def _not_there(rule: Alert, known: Known) -> str:
    verdict = known.verdict
    if verdict is not None and verdict.wrong and not verdict.firing and verdict.since is not None:
        left = rule.for_ - (known.now.timestamp() - verdict.since)
        return f"Vrai, mais pas depuis assez longtemps : encore {max(0.0, left):.0f} s sur {rule.for_:.0f} s."
    if verdict is not None and verdict.firing and known.beats:
        return "Le moniteur la voit, Prometheus pas encore : tant qu'il bat, c'est lui qui appelle."
    if verdict is not None and verdict.wrong is None:
        return "Le moniteur ne peut pas le dire : ce qui n'est pas mesuré n'accuse personne."
    return "L'alerte n'est pas levée : sa condition n'est pas vraie, ou ne l'est plus."


def _of_incident(known: Known, severity: str) -> list[str]:
    row, found = known.incident or {}, []
    said = {
        "acknowledged": "L'incident est pris en charge : plus personne n'est appelé.",
        "snoozed": "L'incident est reporté au matin.",
        "resolved": "L'incident est résolu.",
        "closed": "L'incident est clos.",
    }
    worst = str(row.get("severity", severity))
    if worst not in CALLING:
        found.append("De cette gravité (ticket) on n'appelle personne : c'est pour les heures de bureau.")
    elif worst == "page-jour" and not by_day(known.now):
        found.append(f"La nuit, cette gravité attend {DAY[0]:%H:%M} : le lieu n'est pas de classe A.")
    if str(row.get("state")) in said:
        found.append(said[str(row["state"])])
    calls = [one for one in known.messages if one["kind"] == "call"]
    if any(one["state"] == "folded" for one in calls):
        found.append("Trop de messages en peu de temps : le reste a été dit en un seul résumé.")
    if calls:
        many = "s" if len(calls) > 1 else ""
        found.append(f"{len(calls)} appel{many} : le premier à {calls[0]['title']}, {calls[0]['words']}.")
    elif worst in CALLING and row.get("state") == "open":
        found.append("Aucun appel n'a encore été fait.")
    return found


def _rule(town: Town, rule: Alert, site: Site | None, what: Asked) -> list[Row]:
    definition = metrics().get(rule.metric or "")
    severity = rule.severity_at(site.site_class if site else "A")
    rows = [
        ("Alerte", what.name),
        ("Gravité", severity + (f" (lieu de classe {site.site_class})" if site else "")),
        ("Couche", rule.layer),
        ("Condition (PromQL)", rule.promql(site)),
        ("Vraie depuis au moins", f"{rule.for_:.0f} s, puis gardée {rule.keep:.0f} s"),
        ("Résumé", filled(labelled(rule.summary, {"device": what.subject}), town, site)),
        ("Conséquence", filled(rule.impact, town, site)),
        ("Que faire", runbook(what.name)),
    ]
    recorded = recorded_in(rule.promql(site))
    rows += [(one.name, f"calculé toutes les {one.every / 60:.0f} min : {one.expr}") for one in recorded]
    if definition is not None:
        rows.append(("Mesure", f"{definition.name} ({definition.unit}) : {definition.help}"))
    return rows


def _path(town: Town, what: Asked, known: Known) -> list[Row]:
    target = next((one for one in targets(town) if one.name == what.subject), None)
    if target is None:
        return [("", "aucun équipement en particulier")]
    by_name = {finding.target.name: finding for finding in known.findings}
    names = [*reversed(target.parents), what.subject]
    return [(name, _told(by_name[name]) if name in by_name else "inconnu") for name in names]


def _told(finding: Finding) -> str:
    return f"{finding.state.value} ({finding.reason.value})"


def _state(what: Asked, known: Known) -> list[Row]:
    finding, verdict = _finding(what, known), known.verdict
    rows: list[Row] = []
    if finding is not None:
        latch = finding.answers
        rows += [
            ("État", _told(finding)),
            ("Depuis", _clock(finding.since, known)),
            ("Répond", {True: "oui", False: "non", None: "inconnu"}[latch.value]),
            (
                "En train de changer",
                f"{latch.streak} tour{'s' if latch.streak > 1 else ''} dans l'autre sens" if latch.streak else "non",
            ),
            ("Instabilité (Zino)", f"{finding.flap.value:.0f}, instable" if finding.flap.flapping else "calme"),
        ]
        rows += [("Premier écho manquant", _clock(finding.silent_since, known))] if finding.silent_since else []
        rows += [("Perte", f"{finding.loss_ratio * 100:.0f} %")] if finding.loss_ratio is not None else []
        rows += [("Latence médiane", f"{finding.rtt_seconds * 1000:.1f} ms")] if finding.rtt_seconds is not None else []
    if verdict is not None:
        words = {True: "faux : alerte", False: "tout va bien", None: "ne peut pas dire"}[verdict.wrong]
        rows.append(("Contrôle du moniteur", words + (", levée" if verdict.firing else "")))
    rows.append(("Prometheus", "bat" if known.beats else "ne bat pas : le moniteur appelle lui-même"))
    return rows


def _raw(rule: Alert, known: Known) -> list[Row]:
    text = f"{rule.metric or ''} {rule.expr or ''}"
    wanted = [one for one in known.collectors if one.metric in text]
    rows = [(_series(one), f"{one.value:g}") for one in wanted[:SAMPLES]]
    return rows or [("", "rien sur cette mesure ; valeurs brutes et conversion : parvis explain, en ligne de commande")]


def _series(figure: Figure) -> str:
    labels = ", ".join(f"{key}={value}" for key, value in figure.labels.items() if key not in {"town", "site"})
    return f"{figure.metric} ({labels})"


def _samples(known: Known) -> list[Row]:
    rows = []
    for name, found in known.samples.items():
        values = ", ".join(f"{_clock(at, known)} {value:.4g}" for at, value in list(found)[-SAMPLES:])
        rows.append((name, values or "aucun"))
    return rows or [("", "aucune série pour ce sujet")]


def _messages(known: Known) -> list[Row]:
    if known.incident is None:
        return [("", "aucun incident")]
    row = known.incident
    rows = [(f"Incident {row['number']}", f"{row['state']}, ouvert à {_clock(row['opened_at'], known)}")]
    return rows + [
        (f"{one['kind']} à {one['title']}", f"{_clock(one['made_at'], known)}, {one['words']}")
        for one in known.messages
    ]


def _finding(what: Asked, known: Known) -> Finding | None:
    return next((one for one in known.findings if one.target.name == what.subject), None)


def _clock(at: float, known: Known) -> str:
    return datetime.fromtimestamp(at, known.now.tzinfo).strftime("%d/%m %H:%M:%S")


def _names(site: Site) -> set[str]:
    switches, points = ({device.name for device in some} for some in (site.switches, site.access_points))
    return switches | points | {site.gateway.name, site.uplink.name}


def subjects(town: Town, name: str) -> list[Asked]:
    """What an alert of this name can be of: each site, or each device of its kind; KeyError."""
    rule = alerts()[name]
    kind = next((kind for kind, called in OF_KIND.items() if called == name), None)
    if rule.scope == "town":
        return [Asked(name)]
    if kind in (Kind.ACCESS_POINT, Kind.SWITCH):
        every = (
            (s, d.name) for s in town.sites for d in (s.access_points if kind is Kind.ACCESS_POINT else s.switches)
        )
        return [Asked(name, site.site, device) for site, device in every]
    return [asked(town, name, site.site) for site in town.sites]
