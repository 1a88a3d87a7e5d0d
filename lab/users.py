"""Which user each process of ours runs as, as in production: a number of its own, only the capability it needs."""

import pwd
import sys
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import parvis
from parvis import processes


@dataclass(frozen=True, slots=True)
class User:
    """A numeric user; nobody needs to exist in /etc/passwd. *capabilities* as setpriv(1) spells them."""

    uid: int
    capabilities: tuple[str, ...] = ()

    def command(self, sight: str, argv: tuple[str, ...]) -> tuple[str, ...]:
        """*argv* as this user, with these capabilities and no way to gain more; *sight* is the script made below."""
        granted = ",".join(["-all", *(f"+{name}" for name in self.capabilities)])
        limits = tuple(f"--{kind}={granted}" for kind in ("inh-caps", "ambient-caps", "bounding-set"))
        who = ("--reuid", str(self.uid), "--regid", str(self.uid), "--clear-groups")
        return ("sh", sight, "setpriv", *who, *limits, "--no-new-privs", "--", *argv)


ROOT = User(0)
GATEWAYD = User(61001, processes.GATEWAYD.capabilities)
PORTAL = User(61002)
COLLECTORS = User(61003)
MONITOR = User(61004)
SERVERS = User(61005)
"""Prometheus and Alertmanager."""
CONSOLE = User(61006)
EVIDENCE = User(61007, processes.EVIDENCE.capabilities)
ARCHIVE = User(61008)
POSTGRES = "postgres"
STRANGER = 0o001
"""The permission bit by which others may pass a folder."""
FIRST_FREE_HANDLE = 3


def postgres() -> User:
    """The user that Debian's PostgreSQL makes: its programs refuse one that /etc/passwd does not know."""
    return User(pwd.getpwnam(POSTGRES).pw_uid)


def sight(folder: Path) -> str:
    """A shell script that lets any user see this Python, this checkout and *folder*, then runs its arguments.

    What lies below a closed home folder is invisible to the users above. Within the private mount namespace that
    ``ip netns exec`` made, each closed folder is covered by an empty one that shows only what is needed.
    """
    shown = [tree for tree in _trees(folder) if _closed_above(tree)]
    lines = ["#!/bin/sh", "set -e"]
    held = [(handle, quote(str(tree))) for handle, tree in enumerate(shown, FIRST_FREE_HANDLE)]
    lines += [f"exec {handle}<{tree}" for handle, tree in held]
    lines += [f"mount -t tmpfs -o mode=755 tmpfs {quote(str(cover))}" for cover in _covers(shown)]
    for handle, tree in held:
        bind = f"mount --no-canonicalize --bind /proc/self/fd/{handle} {tree}"
        lines += [f"mkdir -p {tree}", bind, f"exec {handle}<&-"]
    return "\n".join([*lines, 'exec "$@"', ""])


def _trees(folder: Path) -> list[Path]:
    trees = {Path(sys.base_prefix), Path(sys.prefix), Path(parvis.__file__).parents[1], folder}
    resolved = sorted({tree.resolve() for tree in trees})
    return [tree for tree in resolved if not any(other in tree.parents for other in resolved)]


def _closed_above(tree: Path) -> list[Path]:
    """The folders on the way to *tree* that strangers may not pass, outermost first."""
    return [folder for folder in reversed(tree.parents) if not folder.stat().st_mode & STRANGER]


def _covers(trees: list[Path]) -> list[Path]:
    return sorted({_closed_above(tree)[0] for tree in trees})
