"""Names before acceptance: true answers of every type, a budget for each device, and the walled garden."""

import json
import socket
import struct
from collections.abc import Iterator
from contextlib import closing, suppress

import pytest
from door_twin import (
    GARDEN4,
    GARDEN6,
    GARDEN_NAME,
    HTTPS_RECORD,
    WEB4,
    Inside,
    Resident,
    Twin,
    connect,
    refused,
    wait_for,
)
from leaks import ATTEMPTS, FarSide

from captive_portal import resolving

pytestmark = [pytest.mark.root, pytest.mark.slow]
FOREIGN_RESOLVERS = ("203.0.113.80", "2001:db8:ffff:80::80")
OUR_RESOLVERS = ("10.11.0.1", "2001:db8:11::1")
HTTPS, TXT = 65, 16
BURST, PER_SECOND = 200, 5


@pytest.fixture
def far_side(twin: Twin) -> Iterator[FarSide]:
    with FarSide(twin) as made:
        yield made


def ask(resident: Resident, server: str, name: str, kind: int = resolving.A) -> bytes:
    return ask_from(resident.namespace, server, name, kind)


def ask_from(namespace: str, server: str, name: str, kind: int) -> bytes:
    with Inside(namespace):
        channel = socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_DGRAM)
    with closing(channel):
        channel.settimeout(3)
        channel.connect((server, 53))
        channel.send(resolving.question(7, name, kind))
        return channel.recv(4096)


def ask_by_tcp(resident: Resident, server: str, name: str, kind: int = resolving.A) -> bytes:
    question = resolving.question(7, name, kind)
    with closing(connect(resident.namespace, (server, 53), 3)) as channel:
        channel.sendall(struct.pack("!H", len(question)) + question)
        return channel.recv(4096)[2:]


@pytest.mark.parametrize("server", [*OUR_RESOLVERS, *FOREIGN_RESOLVERS])
def test_f30_dns_before_acceptance_is_answered_by_us_whomever_it_is_for(
    anna: Resident, far_side: FarSide, server: str
) -> None:
    for answer in (ask(anna, server, "any.example.org"), ask_by_tcp(anna, server, "any.example.org")):
        assert [str(one) for one in resolving.answers(answer)] == [WEB4]
    assert far_side.arrived() == []


def test_r40_every_type_is_answered_as_the_internet_answers_it(twin: Twin, anna: Resident) -> None:
    assert bytes.fromhex(HTTPS_RECORD) in ask(anna, OUR_RESOLVERS[0], "typed.example.org", HTTPS)
    assert len(resolving.answers(ask(anna, OUR_RESOLVERS[1], "typed.example.org", resolving.AAAA))) == 1
    assert b"x" * 250 in ask(anna, OUR_RESOLVERS[0], "long.example.org", TXT)
    for kind in (2, 5, 6, 12, 15, 33, 35, 43, 48, 64, 257, 65280):
        ours = ask(anna, OUR_RESOLVERS[0], "any.example.org", kind)
        true = ask_from(twin.name("gw"), "203.0.113.53", "any.example.org", kind)
        assert (ours[3] & 15, ours[6:8]) == (true[3] & 15, true[6:8]), f"type {kind}"
    portal = ask(anna, OUR_RESOLVERS[0], "wifi.cachan.example", HTTPS)
    assert (portal[3] & 15, portal[6:8]) == (0, b"\0\0"), "the portal's own name has no HTTPS record, and says so"


def test_f27_r35_the_garden_is_open_in_both_families_and_nothing_beside_it(anna: Resident, far_side: FarSide) -> None:
    assert anna.api()["captive"] is True
    ask(anna, OUR_RESOLVERS[0], GARDEN_NAME)
    ask(anna, OUR_RESOLVERS[0], GARDEN_NAME, resolving.AAAA)

    assert anna.reaches(GARDEN4)
    assert anna.reaches(GARDEN6)
    assert connect(anna.namespace, (GARDEN4, 443)).close() is None
    assert refused(anna.namespace, (GARDEN4, 5000))
    assert not anna.reaches(WEB4)
    far_side.arrived()
    for attempt in ATTEMPTS:
        if attempt.port != 443:
            attempt(anna.namespace, GARDEN4)
    assert far_side.arrived() == []


