"""A site without IPv6: not forgotten but closed, whatever a device configures for itself."""

import socket
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest
from door_twin import WEB4, WEB6, Inside, Resident, Twin, connect, wait_for
from leaks import ATTEMPTS, ETH_P_ALL, FarSide
from test_ipv6_root import ETH_P_IPV6, solicit

pytestmark = [pytest.mark.root, pytest.mark.slow]
OWN, ROUTER = "2001:db8:11::55", "fe80::1"


@pytest.fixture(scope="module")
def without_ipv6() -> bool:
    return True


@pytest.fixture(scope="module")
def anna(twin: Twin) -> Resident:
    """A device with an IPv6 address and router that nobody has offered, and the gateway's MAC address."""
    found = twin.resident("c1")
    found.joins(ipv6=False)
    gateway = twin.within("gw", "cat", "/sys/class/net/guest0/address").strip()
    found.run("ip", "addr", "add", f"{OWN}/64", "dev", "eth0", "nodad")
    found.run("ip", "-6", "neigh", "add", ROUTER, "lladdr", gateway, "dev", "eth0")
    found.run("ip", "-6", "route", "add", "default", "via", ROUTER, "dev", "eth0")
    return found


@pytest.fixture
def far_side(twin: Twin) -> Iterator[FarSide]:
    with FarSide(twin) as made:
        yield made


@pytest.fixture(params=["as deployed", "only the ruleset"])
def kernel(twin: Twin, request: pytest.FixtureRequest) -> Iterator[None]:
    """The ruleset alone must close it, even where somebody has switched IPv6 on again."""
    open_again = request.param == "only the ruleset"
    keys = ("net.ipv6.conf.guest0.disable_ipv6=0", "net.ipv6.conf.all.forwarding=1")
    if open_again:
        twin.within("gw", "sysctl", "-qw", *keys)
        twin.within("gw", "ip", "addr", "add", "2001:db8:11::1/64", "dev", "guest0", "nodad")
        twin.within("gw", "ip", "addr", "add", f"{ROUTER}/64", "dev", "guest0", "nodad")
    yield
    twin.within("gw", "sysctl", "-qw", "net.ipv6.conf.guest0.disable_ipv6=1")


@pytest.mark.usefixtures("kernel")
def test_f23_f25_r15_r16_nothing_is_forwarded_or_delivered_even_for_an_admitted_device(
    anna: Resident, far_side: FarSide
) -> None:
    if anna.api()["captive"]:
        anna.accepts()
    assert anna.reaches(WEB4)
    far_side.arrived()

    for target in (WEB6, "2001:db8:11::1"):
        for attempt in ATTEMPTS[::3]:
            assert attempt(anna.namespace, target) != "answered"
        assert far_side.arrived() == []
    with pytest.raises(OSError, match=r"timed out|unreachable|refused|No route"):
        connect(anna.namespace, ("2001:db8:11::1", 443), 1)


@pytest.mark.usefixtures("kernel")
def test_f11_no_router_is_advertised_and_no_neighbour_answered(anna: Resident) -> None:
    with Inside(anna.namespace):
        ear = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        ear.bind(("eth0", ETH_P_ALL))
    ear.settimeout(1)
    own = bytes.fromhex(anna.mac.replace(":", ""))
    with closing(ear):
        solicit(anna)
        anna.run("ping", "-c", "1", "-W", "1", "2001:db8:11::1", check=False)
        anna.run("ping", "-c", "1", "-W", "1", "fe80::1%eth0", check=False)
        heard = [frame for frame in until_silence(ear) if frame[12:14] == ETH_P_IPV6.to_bytes(2, "big")]
    assert any(frame[6:12] == own for frame in heard), "the ear works"
    answers = [frame for frame in heard if frame[6:12] != own]
    assert [frame.hex() for frame in answers if frame[:6] == own or frame[54] in {134, 136}] == []


def until_silence(ear: socket.socket) -> Iterator[bytes]:
    with suppress(TimeoutError):
        while True:
            yield ear.recv(2048)


def test_what_was_dropped_is_counted(twin: Twin, anna: Resident) -> None:
    twin.within("gw", "sysctl", "-qw", "net.ipv6.conf.guest0.disable_ipv6=0")
    anna.run("ping", "-c", "1", "-W", "1", WEB6, check=False)

    counted = 'gateway_dropped_packets_total{reason="closed"}'
    wait_for(lambda: twin.metric(9202, counted) > 0, "the count")
    assert twin.metric(9202, counted) >= 1
