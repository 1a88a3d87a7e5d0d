"""Whether a started program does its work yet: questions to /proc, to a file, to /healthz."""

from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Literal

from lab.inside import connect

PROC = Path("/proc")
CONNECT_SECONDS = 1.0
OK = 200
WAITING = {"tcp": "0A", "udp": "07"}
"""The state column of /proc/net/tcp and /proc/net/udp of a socket that waits for strangers."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question, as plain data: it is kept in the pid file, so that any later command can ask it again.

    ``tcp`` and ``udp``: something in the program's namespace waits on *port*; ``healthy``: ``/healthz`` answers 200
    on *host* and *port* there; ``exists``: *path* is a socket, or a file that is not empty.
    """

    kind: Literal["tcp", "udp", "healthy", "exists"]
    port: int = 0
    host: str = ""
    path: str = ""

    def passes(self, namespace: str, pid: int) -> bool:
        """Ask it of the program *pid* in *namespace*."""
        match self.kind:
            case "healthy":
                return status(namespace, self.host, self.port, "/healthz") == OK
            case "exists":
                file = Path(self.path)
                return file.is_socket() or (file.exists() and file.stat().st_size > 0)
            case _:
                return self._waits(pid)

    def _waits(self, pid: int) -> bool:
        for table in (self.kind, f"{self.kind}6"):
            try:
                rows = (PROC / str(pid) / "net" / table).read_text().splitlines()[1:]
            except OSError:
                continue
            columns = [row.split() for row in rows]
            if any(row[1].endswith(f":{self.port:04X}") and row[3] == WAITING[self.kind] for row in columns):
                return True
        return False


def status(namespace: str, host: str, port: int, path: str, name: str = "") -> int | None:
    """The status of an HTTP answer, asked inside *namespace* as *name*; None when nobody answers."""
    try:
        channel = connect(namespace, host, port, CONNECT_SECONDS)
    except OSError:
        return None
    asking = HTTPConnection(host, port, timeout=CONNECT_SECONDS)
    asking.sock = channel
    try:
        asking.request("GET", path, headers={"Host": name or host, "Connection": "close"})
        return asking.getresponse().status
    except (OSError, HTTPException):
        return None
    finally:
        asking.close()
