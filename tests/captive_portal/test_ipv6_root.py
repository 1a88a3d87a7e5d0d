"""IPv6 behind the portal: what is advertised, who may speak from which address, and how many."""

import json
import socket
import struct
from contextlib import closing, suppress
from typing import Any

import pytest
from door_twin import WEB4, WEB6, Inside, Resident, Twin, connect, stops, wait_for

from captive_portal import advertisement

pytestmark = [pytest.mark.root, pytest.mark.slow]
API = "https://wifi.cachan.example/api/captive"
ETH_P_IPV6 = 0x86DD
PREFIX = "2001:db8:11:"


@pytest.fixture
def online(anna: Resident) -> Resident:
    if anna.api()["captive"]:
        anna.accepts()
    return anna


def addresses(resident: Resident) -> list[str]:
    listed = resident.run("ip", "-6", "-o", "addr", "show", "dev", "eth0", "scope", "global")
    return [line.split()[3].partition("/")[0] for line in listed.splitlines()]


def advertised(resident: Resident) -> dict[int, bytes]:
    """The options of the router advertisement that answers a solicitation of the kernel's."""
    with Inside(resident.namespace):
        ear = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_IPV6))
        ear.bind(("eth0", ETH_P_IPV6))
    ear.settimeout(10)
    with closing(ear):
        solicit(resident)
        while True:
            frame = ear.recv(2048)
            if frame[20] == socket.IPPROTO_ICMPV6 and frame[54] == advertisement.ROUTER_ADVERTISEMENT:
                assert frame[21] == 255
                return advertisement.options(frame[54:])


def solicit(resident: Resident) -> None:
    with Inside(resident.namespace):
        mouth = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        index = socket.if_nametoindex("eth0")
    mouth.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    with closing(mouth):
        mouth.sendto(struct.pack("!BBHI", advertisement.ROUTER_SOLICITATION, 0, 0, 0), ("ff02::2", 0, 0, index))


def informed(resident: Resident) -> dict[int, bytes]:
    """The options of the answer to a DHCPv6 information request (RFC 8415 section 18.2.6)."""
    identity = struct.pack("!HHHH6s", 1, 10, 3, 1, bytes.fromhex(resident.mac.replace(":", "")))
    request = b"\x0b\x00\x00\x07" + identity + struct.pack("!HHHH", 6, 4, 103, 23)
    with Inside(resident.namespace):
        channel = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        index = socket.if_nametoindex("eth0")
    with closing(channel):
        channel.settimeout(5)
        channel.bind(("::", 546, 0, index))
        channel.sendto(request, ("ff02::1:2", 547, 0, index))
        answer = channel.recv(2048)
    assert answer[:4] == b"\x07\x00\x00\x07"
    found, offset = {}, 4
    while offset + 4 <= len(answer):
        kind, length = struct.unpack_from("!HH", answer, offset)
        found[kind] = answer[offset + 4 : offset + 4 + length]
        offset += 4 + length
    return found


def test_f10_f11_r05_options_114_103_and_37_carry_the_same_uri(anna: Resident) -> None:
    lease = anna.joins()

    assert bytes.fromhex(lease["opt114"]).decode() == API
    assert advertised(anna)[advertisement.CAPTIVE_PORTAL].rstrip(b"\0").decode() == API
    assert informed(anna)[103].decode() == API


def test_the_kernel_takes_prefix_router_and_mtu_from_the_advertisement(anna: Resident) -> None:
    assert any(address.startswith(PREFIX) for address in addresses(anna))
    assert "proto ra" in anna.run("ip", "-6", "route", "show", "default")
    shown = anna.run("rdisc6", "-1", "eth0")
    for words in ("Prefix", "2001:db8:11::/64", "Recursive DNS server", "2001:db8:11::1", "MTU", "1500 bytes"):
        assert words in shown
    assert "2700 (0x00000a8c) seconds" in shown


def test_f23_f24_r16_r17_r30_an_address_taken_later_is_online_at_once(online: Resident) -> None:
    online.run("ip", "addr", "add", f"{PREFIX}:77/64", "dev", "eth0", "nodad", "preferred_lft", "0")

    assert reaches_from(online, f"{PREFIX}:77")
    assert online.reaches(WEB6)
    assert online.reaches(WEB4)


def reaches_from(resident: Resident, source: str) -> bool:
    page = resident.run("curl", "-sS", "--max-time", "2", "--interface", source, f"http://[{WEB6}]/", check=False)
    return page.strip() == "the internet"


