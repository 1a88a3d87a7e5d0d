"""The public page on its way out: to hosts that take it, that say they do, that hang; and what is left behind."""

import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest

from monitor.status import publish
from monitor.status.content import Status, status
from monitor.status.files import files
from monitor.status.publish import NotPublished, exported, pushed
from parvis.inventory import Town
from parvis.values import Secret


@pytest.fixture
def made(town: Town) -> Status:
    return status(town, {}, [], {}, time.time())


class Host(BaseHTTPRequestHandler):
    """A web server that takes PUT and MOVE with a password, in a folder."""

    folder: Path
    seen: list[str]

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append(f"PUT {self.path}")
        if self.headers.get("Authorization") not in {"Basic dmlsbGU6c2VjcmV0", "Bearer jeton"}:
            self._say(401)
            return
        (self.folder / Path(self.path).name).write_bytes(body)
        self._say(201)

    def do_MOVE(self) -> None:
        self.seen.append(f"MOVE {self.path}")
        there = self.folder / Path(self.headers["Destination"]).name
        (self.folder / Path(self.path).name).replace(there)
        self._say(204 if self.headers["Overwrite"] == "T" else 412)

    def _say(self, status_: int) -> None:
        self.send_response(status_)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def host(tmp_path: Path) -> Iterator[tuple[str, Path, list[str]]]:
    folder, seen = tmp_path / "host", []
    folder.mkdir()
    handler = type("OneHost", (Host,), {"folder": folder, "seen": seen})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}/etat", folder, seen
    server.shutdown()
    server.server_close()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(("scheme", "secret"), [("webdav", "ville:secret"), ("http", "jeton")])
def test_the_page_is_sent_by_http_and_by_webdav(
    made: Status, tmp_path: Path, host: tuple[str, Path, list[str]], scheme: str, secret: str
) -> None:
    address, folder, seen = host
    found = files(made)
    pushed(tmp_path, found, f"{scheme}://{address}", Secret(secret))

    assert contents(folder) == found
    assert sum(one.startswith("MOVE") for one in seen) == (len(found) if scheme == "webdav" else 0)
    with pytest.raises(NotPublished, match="401"):
        pushed(tmp_path, found, f"{scheme}://{address}", Secret("wrong:password"))


