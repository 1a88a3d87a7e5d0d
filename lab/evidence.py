"""The recorder at each gateway and the archive at the centre, with a key ceremony of the twin's own."""

import sys

from lab.network import run
from lab.processes import Program
from lab.rooms import PARVIS, Rooms, Value
from lab.state import folder_for
from lab.users import ARCHIVE, EVIDENCE, User
from parvis import processes
from parvis.inventory import Site, Town

HOLDERS = ("directrice", "archiviste", "notaire")
RESPONSIBLE = "La maire"
COLLECT_SECONDS = 2.0
READ_BY_ALL = 0o644


def secrets() -> dict[str, tuple[User, tuple[str, ...]]]:
    """Which secrets the two processes need, and who they run as."""
    users = {processes.EVIDENCE: EVIDENCE, processes.ARCHIVE: ARCHIVE}
    return {process.name: (user, process.secrets) for process, user in users.items()}


def certificates(town: Town) -> dict[str, tuple[User, tuple[str, ...]]]:
    """The recorders' certificates, for the gateways' management addresses."""
    gateways = [site.gateway for site in town.sites]
    return {_certificate(gateway.name): (EVIDENCE, (str(gateway.address),)) for gateway in gateways}


def _certificate(gateway: str) -> str:
    return f"{gateway}-evidence"


class Evidence:
    """Makes the programs, after the ceremony: ``FOLDER/holders/envelopes/NAME.txt`` is what a holder's envelope has."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._folder = folder_for(rooms.folder / "holders", ARCHIVE, 0o755)
        self._holders, self._choice = self._folder / "holders.json", self._folder / "choice.json"
        self._archive = rooms.program(
            "archive",
            processes.ARCHIVE,
            ARCHIVE,
            {
                "holders": str(self._holders),
                "authority": str(rooms.folder / "tls" / "ca.pem"),
                "collect_seconds": COLLECT_SECONDS,
            },
        )
        named = (f"--holder={name}" for name in HOLDERS)
        self._legal("ceremony", *named, f"--shares-into={self._folder / 'envelopes'}")
        self._legal("injunction", "--off", f"--by={RESPONSIBLE}", f"--into={self._choice}")
        self._choice.chmod(READ_BY_ALL)

    def _legal(self, *words: str) -> None:
        """``parvis legal`` as the archive's user, where the archive is."""
        settings = self._rooms.folder / "settings" / "archive.toml"
        argv = (sys.executable, PARVIS, "legal", "--settings", str(settings), *words)
        run("ip", "netns", "exec", self._archive.namespace, *ARCHIVE.command(self._rooms.sight, argv))

    def archive(self) -> Program:
        """The archive."""
        return self._archive

    def recorder(self, site: Site) -> Program:
        """One gateway's recorder."""
        gateway, tls = site.gateway, self._rooms.folder / "tls"
        extra: dict[str, Value] = {
            "site": site.site,
            "listen": str(gateway.address),
            "holders": str(self._holders),
            "choice": str(self._choice),
            "certificate": str(tls / f"{_certificate(gateway.name)}.crt"),
            "key": str(tls / f"{_certificate(gateway.name)}.key"),
            "reserve_megabytes": 1,
        }
        return self._rooms.program(f"{gateway.name}.evidence", processes.EVIDENCE, EVIDENCE, extra)
