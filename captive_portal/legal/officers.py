"""Who is at the keyboard, whether the law lets them, and that each has read what secrecy costs. All is journaled.

Two named people with a password and a code from the phone: nobody answers a requisition alone.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from captive_portal.console.accounts import Account, Accounts
from captive_portal.console.audit import Audit, Entry
from captive_portal.console.roles import Role
from parvis.durable import write_whole

NOTICE_VERSION = "2026-11"
NOTICE = """\
SECRET DES CORRESPONDANCES (article D.98-5 I du code des postes et des communications électroniques)

Vous allez pouvoir lire des données relatives aux communications d'habitants. La loi les protège :
- article L.32-3 CPCE : l'opérateur et son personnel respectent le secret des correspondances ;
- article 226-13 du code pénal : révéler une information secrète est puni d'un an d'emprisonnement et de 15 000 euros ;
- article 226-15 : ouvrir, détourner ou divulguer une correspondance, d'un an et de 45 000 euros ;
- article 432-9 : pour un agent public, de trois ans et de 45 000 euros.
Toute lecture est journalisée et revue par le délégué à la protection des données. Lire sans dossier est un délit.
"""


class Refused(Exception):
    """403: this person may not do that; it is in the journal."""


@dataclass(frozen=True, slots=True)
class Journal:
    """Who read what, when, in which case: only ever appended to, each line with the hash of the one before."""

    audit: Audit

    def note(self, who: Account | str, did: str, about: str = "", why: str = "", how: str = "") -> None:
        """Write a line; it is on disk when this returns. Never holds a device's or a resident's address."""
        name, role = (who, "") if isinstance(who, str) else (who.name, who.role.value)
        at = datetime.now(UTC).isoformat(timespec="seconds")
        self.audit.write(Entry(at=at, who=name, role=role, did=did, about=about, why=why, how=how))


def journal_in(folder: Path) -> Journal:
    """The journal kept in *folder*, which is made when it is not there."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Journal(Audit(folder))


@dataclass(frozen=True, slots=True)
class Officers:
    """The accounts, who has read the notice, and the journal."""

    accounts: Accounts
    read: Path
    """The folder in which it is written who has read the notice."""
    journal: Journal
    wall: Callable[[], float] = time.time

    def sign_in(
        self, name: str, password: str, code: str, did: str, roles: frozenset[Role], about: str = ""
    ) -> Account:
        """Who *name* is, when everything is right and the role is one of *roles*; else Refused, and journaled."""
        account = self.accounts.sign_in(name, password, code, self.wall())
        if account is None:
            self.journal.note(_harmless(name), did, about, how="refused: name, password or code")
            raise Refused("403: name, password or code is wrong")
        if account.role not in roles:
            self.journal.note(account, did, about, how="refused: role")
            wanted = " or ".join(sorted(roles))
            raise Refused(f"403: {name} is {account.role.value}; this needs the role {wanted}")
        return account

    def must_have_read(self, account: Account, did: str) -> None:
        """Refused until *account* has acknowledged the notice as it reads today."""
        if not self.acknowledged(account.name):
            self.journal.note(account, did, how="refused: secrecy notice not acknowledged")
            raise Refused(
                f"403: {account.name} has not acknowledged the secrecy notice; do it with parvis legal acknowledge"
            )

    def acknowledged(self, name: str) -> bool:
        """Whether *name* has acknowledged the notice of today."""
        path = self.read / name
        return path.is_file() and path.read_text("ascii").split()[:1] == [NOTICE_VERSION]

    def acknowledge(self, account: Account) -> None:
        """Write down that *account* has read the notice of today."""
        self.read.mkdir(parents=True, exist_ok=True, mode=0o700)
        at = datetime.now(UTC).isoformat(timespec="seconds")
        self.journal.note(account, "acknowledge", about=f"notice {NOTICE_VERSION}")
        write_whole(self.read / account.name, f"{NOTICE_VERSION} {at}\n", 0o600)


def _harmless(name: str) -> str:
    """A name somebody typed, as far as a log may have it."""
    kept = "".join(one for one in name if one.isalnum() or one in ".-")[:40]
    return kept or "?"
