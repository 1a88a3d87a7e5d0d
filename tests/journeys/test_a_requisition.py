"""A requisition in the twin: a resident's connection, its address and port at the far end, and who is named."""

import csv
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from test_requisition import Town as Desk

from actors import Resident, eventually
from captive_portal.port_blocks import Blocks
from lab.building import Options
from lab.evidence import HOLDERS
from lab.plan import WEB
from lab.town import Lab
from parvis.namespaces import inside
from parvis.processes import EVIDENCE

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(180)]

SITE = "maison-services-publics"
OTHERS = frozenset({"monitor", "collectors", "console", "visitor", "prometheus", "alertmanager"})


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab(tmp_path_factory.mktemp("twin") / "lab")
    lab.up(Options(sites=(SITE,), residents=2, prefix="pq-", windows=False, without=OTHERS, evidence=True))
    yield lab
    lab.down()


class TwinsDesk(Desk):
    """The desk of the twin's archive, with the envelopes of its own ceremony."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.folder, self.settings = folder, lab.folder / "settings" / "archive.toml"
        self.steps = {}
        (folder / "archive").symlink_to(lab.folder / "centre" / "archive")
        (folder / "e").symlink_to(lab.folder / "holders" / "envelopes")

    def shares(self, store: str = "A", holders: tuple[str, str] = HOLDERS[:2]) -> str:
        return super().shares(store, holders)


def met(lab: Lab, who: Resident) -> tuple[str, int, int]:
    """*who* connects to a host of the internet: what that host writes down, (address, port, second)."""

    def listen() -> socket.socket:
        return socket.create_server((WEB[0], 7777))

    with inside(lab.plan.inet, listen) as server:
        asked = lab.exec(who.name, ["curl", "-sS", "--max-time", "0.5", f"telnet://{WEB[0]}:7777"])
        server.settimeout(10)
        channel, (address, port) = server.accept()
        channel.close()
        assert "refused" not in asked.stderr
        return address, port, int(time.time())


def sealed(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "sealed").glob("*.sealed")}


def test_ret02_req04_a_connection_leads_by_two_people_and_two_holders_to_the_device_that_made_it(
    twin: Lab, tmp_path: Path
) -> None:
    anna, bruno = (Resident(twin, f"{SITE}/{n}").accepts() for n in (1, 2))
    site = twin.town.site(SITE)
    metrics = f"http://{site.gateway.address}:{EVIDENCE.port}/metrics"
    eventually(
        lambda: "evidence_sessions 2.0" in twin.exec("gw-msp", ["curl", "-sS", metrics]).stdout, "both in the record"
    )
    address, port, second = met(twin, anna)
    gateway, archive = twin.folder / "gw-msp" / "evidence", twin.folder / "centre" / "archive"
    eventually(lambda: sealed(gateway) and sealed(gateway) == sealed(archive), "the archive has it all")

    desk = TwinsDesk(twin, tmp_path)
    for name in ("ana", "bob"):
        desk.hire(name, "requisition")
    at = datetime.fromtimestamp(second, UTC).isoformat()
    done = desk.search(desk.open_case(), f"--address={address}", f"--port={port}", f"--at={at}")
    assert done.exit_code == 0, done.output
    (found,) = csv.DictReader(StringIO((tmp_path / "usb" / "reponse.csv").read_text()), delimiter=";")

    macs = {one.name: one.mac.text for one in twin.plan.residents}
    leased = twin.lease(anna.name)["ip"]
    assert address == str(site.uplink.address)
    assert port in Blocks(site.guest.ipv4, site.uplink.address).of(IPv4Address(leased))
    assert (found["mac"], found["adresse_privee"]) == (macs[anna.name], leased)
    assert macs[bruno.name] not in done.output


def test_ret07_what_gateway_and_archive_hold_shows_no_device_to_whoever_reads_the_disks(twin: Lab) -> None:
    traces = [one.mac.text.encode() for one in twin.plan.residents]
    places = [twin.folder / "gw-msp" / "evidence", twin.folder / "centre" / "archive" / "sealed", twin.folder / "logs"]
    read = [path for place in places for path in place.rglob("*") if path.is_file() and "gw-msp-r" not in path.name]

    assert [path.name for path in read if any(one in path.read_bytes() for one in traces)] == []
    assert {path.suffix for path in read} >= {".sealed", ".key", ".log"}
