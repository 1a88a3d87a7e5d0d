"""Before acceptance nothing gets out, in either family; and these tests would notice if something did."""

import json
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from door_twin import WEB4, WEB6, Inside, Resident, Twin, connect
from leaks import ATTEMPTS, Attempt, FarSide

pytestmark = [pytest.mark.root, pytest.mark.slow]
OTHER_SITE4, EQUIPMENT, GATEWAY_INSIDE, CENTRE = "10.12.0.1", "10.91.1.2", "10.91.1.1", "10.90.0.1"
OTHER_SITE6 = "2001:db8:12::1"
OUTSIDE = (WEB4, WEB6)
INSIDE = (OTHER_SITE4, EQUIPMENT, GATEWAY_INSIDE, CENTRE, OTHER_SITE6)
FOREIGN = """
table inet proxy {
  chain before {
    type nat hook prerouting priority dstnat - 5;
    tcp dport { 80, 443 } dnat ip to 203.0.113.80:5000
    tcp dport { 80, 443 } dnat ip6 to [2001:db8:ffff:80::80]:5000
  }
  chain marked { type filter hook prerouting priority mangle - 5; ct state new ct mark set SESSION; }
  chain through { type filter hook forward priority filter - 10; accept; }
  chain out { type nat hook postrouting priority srcnat - 10; masquerade; }
}
"""
PORTAL_PORTS = {53, 80, 443}
EVERYBODY_SCANS = range(1, 1025)


@pytest.fixture
def far_side(twin: Twin) -> Iterator[FarSide]:
    with FarSide(twin) as made:
        yield made


@pytest.mark.parametrize("target", OUTSIDE)
@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda one: one.name)
def test_f25_r15_r58_before_acceptance_nothing_arrives_and_each_try_is_refused_at_once(
    anna: Resident, far_side: FarSide, attempt: Attempt, target: str
) -> None:
    end = attempt(anna.namespace, target)

    assert far_side.arrived() == []
    assert attempt.refused(end), end


@pytest.mark.parametrize("target", INSIDE)
@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda one: one.name)
def test_before_acceptance_the_towns_own_networks_are_closed(
    anna: Resident, far_side: FarSide, attempt: Attempt, target: str
) -> None:
    end = attempt(anna.namespace, target)

    assert far_side.arrived() == []
    assert attempt.refused(end), end


@pytest.mark.parametrize("target", OUTSIDE)
def test_plain_http_is_answered_by_the_portal_and_never_arrives(anna: Resident, far_side: FarSide, target: str) -> None:
    with closing(connect(anna.namespace, (target, 80))) as browser:
        browser.sendall(b"GET /generate_204 HTTP/1.1\r\nHost: example.net\r\n\r\n")
        assert browser.recv(100).startswith(b"HTTP/1.1 302 ")

    assert far_side.arrived() == []


@contextmanager
def a_hole(twin: Twin, rule: str) -> Iterator[None]:
    """Somebody's rule that lets through, for as long as gatewayd can be kept from undoing it."""
    twin.stop("gatewayd")
    twin.within("gw", "nft", "insert", "rule", "inet", "portal", *rule.split())
    try:
        yield
    finally:
        twin.start_gatewayd()


@pytest.mark.parametrize("target", OUTSIDE)
def test_the_far_side_notices_every_try_once_there_is_a_hole(
    twin: Twin, anna: Resident, far_side: FarSide, target: str
) -> None:
    """The proof that the tests above can fail: the same tries, with a hole made on purpose."""
    missed = []
    with a_hole(twin, 'forward iifname "guest0" accept'):
        for attempt in ATTEMPTS:
            attempt(anna.namespace, target)
            if not far_side.arrived():
                missed.append(attempt.name)

    assert missed == []
    assert ATTEMPTS[0](anna.namespace, target) == "ConnectionRefusedError"
    assert far_side.arrived() == []


def listening(twin: Twin) -> set[int]:
    """The ports somebody listens on in the gateway's namespace, TCP and UDP."""
    ports = set()
    for kind in ("-tln", "-uln"):
        for line in twin.within("gw", "ss", "-H", kind).splitlines():
            ports.add(int(line.split()[3].rpartition(":")[2]))
    return ports


@pytest.mark.parametrize(
    "address", ["10.11.0.1", GATEWAY_INSIDE, "198.51.100.2", "2001:db8:11::1", "2001:db8:ffff:1::2"]
)
def test_sec01_only_the_portal_answers_at_the_gateways_addresses(twin: Twin, anna: Resident, address: str) -> None:
    ports = listening(twin) | set(EVERYBODY_SCANS)
    assert {8080, 8443, 9201, 9202} <= ports

    open_ports = {port for port in ports if answers(anna.namespace, address, port)}

    redirected = {53, 80} if address not in {"10.11.0.1", "2001:db8:11::1"} else PORTAL_PORTS
    assert open_ports == redirected


def answers(namespace: str, address: str, port: int) -> bool:
    try:
        connect(namespace, (address, port), 2).close()
    except ConnectionRefusedError:
        return False
    return True


def test_sec01_residents_do_not_reach_each_other_by_switch_or_router(twin: Twin, anna: Resident) -> None:
    """The bridge's isolated ports stand for the access points' client isolation; the router must not undo it."""
    bruno = twin.resident("c2")
    bruno.joins()
    with Inside(bruno.namespace), closing(socket.create_server(("0.0.0.0", 7000))):
        assert arp_is_silent(anna, bruno.ipv4)
        gateway = twin.within("gw", "cat", "/sys/class/net/guest0/address").strip()
        anna.run("ip", "neigh", "replace", bruno.ipv4, "lladdr", gateway, "dev", "eth0")
        try:
            with pytest.raises(OSError, match=r"timed out|unreachable|refused|No route"):
                connect(anna.namespace, (bruno.ipv4, 7000), 1)
        finally:
            anna.run("ip", "neigh", "del", bruno.ipv4, "dev", "eth0")


def arp_is_silent(resident: Resident, address: str) -> bool:
    with pytest.raises(OSError, match=r"timed out|No route"):
        connect(resident.namespace, (address, 7000), 4)
    state = resident.run("ip", "neigh", "show", address)
    return "FAILED" in state or "INCOMPLETE" in state


def test_f02_r10_port_443_is_reset_and_never_redirected(anna: Resident, far_side: FarSide) -> None:
    for target in OUTSIDE:
        with pytest.raises(ConnectionRefusedError):
            connect(anna.namespace, (target, 443))
    assert far_side.arrived() == []


def test_r12_a_foreign_nat_table_neither_lets_out_nor_hides_the_portal(
    twin: Twin, anna: Resident, far_side: FarSide, tmp_path: Path
) -> None:
    """A transparent proxy's, one that marks everything and one that accepts everything, before ours in each hook."""
    bruno = twin.resident("c2")
    bruno.joins()
    bruno.accepts()
    (answer,) = twin.ask(json.dumps({"op": "session", "mac": bruno.mac}).encode())
    foreign = tmp_path / "foreign.nft"
    foreign.write_text(FOREIGN.replace("SESSION", str(json.loads(answer)["session"]["session"])))
    twin.within("gw", "nft", "-f", str(foreign))
    try:
        for target in OUTSIDE:
            host = f"[{target}]" if ":" in target else target
            assert anna.code(f"http://{host}/generate_204").startswith("302 ")
            for attempt in ATTEMPTS:
                assert attempt.refused(attempt(anna.namespace, target)), attempt.name
        assert far_side.arrived() == []
    finally:
        twin.within("gw", "nft", "delete", "table", "inet", "proxy")