@pytest.mark.parametrize(("code", "said"), [(302, "answers 302 to PUT"), (207, ""), (507, "507")])
def test_only_a_host_that_says_it_is_done_has_the_page(
    made: Status, tmp_path: Path, code: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that sends a PUT elsewhere answers the GET that would follow with a page of its own."""

    def do_get(host: Host) -> None:
        host._say(200)

    def do_put(host: Host) -> None:
        host.rfile.read(int(host.headers["Content-Length"]))
        host.send_response(code)
        host.send_header("Location", "/welcome")
        host.send_header("Content-Length", "0")
        host.end_headers()

    monkeypatch.setattr(Host, "do_GET", do_get, raising=False)
    monkeypatch.setattr(Host, "do_PUT", do_put)
    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            if said:
                with pytest.raises(NotPublished, match=said):
                    pushed(tmp_path, files(made), f"http://127.0.0.1:{server.server_port}/etat", None)
            else:
                pushed(tmp_path, files(made), f"http://127.0.0.1:{server.server_port}/etat", None)
        finally:
            server.shutdown()


def test_a_host_that_is_never_done_answering_keeps_nobody(
    made: Status, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes each file, and then tells of it for hours, a letter at a time."""

    def do_put(host: Host) -> None:
        host.rfile.read(int(host.headers["Content-Length"]))
        host.send_response(201)
        host.send_header("Content-Length", "100000")
        host.end_headers()
        with suppress(OSError):
            for _ in range(100):
                host.wfile.write(b".")
                time.sleep(0.1)

    monkeypatch.setattr(Host, "do_PUT", do_put)
    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        begun = time.monotonic()
        pushed(tmp_path, files(made), f"http://127.0.0.1:{server.server_port}/etat", None)
        server.shutdown()

    assert time.monotonic() - begun < 8


def test_a_host_that_never_begins_to_answer_keeps_nobody(
    made: Status, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says headers for hours, a letter at a time: no single wait is long."""

    def do_put(host: Host) -> None:
        host.rfile.read(int(host.headers["Content-Length"]))
        with suppress(OSError):
            host.wfile.write(b"HTTP/1.1 201 Created\r\nX: ")
            for _ in range(100):
                host.wfile.write(b".")
                time.sleep(0.1)

    monkeypatch.setattr(Host, "do_PUT", do_put)
    monkeypatch.setattr(publish, "TIMEOUT_SECONDS", 2)
    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        begun = time.monotonic()
        with pytest.raises(NotPublished, match=r"127\.0\.0\.1: TimeoutExpired"):
            pushed(tmp_path, files(made), f"http://127.0.0.1:{server.server_port}/etat", None)
        server.shutdown()

    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("target", ["rsync://host:port/www", "sftp://[host/www", "https://host:99999/etat"])
def test_an_address_that_is_none_is_a_sentence(made: Status, tmp_path: Path, target: str) -> None:
    with pytest.raises(NotPublished, match="status_push"):
        pushed(tmp_path, files(made), target, None)


def test_a_password_no_header_can_carry_is_a_sentence(made: Status, tmp_path: Path) -> None:
    with pytest.raises(NotPublished, match="Unicode"):
        pushed(tmp_path, files(made), "http://127.0.0.1:9/etat", Secret("ville:Ωmega"))


def test_what_hangs_is_ended_with_what_it_started(
    made: Status, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An rsync whose ssh hangs in a dead network: one more each minute would be left."""
    shell, left = tmp_path / "shell", tmp_path / "pid"
    shell.write_text(f'#!/bin/sh\necho $$ > "{left}"\nexec sleep 100\n')
    shell.chmod(0o755)
    monkeypatch.setenv("RSYNC_RSH", str(shell))
    monkeypatch.setattr(publish, "TIMEOUT_SECONDS", 2)
    exported(files(made), tmp_path / "here")
    with pytest.raises(NotPublished, match="TimeoutExpired"):
        pushed(tmp_path / "here", files(made), "rsync://host/www", None)
    pid = int(left.read_text())
    deadline = time.monotonic() + 5
    while (gone := not _runs(pid)) is False and time.monotonic() < deadline:
        time.sleep(0.05)
    if not gone:
        os.kill(pid, signal.SIGKILL)

    assert gone


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_the_page_is_sent_by_rsync(made: Status, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real rsync; its remote shell is this machine's own."""
    there, found = tmp_path / "there", files(made)
    there.mkdir()
    shell = tmp_path / "shell"
    shell.write_text('#!/bin/sh\nshift\nexec "$@"\n')
    shell.chmod(0o755)
    monkeypatch.setenv("RSYNC_RSH", str(shell))
    exported(found, tmp_path / "here")
    pushed(tmp_path / "here", found, f"rsync://host{there}", None)

    assert contents(there) == found
    with pytest.raises(NotPublished, match="rsync"):
        pushed(tmp_path / "here", found, f"rsync://host{tmp_path}/no/such/folder", None)


def test_the_page_is_sent_by_sftp(made: Status, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenSSH's own sftp and sftp-server; what is between them is this machine, not the network."""
    there, found = tmp_path / 'the "page"', files(made)
    there.mkdir()
    (there / "index.html").write_bytes(b"old")
    real = shutil.which("sftp")
    fake = tmp_path / "bin/sftp"
    fake.parent.mkdir()
    server = "/usr/lib/openssh/sftp-server"
    fake.write_text(f"#!/bin/sh\nexec {real} -b - -D {server}\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    exported(found, tmp_path / "here")
    pushed(tmp_path / "here", found, f"sftp://host{quote(str(there), safe='/')}", None)

    assert contents(there) == found
    with pytest.raises(NotPublished, match="sftp"):
        pushed(tmp_path / "here", found, f"sftp://host{tmp_path}/nowhere", None)
