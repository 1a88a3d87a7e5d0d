"""An answer as CSV and PDF: method, clock, both times, a SHA-256, and a signature that openssl(1) checks."""

import csv
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from zoneinfo import ZoneInfo

from captive_portal.legal import sealing
from captive_portal.legal.cases import BASES, Case
from captive_portal.legal.conntrack import Flow
from captive_portal.legal.search import Answer

COLUMNS = (
    "site", "session", "mac", "adresse_privee", "adresse_publique", "ports", "debut_utc", "debut_local", "fin_utc",
    "fin_local", "conditions", "certain",
)  # fmt: skip
TRAFFIC = ("session", "adresse_privee", "port", "protocole", "destinataire", "port_destinataire", "debut_utc",
           "debut_local", "fin_utc", "fin_local", "fin_connue")  # fmt: skip
METHOD = (
    "Chaque adresse privée a, sur l'adresse publique du site, un bloc de ports qui n'est qu'à elle (NAT déterministe, "
    "RFC 7422) : adresse publique, port et instant désignent une adresse privée. Le noyau du routeur annonce les baux "
    "et les sessions ; ils sont enregistrés, scellés et chaînés (SHA-256) au moment où ils changent. L'adresse MAC est "
    "celle que l'équipement a montrée ; elle peut être aléatoire, et n'est pas une personne. « certain : non » : "
    "l'enregistreur ne fonctionnait pas à la fin, qui est au plus tard à l'instant indiqué, ou l'horloge du routeur a "
    "été réglée entre-temps : la ligne est alors donnée selon l'une et l'autre heure ; ou l'enregistrement s'arrête "
    "avant l'instant demandé. Les remarques le disent. « fin_connue : non » : la communication durait encore à "
    "l'instant indiqué, le dernier où elle a été vue ; sa fin n'a pas pu être enregistrée (coupure de courant)."
)
CHECK = "openssl pkeyutl -verify -pubin -inkey ville.pem -rawin -in reponse.csv -sigfile reponse.csv.sig"
COST = "Les surcoûts identifiables sont remboursés (CPCE R.10-13 VI, CPP R.213-1)."
PROTOCOLS = {1: "ICMP", 6: "TCP", 17: "UDP", 58: "ICMPv6"}


@dataclass(frozen=True, slots=True)
class Context:
    """What stands beside the rows: the case, the question and the remarks in words, who acted, and when (Unix)."""

    town: str
    zone: ZoneInfo
    case: Case
    question: str
    notes: Sequence[str]
    people: tuple[str, str]
    at: float


def as_csv(rows: Iterable[Answer], zone: ZoneInfo) -> bytes:
    """The rows, semicolons, as French spreadsheets read them."""
    out = StringIO()
    write = csv.writer(out, delimiter=";", lineterminator="\n").writerow
    write(COLUMNS)
    for one in rows:
        times = (*_both(one.begin, zone), *_both(one.end, zone))
        facts = (one.site, one.session, one.mac, one.private, one.public, one.ports)
        write((*facts, *times, one.terms, "oui" if one.certain else "non"))
    return out.getvalue().encode()


