"""Five hundred residents behind one public address, with the real ruleset, conntrack and recorder: who had it, when."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from legal_town import PORTS, SITE, WEB4, WEB6, Arrived, Street, master, street, this_year
from resident import wait_for

from captive_portal.admission import Allow
from captive_portal.legal import conntrack, reading, report
from captive_portal.legal.conntrack import Flow
from captive_portal.legal.ledger import names_in
from captive_portal.legal.search import AtMoment, OfDevice, OfSession, answers, communications
from captive_portal.legal.segment import Store
from captive_portal.legal.timeline import Timeline
from parvis.addresses import MacAddress

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(300)]
Person = tuple[MacAddress, IPv4Address, int]
RESIDENTS, LEAVING = 500, 100


@dataclass
class Told:
    """What happened, and what was recorded of it."""

    street: Street
    timelines: list[Timeline]
    flows: list[Flow]
    arrived: list[Arrived]
    left: list[Person]
    before: int
    between: int


def people(first: int, count: int, number: int) -> list[Person]:
    """*count* devices on neighbouring addresses; *number*: the first session's."""
    macs = [MacAddress(f"02:00:00:{number >> 8:02x}:{n >> 8:02x}:{n & 255:02x}") for n in range(count)]
    return [(mac, IPv4Address("10.11.0.10") + first + n, number + n) for n, mac in enumerate(macs)]


def own6(person: Person) -> IPv6Address:
    return IPv6Address("2001:db8:11::1000") + person[2]


def talk(here: Street, crowd: list[Person], sport: int = 50_000) -> int:
    """Everybody from the same few source ports to the same hosts: the ports beyond must still tell them apart."""
    for person in crowd:
        for shift in range(PORTS):
            here.send(person[0], person[1], sport + shift % 2, shift)
        here.send(person[0], own6(person), sport)
    return len(crowd) * (PORTS + 1)


def next_seconds(count: int = 1) -> int:
    """Wait for a second that begins; which one."""
    target = int(time.time()) + count
    wait_for(lambda: time.time() >= target, "the next second")
    return target


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    with recorded() as made:
        yield made


@contextmanager
def recorded() -> Iterator[Told]:
    """Residents come, talk, and some leave their addresses to others; all under an injunction."""
    with street() as here:
        here.start(this_year())
        before = next_seconds() - 1
        first = people(0, RESIDENTS, 1)
        here.admit(first)
        sent = talk(here, first)
        here.settles(sent)
        here.recorded(sessions=RESIDENTS)
        next_seconds(2)  # the addresses of IPv6 are looked at every second
        here.leave(first[:LEAVING])
        here.recorded(sessions=RESIDENTS - LEAVING)
        between = next_seconds()
        next_seconds(2)
        heirs = people(0, LEAVING, 1001)
        here.admit(heirs)
        sent += talk(here, heirs, 51_000)  # other flows, not the old ones that go on
        here.settles(sent)
        here.recorded(sessions=RESIDENTS)
        next_seconds(3)
        here.forget_connections()
        wait_for(lambda: here.metric("evidence_connections_total") >= sent, "the connections")
        here.lost = {name: here.metric(f'evidence_lost_total{{source="{name}"}}') for name in ("sets", "connections")}
        here.told = here.ask("/metrics")
        here.stop()
        now = int(time.time())
        days = reading.days_of(now - 60, now)
        lines = reading.timelines(here.sealed, here.keys, days, master(here.made, "A"))
        flows = list(reading.traffic(here.sealed, here.keys, days, master(here.made, "B"), ["gw-msp"]))
        yield Told(here, lines, flows, here.arrived, first[:LEAVING], before, between)


def who(told: Told, packet: Arrived, shift: int = 0) -> set[str]:
    port = packet.port if "." in packet.address else None
    question = AtMoment(ip_address(packet.address), port, packet.second + shift)
    return {one.mac for one in answers(question, told.timelines)}


def test_ret02_f58_a_thousand_random_packets_of_500_residents_each_name_their_sender(told: Told) -> None:
    packets = [one for one in told.arrived if "." in one.address]
    chosen = random.Random(7).choices(packets, k=1000)

    wrong = [(one, found) for one in chosen if (found := who(told, one)) != {one.who}]
    assert wrong == []
    assert {one.address for one in packets} == {"198.51.100.2"}, "all behind one public address"
    assert len({one.who for one in chosen}) > 400


def test_ret02_no_public_port_was_ever_two_residents_at_once(told: Told) -> None:
    """The same public port serves several destinations; without blocks it would also serve several residents."""
    owners: dict[tuple[int, int], set[str]] = {}
    for one in told.arrived:
        if "." in one.address:
            owners.setdefault((one.port, one.second), set()).add(one.who)

    assert {key: names for key, names in owners.items() if len(names) > 1} == {}


def test_ret03_ipv6_addresses_name_their_sender_too(told: Told) -> None:
    packets = [one for one in told.arrived if ":" in one.address]
    chosen = random.Random(8).choices(packets, k=500)

    assert [(one, found) for one in chosen if (found := who(told, one)) != {one.who}] == []


