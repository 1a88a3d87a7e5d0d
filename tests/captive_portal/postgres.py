"""A PostgreSQL of our own for one test: made in a temporary folder, run by an unprivileged user, on a Unix socket."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme

PORT = 5432
FAST = ("fsync=off", "shared_buffers=8MB", "max_connections=30", "autovacuum=off", "log_min_messages=fatal")
"""What a test needs not wait for."""


def programs() -> Path:
    """Where Debian keeps the newest PostgreSQL's programs."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))


class Cluster:
    """One server. Root cannot run it, so root lends it to ``nobody``."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data = folder, folder / "data"
        self._user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        folder.chmod(0o755)
        if os.geteuid() == 0:
            shutil.chown(folder, self._user)
        self._run("initdb", "-D", str(self.data), "-U", "parvis", "-A", "trust", "-E", "UTF8", "--no-sync")

    @property
    def url(self) -> str:
        """As a portal's settings say it."""
        return f"postgresql://parvis@/parvis?host={self.folder}"

    def start(self, *more: str) -> None:
        """*more*: settings besides those that tests usually want, ``name=value``."""
        words = (*FAST, "listen_addresses=", f"unix_socket_directories={self.folder}", *more)
        options = " ".join(f"-c {word}" for word in words)
        self._run("pg_ctl", "-D", str(self.data), "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def certified(self, authority: trustme.CA, name: str) -> tuple[str, ...]:
        """What :meth:`start` needs to speak TLS with a certificate for *name*."""
        made = authority.issue_cert(name)
        chain, private = self.folder / "server.crt", self.folder / "server.key"
        chain.write_bytes(b"".join(part.bytes() for part in made.cert_chain_pems))
        made.private_key_pem.write_to_path(str(private))
        private.chmod(0o600)
        if os.geteuid() == 0:
            shutil.chown(private, self._user)
        return ("ssl=on", f"ssl_cert_file={chain}", f"ssl_key_file={private}")

    def make_database(self) -> None:
        self._run("createdb", "-h", str(self.folder), "-U", "parvis", "parvis")

    def empty(self) -> None:
        """As new."""
        self.says("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")

    def says(self, *statements: str) -> str:
        words = [word for statement in statements for word in ("-c", statement)]
        return self._run("psql", "-h", str(self.folder), "-U", "parvis", "-qAt", "parvis", *words).strip()

    def dump(self) -> str:
        """All there is, as text."""
        return self._run("pg_dump", "-h", str(self.folder), "-U", "parvis", "parvis")

    def stop(self) -> None:
        """As when its power is cut."""
        self._run("pg_ctl", "-D", str(self.data), "-m", "immediate", "stop")

    @property
    def running(self) -> bool:
        return (self.data / "postmaster.pid").exists()

    def freeze(self) -> None:
        """Connections stay open, nobody answers: the server and each of its processes stop."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        first = int((self.data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        for pid in (first, *map(int, children)):
            os.kill(pid, number)

    def _run(self, program: str, *argv: str) -> str:
        command = [str(programs() / program), *argv]
        user = None if os.geteuid() else self._user
        out = subprocess.DEVNULL if program == "pg_ctl" else subprocess.PIPE  # the server would keep a pipe open
        done = subprocess.run(command, stdout=out, stderr=out, text=True, timeout=60, check=False, user=user, cwd="/")
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
        return done.stdout or ""


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A running server with an empty database; it leaves nothing behind."""
    folder = Path(tempfile.mkdtemp(prefix="sh-pg-"))  # pytest's own folders are closed to other users
    made = Cluster(folder)
    try:
        made.start()
        made.make_database()
        yield made
    finally:
        if made.running:
            made.thaw()
            made.stop()
        shutil.rmtree(folder)
