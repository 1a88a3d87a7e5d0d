"""Brings the public page out: into a folder, file by file and each of them whole; then to a host outside the town."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from monitor.duty import Duty
from monitor.planned import Work
from monitor.programs import ran
from monitor.status.content import DAYS, PLANNED_DAYS, Notice, Seen, Status, status
from monitor.status.files import PAGES, files
from monitor.status.parcel import Parcel
from monitor.store_outages import Register
from parvis.durable import write_whole
from parvis.inventory import Town
from parvis.locked import locked
from parvis.values import Secret

DAY = 86400.0
SECRET = "status-push"  # noqa: S105 a name
TIMEOUT_SECONDS = 60
READ_BY_ALL = 0o644
BY_HTTP = "monitor.status.by_http"
"""A program that is run, not loaded: requests takes 20 MB."""
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
        paths = [folder / name for name in _ordered(found)]
        with locked(folder):  # whoever exports by hand while the monitor does has the same drafts
            for path in paths:
                write_whole(path, found[path.name], READ_BY_ALL)
    except OSError as error:
        raise NotPublished(f"{folder}: {error.strerror}; give a folder that can be written") from error
    return paths


def _ordered(found: Mapping[str, bytes]) -> list[str]:
    """What pages lead to comes before the pages."""
    return sorted(found, key=lambda name: (name in PAGES.values(), name))


def pushed(folder: Path, found: Mapping[str, bytes], target: str, secret: Secret | None) -> None:
    """Bring the files of *folder* to *target*; NotPublished says why it could not be done."""
    try:
        scheme, _ = urlsplit(target).scheme, urlsplit(target).port
    except ValueError as error:
        raise NotPublished(f"where to send it cannot be read: {error}; correct status_push") from error
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
        _run([*words, f"{host}:{unquote(place.path) or '/'}/"])


def _by_sftp(folder: Path, found: Mapping[str, bytes], target: str, secret: Secret | None) -> None:
    """OpenSSH's sftp: each file beside its place, then renamed, which replaces."""
    place = urlsplit(target)
    host = f"{place.username}@{place.hostname}" if place.username else f"{place.hostname}"
    lines = [f"cd {_quoted(unquote(place.path))}"] if place.path else []
    for name in _ordered(found):
        lines += [f'put {_quoted(str(folder / name))} "{name}.new"', f'rename "{name}.new" "{name}"']
    with _key(secret) as key:
        _run(["sftp", "-b", "-", *_ssh(key, place.port, "-P"), host], "\n".join(lines) + "\n")


def _quoted(path: str) -> str:
    """A path as sftp(1) reads one."""
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _by_http(found: Mapping[str, bytes], target: str, secret: Secret | None) -> None:
    """By a process of its own, which is ended when it takes too long: see there."""
    parcel = Parcel.of(target, secret.reveal().strip() if secret else "", found, _ordered(found))
    words = [sys.executable, "-P", "-m", BY_HTTP, str(TIMEOUT_SECONDS)]
    _run(words, parcel.text, called=urlsplit(target).hostname or "")


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


def _run(words: list[str], given: str = "", called: str = "") -> None:
    """Run a program; NotPublished with its last words.

    *called*: what to call it in words, by default its name.
    """
    name = called or words[0]
    try:
        done = ran(words, given, TIMEOUT_SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotPublished(f"{name}: {type(error).__name__}; is it installed, and does the host answer?") from error
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise NotPublished(f"{name}: {last[:300]}")


def published(made: Status, folder: Path, target: str, base_url: str, secret: Secret | None) -> list[Path]:
    """Export, and push where there is a target; NotPublished."""
    found = files(made, base_url)
    paths = exported(found, folder)
    if target:
        pushed(folder, found, target, secret)
    return paths