def test_ret02_ret03_nobody_is_named_one_second_before_or_after(told: Told) -> None:
    gone = {mac.text for mac, _, _ in told.left}
    packets = [one for one in told.arrived if one.who in gone]
    assert len(packets) == LEAVING * (PORTS + 1)

    assert [one for one in packets if who(told, one, told.before - one.second)] == []
    assert [one for one in packets if who(told, one, told.between - one.second)] == []


def test_ret01_a_session_is_written_with_addresses_times_and_terms(told: Told) -> None:
    mac, address, number = told.left[5]
    found = answers(OfSession(SITE, number, told.before // 86_400 * 86_400), told.timelines)
    spans = [one for line in told.timelines for one in line.spans if one.number == number]

    assert {(one.mac, one.private, one.terms) for one in found} == {
        (mac.text, str(address), "2.0.0"),
        (mac.text, str(own6(told.left[5])), "2.0.0"),
    }
    assert [one.end is not None and one.begin // 1000 > told.before for one in spans] == [True]
    assert all(one.end is not None and one.end // 1000 < told.between for one in found)


def test_ret06_every_connection_is_in_store_b_with_its_recipient_and_its_times(told: Told) -> None:
    found = {(one.mark, str(one.source), str(one.target), one.tport) for one in told.flows}
    mac, address, number = told.left[7]
    mine = {(number, str(address), WEB4, 7000 + shift) for shift in range(PORTS)}

    assert len(conntrack.each_once(told.flows)) == len(told.arrived)
    assert all(not one.open for one in conntrack.each_once(told.flows))
    assert mine | {(number, str(own6(told.left[7])), WEB6, 7000)} <= found
    rows = answers(OfDevice(mac, told.before, told.between), told.timelines)
    shown = communications(rows, told.flows, told.before, told.between)
    assert len(shown) == PORTS + 1
    assert all(told.before <= one.start // 10**9 <= one.stop // 10**9 for one in shown)


def test_nothing_was_lost_and_every_chain_is_whole(told: Told) -> None:
    assert told.street.lost == {"sets": 0.0, "connections": 0.0}
    today = reading.days_of(told.before, told.before)[1]
    assert [(one.broken, one.blocks > 0) for one in report.chains(told.street.sealed, today)] == [("", True)] * 2


def test_ret07_no_address_and_no_word_of_a_packet_is_readable_on_the_disk_or_told_by_the_process(told: Told) -> None:
    """The packets' payload is the canary: the sender's MAC address, in words."""
    mac, address, _ = told.left[3]
    traces = [mac.text.encode(), bytes.fromhex(mac.text.replace(":", "")), str(address).encode(), address.packed,
              own6(told.left[3]).packed, str(own6(told.left[3])).encode()]  # fmt: skip
    written = {path.name: path.read_bytes() for path in told.street.folder.rglob("*") if path.is_file()}
    written["metrics"] = told.street.told.encode()

    assert {name for name, data in written.items() if any(one in data for one in traces)} == set()
    assert {"evidence.log", "metrics"} <= written.keys()
    assert any(name.startswith("A-") for name in written)


def test_ret12_moments_are_utc_milliseconds_with_the_clocks_state_beside(told: Told) -> None:
    begins = [one.begin for line in told.timelines for one in line.spans]

    assert all((told.before + 1) * 1000 <= one <= (told.between + 600) * 1000 for one in begins)
    assert len({one % 1000 for one in begins}) > 1, "milliseconds, not whole seconds"
    assert "evidence_clock_synchronised" in told.street.told


def test_ret06_without_an_injunction_no_communication_is_recorded_anywhere() -> None:
    with street() as here:
        here.start()
        crowd = people(0, 5, 1)
        here.admit(crowd)
        here.settles(talk(here, crowd))
        here.recorded(sessions=5)
        here.forget_connections()
        here.stop()

        assert names_in(here.sealed, Store.TRAFFIC) == []
        assert here.process is None
        assert len(names_in(here.sealed, Store.SOURCE)) == 1


def test_ret01_what_runs_out_ends_in_the_record_though_the_kernel_tells_nobody() -> None:
    """A session and a lease whose time is over: the kernel drops them without a word."""
    (mac, address, number), stays = people(0, 2, 1)
    with street() as here:
        here.start()
        here.admit([stays])
        here.gateway.lease({(address, mac): 3})
        here.gateway.apply([Allow(mac, number, 3, 50_000_000, 50_000_000)])
        here.recorded(sessions=2)
        here.recorded(sessions=1)
        here.stop()
        now = int(time.time())
        (line,) = reading.timelines(here.sealed, here.keys, reading.days_of(now - 60, now), master(here.made, "A"))

    ended = {one.kind: one for one in line.spans if one.mac == mac.text}
    assert set(ended) == {"session", "lease"}
    assert all(one.end is not None and one.end - one.begin <= 4000 and one.certain for one in ended.values())
    assert all(one.end is None for one in line.spans if one.mac == stays[0].text)
