"""Lets the programs a gateway's files are for read them first, without applying anything: nft, dnsmasq, Kea.

They run in an empty network namespace of their own, so that nothing of this machine's network can be touched.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping

from captive_portal.outputs import outputs
from parvis.inventory import Fault, Site, Town

ALONE = ("unshare", "--map-root-user", "--net", "--")
"""util-linux; a user namespace makes us root in it, and in it only."""
WITH_INTERFACE = ("sh", "-c", 'ip link add "$0" type bridge && exec "$@"')
"""Kea wants to see the interface it will serve."""
READERS = {
    "nftables.nft": ("nft", "--check", "--file", "/dev/stdin"),
    "dnsmasq.conf": ("dnsmasq", "--test", "--conf-file=-"),
    "kea-dhcp4.json": ("kea-dhcp4", "-t", "/dev/stdin"),
}
"""File -> the program that reads it from standard input and only says whether it is right."""
PACKAGES = {"nft": "nftables", "dnsmasq": "dnsmasq-base", "kea-dhcp4": "kea-dhcp4-server", "unshare": "util-linux"}
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "KEA_LOCKFILE_DIR": "none", "LC_ALL": "C.UTF-8"}
PATIENCE_SECONDS = 30
_LINE = re.compile(r"/dev/stdin:(\d+)|line (\d+) of stdin")


def missing() -> list[str]:
    """The Debian packages without which nothing can be proofread here."""
    path = ENVIRONMENT["PATH"]
    return sorted(package for program, package in PACKAGES.items() if not shutil.which(program, path=path))


def faults(town: Town) -> list[Fault]:
    """What the programs find wrong in the files of every gateway of *town*."""
    texts = outputs(town)
    return [fault for site in town.sites for fault in of_site(site, texts)]


def of_site(site: Site, texts: Mapping[str, str]) -> Iterator[Fault]:
    """What they find wrong in *texts*' files of one site's gateway."""
    for file, reader in READERS.items():
        name = f"gateway/{site.gateway.name}/{file}"
        words = read(reader, texts[name], site.gateway.guest_interface)
        if words:
            found = _LINE.search(words)
            line = int(next(filter(None, found.groups()))) if found else 1
            yield Fault(name, line, "", f"{reader[0]} refuses it: {words}")


def read(reader: tuple[str, ...], text: str, interface: str) -> str:
    """What *reader* says against *text*, on one line; empty when it takes it."""
    command = (*ALONE, *WITH_INTERFACE, interface, *reader)
    try:
        done = subprocess.run(  # noqa: S603 the words above
            command, input=text, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False, env=ENVIRONMENT
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {PATIENCE_SECONDS} s"
    if done.returncode == 0:
        return ""
    return " ".join((done.stderr.strip() or done.stdout.strip() or f"exit code {done.returncode}").split())
