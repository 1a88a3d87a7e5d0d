"""The archive as it runs: its own process, TLS and a token to a gateway's counter; both away and back by turns."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from collections import Counter as Tally
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from legal_town import master
from resident import wait_for
from sealed_days import GATEWAY, MADE, Disk, all_said, head, lease, ms

from captive_portal.legal import ledger, reading, report
from captive_portal.legal.handing_over import Counter
from captive_portal.tls import TlsServer
from parvis.catalogue import definitions
from parvis.processes import ARCHIVE

pytestmark = pytest.mark.slow
TODAY = datetime.now(UTC).date()
TOKEN = "the word of gateways and archive"
SITE = "maison-services-publics"
ROUND_SECONDS = 0.1
COLLECTED = f'archive_collected_timestamp_seconds{{site="{SITE}",town="cachan"}}'


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


class Place:
    """A gateway's sealed days behind its counter, and the archive's process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.gateway, self.archive = Disk(folder / "gateway"), Disk(folder / "archive")
        self.authority = trustme.CA()
        issued = self.authority.issue_cert("127.0.0.1")
        issued.private_key_pem.write_to_path(str(folder / "gateway.key"))
        issued.cert_chain_pems[0].write_to_path(str(folder / "gateway.crt"))
        self.port, self.shown = free_port(), free_port()
        self.asked: Tally[str] = Tally()
        self.process: subprocess.Popen[bytes] | None = None
        self._counter = ExitStack()

    def opens(self) -> None:
        """The gateway's counter is there."""
        folders = (self.gateway.sealed, self.gateway.keys)
        app = Counter(folders, TOKEN, lambda result: self.asked.update([result])).app()
        certificate, key = self.folder / "gateway.crt", self.folder / "gateway.key"
        self._counter.enter_context(TlsServer(("127.0.0.1", self.port), app, certificate, key, threads=2))

    def closes(self) -> None:
        self._counter.close()

    def starts(self, token: str = TOKEN, authority: trustme.CA | None = None) -> None:
        """The archive runs; with its first round behind it."""
        trusted = self.folder / "trusted.pem"
        trusted.write_bytes((authority or self.authority).cert_pem.bytes())
        places = {name: str(self.folder / "archive" / name) for name in ("cases", "reports", "journal", "holds.json")}
        facts = {
            "log_level": "info",
            "name": "cachan",
            "listen": "127.0.0.1",
            "port": self.shown,
            "metrics": [asdict(entry) for entry in definitions(ARCHIVE.name)],
            "folder": str(self.archive.sealed),
            "keys": str(self.archive.keys),
            "clock": str(self.folder / "archive" / "clock.json"),
            "holds": places.pop("holds.json"),
            **places,
            "signer": b64encode(MADE.signer).decode(),
            "authority": str(trusted),
            "seconds": ROUND_SECONDS,
            "token": token,
            "gateways": [{"site": SITE, "name": GATEWAY, "address": "127.0.0.1", "port": self.port}],
        }
        handle = os.memfd_create("facts", 0)
        os.write(handle, json.dumps(facts).encode())
        os.lseek(handle, 0, os.SEEK_SET)
        argv = [sys.executable, "-m", "captive_portal.legal.archive", str(handle)]
        with (self.folder / "archive.log").open("ab") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log, pass_fds=(handle,))
        os.close(handle)
        wait_for(lambda: self.rounds("done") + self.rounds("failed") > 0, "first round")

    def stops(self, how: int = 15) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(20)
            self.process = None

    def metric(self, name: str) -> float:
        try:
            page = urllib.request.urlopen(f"http://127.0.0.1:{self.shown}/metrics", timeout=5).read().decode()
        except OSError:
            return 0.0
        return next((float(line.split()[-1]) for line in page.splitlines() if line.startswith(f"{name} ")), 0.0)

    def rounds(self, result: str) -> float:
        return self.metric(f'archive_rounds_total{{result="{result}"}}')

    def another(self, result: str) -> None:
        """One more round has ended so, from its beginning to its end."""
        before = self.rounds(result)
        wait_for(lambda: self.rounds(result) >= before + 2, f"another round {result}")

    @property
    def log(self) -> str:
        return (self.folder / "archive.log").read_text()

    def is_whole(self) -> bool:
        """The archive has, octet for octet, what the gateway has."""
        return _files(self.gateway) == _files(self.archive)


