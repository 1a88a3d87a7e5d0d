"""Brings the public page out: into a folder, file by file and each of them whole; then to a host outside the town."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from monitor.duty import Duty
from monitor.planned import Work
from monitor.status.content import DAYS, PLANNED_DAYS, Notice, Seen, Status, status
from monitor.status.files import PAGES, files
from monitor.store_outages import Register
from parvis.inventory import Town
from parvis.values import Secret

DAY = 86400.0
SECRET = "status-push"  # noqa: S105 a name
TIMEOUT_SECONDS = 60
_STATES = ("up", "degraded", "down")


class NotPublished(Exception):
    """The page could not be brought there; what stood there stands. Whoever keeps that host, or its key, must act."""


def gathered(town: Town, register: Register, works: Callable[[float, float], list[Work]], now: float) -> Status:
    """The status at *now* from what was written down. *works*: announced work that touches a span."""
    since = now - (DAYS + 1) * DAY
    seen = {
        site.site: [
            Seen(spell.state, spell.starts_at, spell.seen_at)
            for spell in register.spells(site.site, since, now)
            if spell.state in _STATES
        ]
        for site in town.sites
    }
    known = {one.value for one in Notice}
    said = {
        site: [(at, Notice(what)) for at, what in some if what in known] for site, some in register.said(since).items()
    }
    return status(town, seen, works(since, now + PLANNED_DAYS * DAY), said, now)


def of_duty(town: Town, register: Register, duty: Duty, now: float) -> Status:
    """The same with the work announced to the monitor."""
    return gathered(town, register, duty.works, now)


def exported(found: Mapping[str, bytes], folder: Path) -> list[Path]:
    """Write the files into *folder*: readers see each as it was or as it is, never in between; NotPublished."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_replaced(folder / name, found[name]) for name in _ordered(found)]
    except OSError as error:
        raise NotPublished(f"{folder}: {error.strerror}; give a folder that can be written") from error


def _ordered(found: Mapping[str, bytes]) -> list[str]:
    """What pages lead to comes before the pages."""
    return sorted(found, key=lambda name: (name in PAGES.values(), name))


def _replaced(path: Path, body: bytes) -> Path:
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def pushed(folder: Path, found: Mapping[str, bytes], target: str, secret: Secret | None) -> None:
    """Bring the files of *folder* to *target*; NotPublished says why it could not be done."""
    scheme = urlsplit(target).scheme
    if scheme == "rsync":
        _by_rsync(folder, found, target, secret)
    elif scheme == "sftp":
        _by_sftp(folder, found, target, secret)
    else:
        _by_http(found, target, secret)


def _by_rsync(folder: Path, found: Mapping[str, bytes], target: str, secret: Secret | None) -> None:
    """Rsync over SSH; --delay-updates puts all files in place together, at the end."""
    place = urlsplit(target)
    host = f"{place.username}@{place.hostname}" if place.username else f"{place.hostname}"
    with _key(secret) as key:
        shell = " ".join(["ssh", *_ssh(key, place.port, "-p")])
        sources = [str(folder / name) for name in _ordered(found)]
        words = ["rsync", "--times", "--delay-updates", "-e", os.environ.get("RSYNC_RSH", shell), *sources]
        _run([*words, f"{host}:{place.path or '/'}/"])


def _by_sftp(folder: Path, found: Mapping[str, bytes], target: str, secret: Secret | None) -> None:
    """OpenSSH's sftp: each file beside its place, then renamed, which replaces."""
    place = urlsplit(target)
    host = f"{place.username}@{place.hostname}" if place.username else f"{place.hostname}"
    lines = [f'cd "{place.path}"'] if place.path else []
    for name in _ordered(found):
        lines += [f'put "{folder / name}" "{name}.new"', f'rename "{name}.new" "{name}"']
    with _key(secret) as key:
        _run(["sftp", "-b", "-", *_ssh(key, place.port, "-P"), host], "\n".join(lines) + "\n")


def _by_http(found: Mapping[str, bytes], target: str, secret: Secret | None) -> None:
    """One PUT a file; by WebDAV (RFC 4918) beside its place, then a MOVE over what stands there."""
    import requests  # noqa: PLC0415 for towns that send by HTTP

    place = urlsplit(target)
    dav = place.scheme.startswith("webdav")
    base = target.replace("webdavs://", "https://").replace("webdav://", "http://").rstrip("/")
    session = requests.Session()
    if secret is not None:
        user, colon, password = secret.reveal().strip().partition(":")
        if colon:
            session.auth = (user, password)
        else:
            session.headers["Authorization"] = f"Bearer {user}"
    try:
        for name in _ordered(found):
            there = f"{base}/{name}"
            first = f"{there}.new" if dav else there
            session.put(first, data=found[name], timeout=TIMEOUT_SECONDS).raise_for_status()
            if dav:
                headers = {"Destination": there, "Overwrite": "T"}
                session.request("MOVE", first, headers=headers, timeout=TIMEOUT_SECONDS).raise_for_status()
    except requests.RequestException as error:
        code = f" {error.response.status_code}" if error.response is not None else ""
        raise NotPublished(f"{place.hostname}: {type(error).__name__}{code}") from error


def _ssh(key: str, port: int | None, option: str) -> list[str]:
    """Nobody is there to answer a question; who the host is stands in known_hosts."""
    words = ["-o", "BatchMode=yes", "-o", f"ConnectTimeout={TIMEOUT_SECONDS // 3}"]
    words += ["-i", key, "-o", "IdentitiesOnly=yes"] if key else []
    return words + ([option, str(port)] if port else [])


@contextmanager
def _key(secret: Secret | None) -> Iterator[str]:
    """The SSH key as a file nobody else reads, gone afterwards; empty without one."""
    if secret is None:
        yield ""
        return
    with tempfile.NamedTemporaryFile("w", prefix="key-") as file:
        file.write(secret.reveal().rstrip("\n") + "\n")
        file.flush()
        yield file.name


def _run(words: list[str], given: str = "") -> None:
    try:
        done = subprocess.run(words, input=given, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotPublished(f"{words[0]}: {type(error).__name__}; is it installed, and does the host answer?") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise NotPublished(f"{words[0]}: {last[:300]}")


def published(made: Status, folder: Path, target: str, base_url: str, secret: Secret | None) -> list[Path]:
    """Export, and push where there is a target; NotPublished."""
    found = files(made, base_url)
    paths = exported(found, folder)
    if target:
        pushed(folder, found, target, secret)
    return paths
