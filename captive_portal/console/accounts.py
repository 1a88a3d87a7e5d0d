"""Local accounts: a file only the console reads, passwords as Argon2id (RFC 9106), codes that change (RFC 6238)."""

import json
import os
import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from captive_portal.console.roles import Role
from parvis.durable import write_whole
from parvis.locked import locked

NAME = re.compile(r"[a-z][a-z0-9.-]{0,39}")
STEP_SECONDS = 30
DRIFT_STEPS = 1
"""A phone's clock may be so many steps off, either way."""
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 256
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""OWASP's smallest set: 19 MiB while it computes, one at a time."""
_NOBODY = _HASHER.hash(secrets.token_urlsafe(16))
"""What an unknown name's password is compared with, so that it takes as long."""


class AccountError(Exception):
    """The account cannot be made or changed so; says why."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody of the staff. *used* is the last time step a code was accepted for: no code counts twice."""

    name: str
    role: Role
    password: str
    totp: str
    disabled: bool = False
    used: int = 0

    def uri(self, town: str) -> str:
        """What a phone's authenticator scans."""
        return pyotp.TOTP(self.totp).provisioning_uri(name=self.name, issuer_name=f"Parvis {town}")


class Accounts:
    """The accounts in the file at *path*. For any number of threads and processes; each change is written at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._computing = threading.Lock()

    def all(self) -> dict[str, Account]:
        """Every account by name; AccountError when the file is damaged."""
        try:
            said = json.loads(self._path.read_text("utf-8"))
            return {name: Account(name, **{**fields, "role": Role(fields["role"])}) for name, fields in said.items()}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise AccountError(f"{self._path}: is damaged; restore it from a backup: {error}") from error

    def add(self, name: str, role: Role, password: str) -> Account:
        """A new account with a fresh code secret; AccountError when the name is taken or the password too short."""
        if not NAME.fullmatch(name):
            raise AccountError(f"{name!r} is no name; write small letters, digits, dots and hyphens, 40 at most")
        with self._changing() as accounts:
            if name in accounts:
                raise AccountError(f"{name} exists; reset it, or take another name")
            accounts[name] = Account(name, role, _hashed(password), pyotp.random_base32())
            return accounts[name]

    def reset(self, name: str, password: str) -> Account:
        """A new password and a new code secret; the account is enabled again."""
        with self._changing() as accounts:
            old = _known(accounts, name)
            accounts[name] = Account(name, old.role, _hashed(password), pyotp.random_base32())
            return accounts[name]

    def disable(self, name: str) -> None:
        """Refuse the account from now on."""
        with self._changing() as accounts:
            accounts[name] = replace(_known(accounts, name), disabled=True)

    def sign_in(self, name: str, password: str, code: str, wall: float) -> Account | None:
        """The account when password and code are right, the code not used before; None otherwise, after equal time."""
        account = self.all().get(name)
        known = account is not None and not account.disabled
        with self._computing:
            right = _matches(account.password if account else _NOBODY, password)
        step = _step_of(account.totp, code, wall) if account and known and right else None
        if account is None or step is None:
            return None
        with self._changing() as accounts:
            now = accounts.get(name)
            if now is None or now.disabled or step <= now.used or now.password != account.password:
                return None
            accounts[name] = replace(now, used=step)
            return accounts[name]

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Account]]:
        """Read, let change, write whole or not at all, as the folder's owner would, readable by that owner only."""
        folder = self._path.parent
        with locked(folder):
            accounts = self.all()
            yield accounts
            text = json.dumps({name: _fields(account) for name, account in sorted(accounts.items())}, indent=1)
            there = folder.stat()
            write_whole(self._path, text, 0o600, (there.st_uid, there.st_gid) if os.geteuid() == 0 else None)


def _fields(account: Account) -> dict[str, object]:
    fields = asdict(account)
    del fields["name"]
    return fields


def _known(accounts: dict[str, Account], name: str) -> Account:
    if name not in accounts:
        raise AccountError(f"no account is called {name}; there are {', '.join(sorted(accounts)) or 'none'}")
    return accounts[name]


def _hashed(password: str) -> str:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise AccountError(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    return _HASHER.hash(password)


def _matches(hashed: str, password: str) -> bool:
    try:
        return len(password) <= LONGEST_PASSWORD and _HASHER.verify(hashed, password)
    except (Argon2Error, InvalidHashError):
        return False


def _step_of(secret: str, code: str, wall: float) -> int | None:
    """The time step whose code this is, near *wall*; None when it is none's."""
    here = int(wall) // STEP_SECONDS
    clean = code.replace(" ", "")
    if not clean.isascii() or not clean.isdecimal():
        return None
    totp = pyotp.TOTP(secret)
    near = range(here - DRIFT_STEPS, here + DRIFT_STEPS + 1)
    found = [step for step in near if pyotp.utils.strings_equal(totp.generate_otp(step), clean)]
    return found[-1] if found else None