def traffic_csv(flows: Iterable[Flow], zone: ZoneInfo) -> bytes:
    """The communications."""
    out = StringIO()
    write = csv.writer(out, delimiter=";", lineterminator="\n").writerow
    write(TRAFFIC)
    for one in flows:
        times = (*_both(one.start // 1_000_000 or None, zone), *_both(one.stop // 1_000_000, zone))
        protocol = PROTOCOLS.get(one.protocol, str(one.protocol))
        write((one.mark, one.source, one.sport, protocol, one.target, one.tport, *times, "non" if one.open else "oui"))
    return out.getvalue().encode()


def as_pdf(rows: Sequence[Answer], flows: int, about: Context, digest: str, signer: bytes) -> bytes:
    """The sheet that goes with the CSV."""
    from fpdf import FPDF  # noqa: PLC0415 for this file only

    page = FPDF(format="A4")
    page.set_lang("fr")
    page.set_title(f"Dossier {about.case.id}")
    page.set_creation_date(datetime.fromtimestamp(about.at, UTC))
    page.add_page()
    page.set_font("Helvetica", style="B", size=14)
    page.multi_cell(0, text=_latin(f"{about.town} : réponse, dossier {about.case.id}"), new_x="LMARGIN", new_y="NEXT")
    page.set_font("Helvetica", size=10)
    for name, text in _facts(about, len(rows), flows, digest, signer):
        page.set_font("Helvetica", style="B", size=10)
        page.multi_cell(0, text=_latin(name), new_x="LMARGIN", new_y="NEXT")
        page.set_font("Helvetica", size=10)
        page.multi_cell(0, text=_latin(text), new_x="LMARGIN", new_y="NEXT")
    for one in rows:
        page.ln(3)
        with page.table(col_widths=(35, 65), first_row_as_headings=False) as table:
            for name, text in _row(one, about.zone):
                table.row([_latin(name), _latin(text)])
    return bytes(page.output())


def _facts(about: Context, rows: int, flows: int, digest: str, signer: bytes) -> list[tuple[str, str]]:
    case = about.case
    found = f"{rows} ligne(s)" + (f", {flows} communication(s) dans trafic.csv" if flows else "")
    made = " / ".join(_both(int(about.at * 1000), about.zone))
    return [
        ("Autorité", case.authority),
        ("Base légale", f"{case.basis} ({BASES[case.basis]})"),
        ("Référence", f"{case.reference}, du {case.dated} ; SHA-256 de l'ordre : {case.order_sha256}"),
        ("Question", about.question),
        ("Réponse", found if rows else "Aucune donnée ne correspond."),
        ("Méthode", METHOD),
        ("Horloge et remarques", " ".join(about.notes) or "Aucune remarque."),
        ("Établi par", f"{about.people[0]} et {about.people[1]}, {made}"),
        ("SHA-256 de reponse.csv", digest),
        ("Signature", f"Ed25519, clé {sealing.fingerprint(signer)} ; {CHECK}"),
        ("Frais", COST),
    ]


def _row(one: Answer, zone: ZoneInfo) -> list[tuple[str, str]]:
    return [
        ("Site, session", f"{one.site}, {one.session}"),
        ("Adresse MAC", one.mac),
        ("Adresse privée", one.private),
        ("Adresse publique, ports", f"{one.public} {one.ports}".strip()),
        ("Début", " / ".join(_both(one.begin, zone))),
        ("Fin", " / ".join(_both(one.end, zone)) if one.end is not None else "en cours à la fin des données lues"),
        ("Conditions acceptées", one.terms or "version non notée"),
        ("Certain", "oui" if one.certain else "non : voir les remarques"),
    ]


def _both(milliseconds: int | None, zone: ZoneInfo) -> tuple[str, str]:
    """A moment in UTC and in the town's time; empty when there is none."""
    if milliseconds is None:
        return "", ""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds"), moment.astimezone(zone).isoformat(timespec="milliseconds")


def files(rows: Sequence[Answer], flows: Sequence[Flow] | None, about: Context, signer: bytes) -> dict[str, bytes]:
    """Every file of the answer, by name; *signer* is the town's private key."""
    table = as_csv(rows, about.zone)
    public = sealing.signer_public(signer)
    made = {"reponse.csv": table}
    if flows is not None:
        made["trafic.csv"] = traffic_csv(flows, about.zone)
    made["reponse.pdf"] = as_pdf(rows, len(flows or ()), about, hashlib.sha256(table).hexdigest(), public)
    signatures = {f"{name}.sig": sealing.sign(signer, data) for name, data in made.items()}
    return {**made, **signatures, "ville.pem": sealing.signer_pem(public).encode()}


def _latin(text: str) -> str:
    """The built-in fonts hold Latin-1."""
    return text.replace("\u2019", "'").encode("latin-1", "replace").decode("latin-1")
