"""Backups for another day and another machine: encrypted for a key that is not here, without living sessions."""

import json
import shutil
import socket
import tarfile
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import entry_points
from pathlib import Path

from parvis.durable import settled, sync_folder
from parvis.instruments import VERSION
from upkeep import belongings, places, shared_database
from upkeep.delivered import INSTALLED, OPENDATA, chosen, packages
from upkeep.keeping import PACKAGES, installed_package, pack
from upkeep.machine import ProgramFailed, ask, must

ROOT = Path("/")
DAY_SECONDS = 86400
ENDING = ".parvis.age"
SHARED = "shared-database.sql"
AGE_SECONDS = 3600.0
APT_INSTALL = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "--yes", "--no-install-recommends")


@dataclass(frozen=True, slots=True)
class About:
    """What a backup says of itself."""

    version: str
    host: str
    made_at: str
    sessions: bool
    users: list[str]
    packages: list[str]
    databases: list[str]


def make(folder: Path, recipient: str, *, sessions: bool, root: Path = ROOT) -> Path:
    """Write one encrypted backup into *folder*; *sessions*: with living sessions and leases, for a move."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    now = datetime.now(UTC)
    target = folder / f"{socket.gethostname()}-{now:%Y%m%dT%H%M%SZ}{ENDING}"
    with tempfile.TemporaryDirectory(dir=folder, prefix=".parvis-") as scratch:
        plain = collect(Path(scratch), sessions=sessions, root=root, made_at=now.isoformat(timespec="seconds"))
        draft = Path(scratch) / "backup.age"
        must("age", "--encrypt", "--recipient", recipient, "--output", str(draft), str(plain), seconds=AGE_SECONDS)
        draft.chmod(0o600)
        settled(draft)  # the old ones are erased next
        draft.replace(target)
    sync_folder(folder)
    return target


def collect(scratch: Path, *, sessions: bool, root: Path, made_at: str) -> Path:
    """Put everything that goes into a backup into one archive in *scratch*."""
    here = scratch / "parts"
    here.mkdir()
    pack(here / "configuration.tar", belongings.files(root, belongings.CONFIGURATION), root, scratch)
    patterns = belongings.STATE + (belongings.LEASES if sessions else ())
    forget = {} if sessions else forgotten()
    databases = pack(here / "state.tar", belongings.files(root, patterns), root, scratch, forget)
    known = (*INSTALLED, OPENDATA)
    running = [one for one in known if (root / places.settings(one.name).relative_to("/")).is_file()]
    wanted = sorted({name for process in running for name in packages(process.place)} | set(chosen(root)))
    if shared_database.here(root):
        (here / SHARED).write_text(shared_database.dump())
    about = About(VERSION, socket.gethostname(), made_at, sessions, [one.user for one in running], wanted, databases)
    (here / "about.json").write_text(json.dumps({name: getattr(about, name) for name in About.__slots__}))
    if package := installed_package():
        (here / "package.deb").symlink_to(package)
    plain = scratch / "backup.tar"
    with tarfile.open(plain, "w", dereference=True) as made:
        for file in sorted(here.iterdir()):
            made.add(file, file.name)
    plain.chmod(0o600)
    return plain


def forgotten() -> dict[str, tuple[str, ...]]:
    """Database file -> what is struck from its copy; each room says it of its own (entry points parvis.forgets)."""
    found: dict[str, tuple[str, ...]] = {}
    for entry in entry_points(group="parvis.forgets"):
        found |= entry.load()
    return found


def expired(files: Iterable[Path], days: int, now: float) -> Iterator[Path]:
    """The backups among *files* that are older than *days*."""
    return (file for file in files if file.name.endswith(ENDING) and now - file.stat().st_mtime > days * DAY_SECONDS)


def expire(folder: Path, days: int) -> list[Path]:
    """Erase what has become too old; what was erased."""
    old = list(expired(folder.iterdir(), days, time.time()))
    for file in old:
        file.unlink()
    return old


def restore(archive: Path, identity: Path, root: Path = ROOT) -> About:
    """Make this machine what *archive* holds: users, Debian's packages, configuration, state; then start it."""
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix=".parvis-") as scratch:
        here = Path(scratch)
        plain = here / "backup.tar"
        if shutil.which("age") is None:
            must(*APT_INSTALL, "age", seconds=AGE_SECONDS)
        must("age", "--decrypt", "--identity", str(identity), "--output", str(plain), str(archive), seconds=AGE_SECONDS)
        with tarfile.open(plain) as opened:
            opened.extraction_filter = lambda member, _: member  # ours: encrypted by the town's own key
            opened.extractall(here)  # noqa: S202
        about = About(**json.loads((here / "about.json").read_text()))
        if about.version != VERSION:
            raise ProgramFailed(
                f"{archive} is of version {about.version}, this is {VERSION}; install parvis {about.version}"
            )
        if root == ROOT:
            prepare(about)
            be_called(about.host, root)
        for part in ("configuration.tar", "state.tar"):
            with tarfile.open(here / part) as opened:
                opened.extraction_filter = lambda member, _: member
                opened.extractall(root)  # noqa: S202
        if (here / SHARED).exists() and root == ROOT:
            shared_database.put_back((here / SHARED).read_text())
        if (here / "package.deb").exists():
            put_by(here / "package.deb", root / PACKAGES.relative_to("/"))
    return about


def put_by(package: Path, folder: Path) -> None:
    """Put *package* where the next upgrade looks for what it may have to put back, under the name Debian gives it."""
    named = must("dpkg-deb", "--show", "--showformat=${Package}_${Version}_${Architecture}.deb", str(package))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    package.replace(folder / named)


def prepare(about: About) -> None:
    """The users and Debian's packages a backup needs; archives name owners, so they come first."""
    for group in ("parvis",):
        if ask("getent", "group", group).code:
            must("groupadd", "--system", group)
    for user in about.users:
        if ask("id", user).code:
            words = ("--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin")
            must("useradd", *words, "--user-group", "--groups", "parvis", user)
    must(*APT_INSTALL, *about.packages, seconds=AGE_SECONDS)


def be_called(host: str, root: Path) -> None:
    """Give the machine below *root* its name: the centre knows a gateway's journal by it."""
    (root / "etc/hostname").write_text(f"{host}\n")
    hosts = root / "etc/hosts"
    lines = hosts.read_text().splitlines() if hosts.exists() else ["127.0.0.1 localhost"]
    kept = [line for line in lines if not line.startswith("127.0.1.1")]
    hosts.write_text("".join(f"{line}\n" for line in (*kept, f"127.0.1.1 {host}")))
    if root == ROOT:
        socket.sethostname(host)