def test_r35_dnsmasq_has_kept_the_capability_it_fills_the_sets_with(twin: Twin) -> None:
    status = twin.within("gw", "cat", f"/proc/{twin.processes['dnsmasq'].pid}/status")
    effective = int(status.split("CapEff:\t")[1].split()[0], 16)

    assert effective & 1 << 12
    assert "Uid:\t0" not in status


def test_r35_a_flushed_garden_is_noticed_and_filled_again(twin: Twin, anna: Resident) -> None:
    for family in (4, 6):
        wait_for(lambda f=family: twin.metric(9202, f'gateway_garden_addresses{{family="ipv{f}"}}') > 0, "the watch")
    twin.within("gw", "nft", "flush", "set", "inet", "portal", "garden4")
    twin.within("gw", "nft", "flush", "set", "inet", "portal", "garden6")
    assert not anna.reaches(GARDEN4)

    twin.stop("gatewayd")
    twin.start_gatewayd()

    wait_for(lambda: anna.reaches(GARDEN4) and anna.reaches(GARDEN6), "the garden")


def test_the_garden_goes_on_when_its_visitor_accepts(anna: Resident) -> None:
    with closing(connect(anna.namespace, (GARDEN4, 80))) as visit:
        anna.accepts()
        visit.sendall(b"GET / HTTP/1.1\r\nHost: famille.cachan.example\r\n\r\n")
        assert visit.recv(1000).startswith(b"HTTP/1.1 200")
    anna.leaves()


def test_f29_r39_a_tunnel_in_names_gets_a_trickle_by_udp_and_tcp(twin: Twin) -> None:
    bruno = twin.resident("c2")
    bruno.joins()

    assert answers_to_flood(bruno, 2000) <= BURST + 10 * PER_SECOND
    with pytest.raises(TimeoutError):
        ask(bruno, OUR_RESOLVERS[0], ".".join(["x" * 60, "y" * 60, "example.org"]))
    with pytest.raises(OSError, match=r"timed out|reset"):
        ask_by_tcp(bruno, OUR_RESOLVERS[0], ".".join(["x" * 60, "y" * 60, "z" * 60, "example.org"]))
    taken = 0
    for _ in range(40):
        with suppress(OSError):
            ask_by_tcp(bruno, OUR_RESOLVERS[0], "long.example.org", TXT)
            taken += 1
    assert taken <= 12
    wait_for(lambda: twin.metric(9202, 'gateway_dropped_packets_total{reason="dns"}') > 1000, "the count")


def test_who_is_online_has_no_budget_of_names(twin: Twin) -> None:
    bruno = twin.resident("c2")
    bruno.joins()
    bruno.accepts()
    try:
        assert answers_to_flood(bruno, 1000) > 2 * BURST
        assert ask(bruno, OUR_RESOLVERS[0], ".".join(["x" * 60, "y" * 60, "example.org"]))
    finally:
        bruno.leaves()


def answers_to_flood(resident: Resident, questions: int) -> int:
    """How many of so many questions at once are answered, half of them over each family."""
    found = 0
    with Inside(resident.namespace):
        channels = [socket.socket(family, socket.SOCK_DGRAM) for family in (socket.AF_INET, socket.AF_INET6)]
    for channel, server in zip(channels, OUR_RESOLVERS, strict=True):
        channel.settimeout(1)
        channel.connect((server, 53))
    for number in range(questions // 2):
        for channel in channels:
            channel.send(resolving.question(number, f"n{number}.example.org", TXT))
    for channel in channels:
        with closing(channel), suppress(TimeoutError):
            while channel.recv(4096):
                found += 1
    return found


def test_r47_another_device_is_served_while_one_floods(twin: Twin, anna: Resident) -> None:
    answers_to_flood(twin.resident("c2"), 1000)

    assert resolving.answers(ask(anna, OUR_RESOLVERS[0], "fresh.example.org"))
    assert json.dumps(anna.api())
