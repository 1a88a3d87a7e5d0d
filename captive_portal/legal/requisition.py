"""Answer within a case: two people, two shares, one question; everything journaled before anything is opened."""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from captive_portal.console.accounts import Account
from captive_portal.legal import answer_files, ceremony, reading, sealing
from captive_portal.legal.answer_files import Context
from captive_portal.legal.cases import Case, Cases
from captive_portal.legal.officers import Journal
from captive_portal.legal.search import (
    Answer,
    AtMoment,
    OfDevice,
    OfSession,
    Question,
    answers,
    communications,
    is_long,
)
from captive_portal.legal.segment import Store
from captive_portal.legal.timeline import Timeline
from captive_portal.legal.town_keys import TownKeys
from parvis.durable import write_whole


@dataclass(frozen=True, slots=True)
class Office:
    """Where requisitions are answered: the archive's folders, the town's keys, the journal."""

    folder: Path
    keys: Path
    cases: Cases
    journal: Journal
    public: TownKeys
    signer: bytes
    town: str
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Opened:
    """The holders' keys for this one question: from the shares of store A, and of B when communications are asked."""

    source: bytes
    traffic: bytes | None = None


def opened(public: TownKeys, shares: Sequence[str], traffic: Sequence[str] = ()) -> Opened:
    """The keys the holders' *shares* make; holders.WrongShares."""
    source = ceremony.opened(shares, public.stores[Store.SOURCE])
    return Opened(source, ceremony.opened(traffic, public.stores[Store.TRAFFIC]) if traffic else None)


def answer(
    office: Office, case: Case, question: Question, people: tuple[Account, Account], key: Opened
) -> dict[str, bytes]:
    """The files of the answer, also sealed into the case. search.Unlawful, cases.CaseError, reading.Erased."""
    question.check()
    case.allows(wide=is_long(question))
    for one in people:
        office.journal.note(one, "search", about=f"case {case.id}", why=case.basis, how="begun")
    first, last = question.window
    days = reading.days_of(first, last)
    lines = reading.timelines(office.folder, office.keys, days, key.source)
    rows = answers(question, lines)
    flows = None
    if key.traffic is not None:
        gateways = [one.gateway for one in lines]
        found = reading.traffic(office.folder, office.keys, days, key.traffic, gateways)
        boots = [(one.site, at) for one in lines for at in one.boots]
        flows = communications(rows, found, first, last, boots)
    notes = _notes(lines, rows, first, last)
    names = (people[0].name, people[1].name)
    about = Context(office.town, office.zone, case, told(question), notes, names, time.time())
    made = answer_files.files(rows, flows, about, office.signer)
    _keep(office, case, made)
    count = f"{len(rows)} rows" + ("" if flows is None else f", {len(flows)} communications")
    for one in people:
        office.journal.note(one, "search", about=f"case {case.id}", why=case.basis, how=count)
    return made


def told(question: Question) -> str:
    """A question in words."""
    match question:
        case AtMoment(address, port, second, tolerance):
            port_words = f", port {port}" if port is not None else ""
            return f"Adresse {address}{port_words}, le {_utc(second)}, à {tolerance} s près"
        case OfDevice(mac, first, last):
            return f"Adresse MAC {mac.text}, du {_utc(first)} au {_utc(last)}"
        case OfSession(site, number, day):
            return f"Session {number} du site {site}, le {_utc(day)[:10]}"


def _utc(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat()


def _notes(lines: Sequence[Timeline], rows: Sequence[Answer], first: int, last: int) -> list[str]:
    """What the reader must know: the clocks, and what was missed at the gateways of the answer about that time."""
    sites = {one.site for one in rows}
    notes = []
    for line in lines:
        if sites and line.site not in sites:
            continue
        offset = line.offset_at(last)
        if offset is None:
            notes.append(f"{line.site} : décalage d'horloge non mesuré.")
        else:
            words = "synchronisée" if offset[1] else "non synchronisée"
            notes.append(f"{line.site} : horloge {words}, décalage {offset[0]:.3f} ms.")
        notes += [f"{line.site} : {one}." for one in line.notes_about(first, last)]
    return notes


def _keep(office: Office, case: Case, made: dict[str, bytes]) -> None:
    """A copy in the case that only two holders can open."""
    number = len(list(office.cases.place(case.id).glob("answer-*.sealed"))) + 1
    packed = json.dumps({name: data.hex() for name, data in made.items()}).encode()
    name = f"answer-{number:03}"
    words = f"parvis case {case.id} {name}"
    sealed = sealing.seal(office.public.stores[Store.SOURCE], packed, words)
    write_whole(office.cases.place(case.id) / f"{name}.sealed", sealed)


def order_digest(path: Path) -> str:
    """The SHA-256 of the scanned order."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
