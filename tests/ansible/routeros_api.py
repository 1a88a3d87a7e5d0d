"""A stand-in for a RouterOS device: MikroTik's API over TLS before tables in memory. No image of RouterOS could be had.

It knows what community.routeros asks of the tables that the role touches: log in, print, add, set, remove, and how
RouterOS refuses. Its SNMP is real: Debian's snmpd, told anew by each change what the table of communities says. What a
real RouterOS does besides, or otherwise, no test against this can tell.
"""

import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

import trustme
from machines import until

Row = dict[str, str]
USER, PASSWORD = "parvis", "api-5ea1"
VERSION = "7.16.2 (stable)"
ONE_ROW = ("/snmp", "/system/resource")
NAMES = {"SHA1": "SHA"}


@dataclass
class Router:
    """Its tables, path -> rows; *log* is every command that changes something."""

    folder: Path
    address: str
    snmp_port: int
    tables: dict[str, list[Row]]
    needs_communities: bool = False
    """Falls silent when it has no community any longer."""
    log: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _agent: "subprocess.Popen[bytes] | None" = None

    def __post_init__(self) -> None:
        for path, rows in self.tables.items():
            for row in rows:
                row.update({} if path in ONE_ROW else {".id": f"*{next(self._numbers):X}"})
        self.tables["/system/resource"] = [{"version": VERSION}]
        self.serve_snmp()

    def answer(self, command: str, words: Row) -> list[tuple[str, Row]]:
        """The sentences of the reply to *command*."""
        path, _, verb = command.rpartition("/")
        if path not in self.tables:
            return [("!trap", {"message": "no such command prefix"})]
        rows = self.tables[path]
        if verb == "print":
            return [("!re", row) for row in rows]
        self.log.append(f"{command} {sorted(words)}")
        refused, found = getattr(self, f"_{verb}")(path, rows, words)
        if path.startswith("/snmp"):
            self.serve_snmp()
        return [("!trap", {"message": refused})] if refused else [("!done", found)] if found else []

    def _add(self, _path: str, rows: list[Row], words: Row) -> tuple[str, Row]:
        if words["name"] in [row["name"] for row in rows]:
            return "failure: already have community with such name", {}
        rows.append({**words, "default": "false", ".id": f"*{next(self._numbers):X}"})
        return "", {"ret": rows[-1][".id"]}

    def _set(self, path: str, rows: list[Row], words: Row) -> tuple[str, Row]:
        found = rows if path in ONE_ROW else [row for row in rows if row[".id"] == words[".id"]]
        for row in found:
            row.update(words)
        return ("" if found else "no such item"), {}

    def _remove(self, _path: str, rows: list[Row], words: Row) -> tuple[str, Row]:
        gone = [row for row in rows if row[".id"] in words[".id"].split(",")]
        if any(row.get("default") == "true" for row in gone):
            return "failure: can not remove default community", {}
        rows[:] = [row for row in rows if row not in gone]
        return "", {}

    def serve_snmp(self) -> None:
        """Start snmpd again with what the table says now."""
        self.stop()
        lines = [f"agentAddress udp:{self.address}:{self.snmp_port}"]
        shown = [row for row in self.tables["/snmp/community"] if row["disabled"] not in {"true", "yes"}]
        if self.needs_communities and "none" not in [row["security"] for row in shown]:
            return
        if self.tables["/snmp"][0]["enabled"] in {"true", "yes"}:
            lines += [line for row in shown for line in _access(row)]
        (self.folder / "snmpd.conf").write_text("\n".join(lines) + "\n")
        kept = self.folder / "kept"
        environment = {"SNMP_PERSISTENT_DIR": str(kept), "SNMPCONFPATH": f"{self.folder}:{kept}", "MIBS": ""}
        argv = ("/usr/sbin/snmpd", "-f", "-Lf", self.folder / "log", "-I", "-smux")
        self._agent = subprocess.Popen(argv, env=environment)

    def stop(self) -> None:
        """End its snmpd."""
        if self._agent:
            self._agent.terminate()
            self._agent.wait(30)
            self._agent = None


def _access(row: Row) -> list[str]:
    if row["security"] == "none":
        return [f"rocommunity {row['name']}"]
    protocols = NAMES.get(row["authentication-protocol"], row["authentication-protocol"]), row["encryption-protocol"]
    passwords = row["authentication-password"], row["encryption-password"]
    user = f'createUser {row["name"]} {protocols[0]} "{passwords[0]}" {protocols[1]} "{passwords[1]}"'
    return [user, f"rouser {row['name']} priv"]


class Conversation(BaseRequestHandler):
    """One connection: sentences of words, each with its length before it; an empty word ends a sentence."""

    def handle(self) -> None:
        logged_in = False
        while sentence := self._sentence():
            command, words = sentence[0], dict(word[1:].split("=", 1) for word in sentence[1:] if word.startswith("="))
            if command == "/login":
                logged_in = (words["name"], words["password"]) == (USER, PASSWORD)
                replies = [] if logged_in else [("!trap", {"message": "invalid user name or password (6)"})]
            else:
                assert logged_in
                with self.server.lock:  # type: ignore[attr-defined]
                    replies = self.server.router.answer(command, words)  # type: ignore[attr-defined]
            for reply, row in replies if replies and replies[-1][0] == "!done" else [*replies, ("!done", {})]:
                self._send(reply, row)

    def _sentence(self) -> list[str]:
        words: list[str] = []
        while True:
            first = self.request.recv(1)
            if not first or first == b"\0":
                return words
            length, more = first[0], 0
            while length & (0x80 >> more):
                more += 1
            length &= 0xFF >> more
            for byte in self._octets(more):
                length = length << 8 | byte
            words.append(self._octets(length).decode())

    def _octets(self, wanted: int) -> bytes:
        found = b""
        while len(found) < wanted:
            found += (got := self.request.recv(wanted - len(found)))
            assert got, "the connection ended within a word"
        return found

    def _send(self, reply: str, row: Row) -> None:
        words = [reply, *(f"={key}={value}" for key, value in row.items())]
        self.request.sendall(b"".join(_length(len(one.encode())) + one.encode() for one in words) + b"\0")


def _length(number: int) -> bytes:
    return bytes((number,)) if number < 0x80 else (number | 0x8000).to_bytes(2, "big")


class Server(ThreadingTCPServer):
    """The port api-ssl of one device."""

    daemon_threads = allow_reuse_address = True

    def __init__(self, router: Router, port: int, context: ssl.SSLContext) -> None:
        self.router, self.lock, self._context = router, threading.Lock(), context
        super().__init__((router.address, port), Conversation)

    def get_request(self) -> Any:
        connection, where = super().get_request()
        return self._context.wrap_socket(connection, server_side=True), where

    def handle_error(self, *_: object) -> None:
        """A client that does not like our certificate says so itself."""


@contextmanager
def routeros(
    folder: Path,
    address: str,
    ports: tuple[int, int],
    authority: trustme.CA,
    tables: dict[str, list[Row]],
    *,
    needs_communities: bool = False,
) -> Iterator[Router]:
    """A device whose API and SNMP answer at *address*, at these *ports*, until the block is left."""
    folder.mkdir()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(address).configure_cert(context)
    router = Router(folder, address, ports[1], tables, needs_communities)
    server = Server(router, ports[0], context)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        until((folder / "log").exists, "snmpd did not start")
        yield router
    finally:
        server.shutdown()
        server.server_close()
        router.stop()
