"""A guests' network too large for blocks of ports: said before it is deployed, and in every answer."""

from ipaddress import IPv4Address, IPv4Network, ip_address
from pathlib import Path
from shutil import copytree

from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from sealed_days import ANNA, all_said, head, lease, ms, sec, session

from captive_portal.legal.search import AtMoment, OfDevice, answers
from captive_portal.legal.timeline import SHARED_PORTS, Timeline
from captive_portal.port_blocks import FIRST_PORT, OWN_PORTS, Blocks
from parvis.addresses import MacAddress
from parvis.cli import parvis
from parvis.inventory import DEMO_TOWN

DAY = "2026-11-30"
PUBLIC = IPv4Address("198.51.100.2")


@given(st.integers(21, 29), st.data())
def test_ret02_every_host_has_ports_of_its_own_and_every_port_one_host(prefix: int, data: st.DataObject) -> None:
    blocks = Blocks(IPv4Network(f"10.64.0.0/{prefix}"), PUBLIC)
    hosts = 2 ** (32 - prefix) - 2
    address = IPv4Address("10.64.0.0") + data.draw(st.integers(1, hosts))
    own = blocks.of(address)

    assert {blocks.holder(port) for port in own} == {address}
    assert FIRST_PORT <= own[0] <= own[-1] < OWN_PORTS[0]
    assert blocks.holder(own[0] - 1) != address
    assert blocks.holder(own[-1] + 1) != address


def test_ret02_parvis_check_refuses_a_network_too_large_for_blocks(tmp_path: Path) -> None:
    town = copytree(DEMO_TOWN, tmp_path / "town")
    site = town / "sites" / "maison-services-publics.yml"
    site.write_text(site.read_text("utf-8").replace("10.11.0.0/22", "10.64.0.0/20"), "utf-8")

    found = CliRunner().invoke(parvis, ["check", str(town)])
    assert found.exit_code == 1
    assert "10.64.0.0/20 leaves a device 14 ports of the public address, 29 are needed" in found.output
    assert "take a /21 or a smaller network" in found.output


def test_ret02_where_ports_are_shared_an_address_and_port_name_nobody_and_the_answer_says_why() -> None:
    lines = [
        head(f"{DAY}T00:00:00", guest="10.64.0.0/20"),
        all_said(f"{DAY}T00:00:00"),
        lease(f"{DAY}T10:00:00", ANNA, "10.64.0.5"),
        session(f"{DAY}T10:00:00", ANNA, 7),
    ]
    (line,) = timelines = [Timeline("gw-msp").read(lines)]
    moment = sec(f"{DAY}T10:00:30")

    assert answers(AtMoment(ip_address(PUBLIC), 1259, moment), timelines) == []
    assert line.notes_about(moment, moment) == [SHARED_PORTS]
    (row,) = answers(OfDevice(MacAddress(ANNA), moment, moment), timelines)
    assert (row.private, row.public, row.ports, row.begin) == ("10.64.0.5", str(PUBLIC), "", ms(f"{DAY}T10:00:00"))