def _files(disk: Disk) -> dict[str, bytes]:
    kept = [path for folder in (disk.sealed, disk.keys) for path in folder.iterdir() if path.name != "reserve"]
    return {path.name: path.read_bytes() for path in kept}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.stops(9)
    made.closes()


def test_f58_ret13_archive_and_gateway_away_by_turns_and_what_was_written_meanwhile_is_there_after(
    place: Place,
) -> None:
    place.gateway.day(TODAY - timedelta(days=1))
    pen, at = place.gateway.ledger(), f"{TODAY}T10:00:00"
    pen.append(_block(1, at), ms(at))
    place.opens()
    place.starts()
    wait_for(place.is_whole, "everything of two days")

    place.stops(9)
    for n in range(2, 300):
        pen.append(_block(n, at), ms(at))
    assert not place.is_whole()
    place.starts()
    wait_for(place.is_whole, "what came while the archive was away")

    place.closes()
    place.another("failed")
    since = place.metric(COLLECTED)
    assert 0 < since <= time.time()
    pen.append(_block(300, at), ms(at))
    place.another("failed")
    assert place.metric(COLLECTED) == since, "the alert PreuvesNonCollectees counts from here"
    place.opens()
    wait_for(place.is_whole, "what came while the gateway was away")
    wait_for(lambda: place.metric(COLLECTED) > since, "the all-clear")

    pen.close()
    (line,) = reading.timelines(place.archive.sealed, place.archive.keys, [TODAY], master(MADE, "A"))
    assert {int(one.ip.split(".")[3]) for one in line.spans} >= {1, 150, 250}
    assert [one.broken for one in report.chains(place.archive.sealed, TODAY)] == [""]


def test_whoever_has_another_token_gets_nothing_and_it_is_counted_on_both_sides(place: Place) -> None:
    place.gateway.day(TODAY)
    place.opens()
    place.starts(token="the word of somebody else altogether")
    place.another("failed")

    assert _files(place.archive) == {}
    assert place.rounds("done") == 0
    assert place.metric(COLLECTED) == 0, "never collected: the alert PreuvesNonCollectees fires"
    assert place.asked["done"] == 0
    assert place.asked["refused"] >= 2
    assert "the bearer token is not the one this gateway knows" in place.log


def test_a_gateway_with_anothers_certificate_is_not_even_told_the_token(place: Place) -> None:
    place.gateway.day(TODAY)
    place.opens()
    place.starts(authority=trustme.CA())
    place.another("failed")

    assert _files(place.archive) == {}
    assert place.asked == Tally()
    assert "CERTIFICATE_VERIFY_FAILED" in place.log
    assert TOKEN not in place.log


def _block(number: int, at: str) -> bytes:
    """A block with the lease of one device; the first begins the day."""
    mac = f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}"
    lines = [lease(at, mac, f"10.11.{number >> 8}.{number & 255}")]
    return ledger.records([head(at), all_said(at), *lines] if number == 1 else lines)


def test_a_file_spoiled_at_the_gateway_keeps_no_other_from_the_archive(place: Place) -> None:
    for back in (2, 1):
        place.gateway.day(TODAY - timedelta(days=back))
    whole = _files(place.gateway)
    spoiled = min(name for name in whole if name.endswith(".sealed"))
    (place.gateway.sealed / spoiled).write_bytes(b"\0" * 64 + whole[spoiled][64:])
    place.opens()
    place.starts()
    place.another("failed")

    assert place.process is not None
    assert place.process.poll() is None, place.log
    assert _files(place.archive) == {name: data for name, data in whole.items() if name != spoiled}
    assert spoiled in place.log
    assert place.metric(COLLECTED) == 0


def test_orders_that_cannot_be_read_erase_nothing_and_keep_nothing_from_being_collected(place: Place) -> None:
    place.gateway.day(TODAY - timedelta(days=1))
    (place.folder / "archive" / "holds.json").write_text("{", "utf-8")
    place.opens()
    place.starts()
    wait_for(place.is_whole, "what there is")

    assert place.process is not None
    assert place.process.poll() is None, place.log
    assert "holds.json" in place.log
    assert place.metric("archive_erased_timestamp_seconds") == 0