def test_f22_another_devices_ipv6_address_is_not_believed(twin: Twin, online: Resident) -> None:
    before = twin.metric(9202, 'gateway_dropped_packets_total{reason="spoofed"}')
    bruno = twin.resident("c2")
    bruno.joins()
    bruno.accepts()
    assert bruno.reaches(WEB6)
    stolen = next(one for one in addresses(online) if one != f"{PREFIX}:77")
    assert reaches_from(online, stolen)
    bruno.run("ip", "addr", "add", f"{stolen}/64", "dev", "eth0", "nodad")

    assert not reaches_from(bruno, stolen)
    claim(bruno, stolen)
    entry = twin.within("gw", "ip", "neigh", "show", stolen, "dev", "guest0")
    assert online.mac in entry
    assert bruno.mac not in entry
    assert reaches_from(online, stolen)
    wait_for(lambda: twin.metric(9202, 'gateway_dropped_packets_total{reason="spoofed"}') > before + 1, "the count")
    bruno.run("ip", "addr", "del", f"{stolen}/64", "dev", "eth0")
    bruno.leaves()


def claim(resident: Resident, address: str) -> None:
    """An unsolicited neighbour advertisement that overrides (RFC 4861 section 4.4)."""
    link = b"\x02\x01" + bytes.fromhex(resident.mac.replace(":", ""))
    message = struct.pack("!BBHI", 136, 0, 0, 0x20000000) + socket.inet_pton(socket.AF_INET6, address) + link
    with Inside(resident.namespace):
        mouth = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        index = socket.if_nametoindex("eth0")
    mouth.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    with closing(mouth):
        mouth.sendto(message, ("ff02::1", 0, 0, index))


def test_a_device_that_takes_addresses_without_end_gets_sixteen_an_hour(twin: Twin, online: Resident) -> None:
    many = [f"{PREFIX}:a{n:02x}" for n in range(20)]
    for one in many:
        online.run("ip", "addr", "add", f"{one}/64", "dev", "eth0", "nodad", "preferred_lft", "0")

    reached = [one for one in many if reaches_from(online, one)]

    assert len(reached) < 8
    assert reached == many[: len(reached)]
    assert online.reaches(WEB4)
    wait_for(lambda: twin.metric(9202, 'gateway_dropped_packets_total{reason="crowded"}') > 0, "the count")
    for one in many:
        online.run("ip", "addr", "del", f"{one}/64", "dev", "eth0")


def test_r60_neighbour_discovery_and_dhcp_have_no_limit(anna: Resident) -> None:
    """A flood of refused packets uses up no budget that ARP, neighbour discovery or DHCP would need."""
    with Inside(anna.namespace), closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as flood:
        for n in range(3000):
            try:
                flood.sendto(b"x", (WEB4, 1024 + n))
            except OSError:
                continue

    assert answered_solicitations(anna, 200) > 190
    anna.run("ip", "neigh", "flush", "dev", "eth0")
    assert anna.joins()["router"] == "10.11.0.1"
    assert anna.run("ping", "-c", "1", "-W", "2", "2001:db8:11::1").count("1 received") == 1


def answered_solicitations(resident: Resident, count: int) -> int:
    """How many of so many neighbour solicitations at once the gateway answers (RFC 4861 section 4.3)."""
    target = socket.inet_pton(socket.AF_INET6, f"{PREFIX}:1")
    link = b"\x01\x01" + bytes.fromhex(resident.mac.replace(":", ""))
    with Inside(resident.namespace):
        mouth = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        index = socket.if_nametoindex("eth0")
    mouth.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    mouth.settimeout(1)
    found = 0
    with closing(mouth):
        for _ in range(count):
            mouth.sendto(struct.pack("!BBHI", 135, 0, 0, 0) + target + link, ("ff02::1:ff00:1", 0, 0, index))
        with suppress(TimeoutError):
            while found < count:
                found += mouth.recv(2048)[:1] == b"\x88"
    return found


def test_leaving_closes_both_families(online: Resident) -> None:
    with closing(connect(online.namespace, (WEB6, 5000))) as stream:
        assert stream.recv(10)

        online.leaves()

        assert stops(stream, 3)
    assert not online.reaches(WEB6)


def test_r53_a_device_that_speaks_ipv6_only_is_known_by_its_neighbour_entry_and_told_as_arrival(
    twin: Twin, anna: Resident
) -> None:
    start = asked(twin, op="arrivals", after=0, wait=0)["next"]
    anna.run("ip", "link", "set", "eth0", "down")
    twin.within("gw", "ip", "neigh", "flush", "dev", "guest0")
    anna.run("ip", "link", "set", "eth0", "up")
    wait_for(lambda: bool(addresses(anna)), "SLAAC")
    own = addresses(anna)[0]
    ping = ("ping", "-c1", "-I", own, "2001:db8:11::1")
    wait_for(lambda: "received, 0% packet loss" in anna.run(*ping, check=False), "the link")

    found = asked(twin, op="arrivals", after=start, wait=5)

    assert anna.mac in found["devices"]
    assert asked(twin, op="identify", address=own)["mac"] == anna.mac
    seen = asked(twin, op="device", mac=anna.mac)["device"]
    assert seen["ipv6"] >= 1
    assert seen["neighbour"] is not None
    anna.joins()


def asked(twin: Twin, **request: object) -> dict[str, Any]:
    (answer,) = twin.ask(json.dumps(request).encode())
    said: dict[str, Any] = json.loads(answer)
    return said
