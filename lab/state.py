"""The twin's folder: who may read what in it, secrets, certificates, and what is told about the run."""

import json
import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import trustme

from lab.processes import UMASK
from lab.users import User
from parvis.durable import naming

DEFAULT_FOLDER = Path("/run/parvis-lab")
WORD = "lab.json"
DRAFT = f"{WORD}.new"
SECRET_BYTES = 24
BUSY_SECONDS, LOOK_SECONDS = 10.0, 0.1
"""How long whoever finds the twin held waits, and how often it looks."""


class LabBusy(Exception):
    """Another command is building or removing this twin; wait for it."""


class NotOurs(Exception):
    """The folder is not a lab's; the person at the keyboard must name another."""


@dataclass(frozen=True, slots=True)
class About:
    """What was built: enough for another process to find it. *complete* once everything answered."""

    prefix: str
    residents: int
    proxied: str
    complete: bool
    seconds: float
    windows: dict[str, int]
    """Name of a window -> port on the host's loopback."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the twin of *folder* alone; LabBusy when somebody does and goes on. A killed process leaves nothing behind.

    Commands that are run meanwhile hold it too (``network.run``): what a killed process had begun is done, or has
    failed, before anybody clears up after it.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as lock:
        deadline = time.monotonic() + BUSY_SECONDS
        while not _bound(lock, f"\0parvis-lab {folder.resolve()}"):
            if time.monotonic() > deadline:
                raise LabBusy(f"another parvis lab command is at work on {folder}; wait for it, or end it")
            time.sleep(LOOK_SECONDS)
        lock.set_inheritable(True)
        yield


def _bound(lock: socket.socket, name: str) -> bool:
    try:
        lock.bind(name)
    except OSError:
        return False
    return True


@contextmanager
def readable() -> Iterator[None]:
    """Make files that every user of the twin reads, whatever the umask of whoever builds it."""
    before = os.umask(UMASK)
    try:
        yield
    finally:
        os.umask(before)


def create(folder: Path, about: About) -> None:
    """Make a state folder that everybody may pass, and tell *about* it first: what told of nothing is not ours."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    tell(folder, about)
    for name in ("pids", "logs", "secrets", "tls", "residents"):
        (folder / name).mkdir(mode=0o755)


def remove(folder: Path) -> None:
    """Remove the folder and all that is in it, last of all the word that it is ours; NotOurs when it never was."""
    refuse_strange(folder)
    if not folder.exists():
        return
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != WORD:
            path.unlink()
    (folder / WORD).unlink(missing_ok=True)
    folder.rmdir()


def refuse_strange(folder: Path) -> None:
    """NotOurs when *folder* holds something else than a lab."""
    if folder.exists() and not {path.name for path in folder.iterdir()} <= {DRAFT} and not (folder / WORD).exists():
        raise NotOurs(f"{folder} holds something that is no lab; name another folder")


def told(folder: Path) -> About | None:
    """What is told about the twin of *folder*; None when there is none."""
    try:
        return About(**json.loads((folder / WORD).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def tell(folder: Path, about: About) -> None:
    """Write what is told about the twin, whole or not at all."""
    draft = folder / DRAFT
    with naming(draft):
        draft.write_text(json.dumps(asdict(about)))
    draft.replace(folder / WORD)


def folder_for(path: Path, user: User, mode: int = 0o700, group: int | None = None) -> Path:
    """A folder of *user*'s own."""
    path.mkdir(parents=True, exist_ok=True)
    os.chown(path, user.uid, user.uid if group is None else group)
    path.chmod(mode)
    return path


def file_for(path: Path, text: str, user: User | None = None, mode: int = 0o644) -> Path:
    """A file with *text*; with *user*, only that user reads it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    with naming(path):
        path.write_text(text)
    if user:
        os.chown(path, user.uid, user.uid)
    path.chmod(0o400 if user else mode)
    return path


def make_secrets(folder: Path, owners: Mapping[str, tuple[User, Iterable[str]]]) -> dict[str, str]:
    """Draw a secret for each name and give it to each owner that needs it; returns them by name."""
    drawn: dict[str, str] = {}
    for owner, (user, names) in owners.items():
        own = folder_for(folder / "secrets" / owner, user, 0o500)
        for name in names:
            text = drawn.setdefault(name, secrets.token_urlsafe(SECRET_BYTES))
            file_for(own / name, text, user)
    return drawn


def make_certificates(folder: Path, hosts: dict[str, tuple[User | None, tuple[str, ...]]]) -> None:
    """The twin's own CA (``tls/ca.pem``) and for each name of *hosts* ``tls/NAME.crt`` and ``.key`` of its owner."""
    authority = trustme.CA(organization_name="Parvis lab")
    file_for(folder / "tls" / "ca.pem", authority.cert_pem.bytes().decode())
    for name, (user, names) in hosts.items():
        issued = authority.issue_cert(*names)
        chain = "".join(part.bytes().decode() for part in issued.cert_chain_pems)
        file_for(folder / "tls" / f"{name}.crt", chain)
        file_for(folder / "tls" / f"{name}.key", issued.private_key_pem.bytes().decode(), user, mode=0o400)
