"""Who appears, and which MAC address is at two places."""

import socket
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captive_portal import neighbours, presence
from captive_portal.presence import Presence
from parvis.addresses import MacAddress

ANNA, BRUNO = (MacAddress.parse(f"02:00:00:00:00:0{n}") for n in (1, 2))
FOUR, SIX = IPv4Address("10.11.0.5"), IPv6Address("2001:db8:11::5")


def test_a_device_appears_once_however_many_addresses_it_has_and_again_after_it_was_gone() -> None:
    book = Presence()

    assert [book.speaks(ANNA, SIX), book.speaks(ANNA, FOUR), book.speaks(ANNA, SIX)] == [True, False, False]
    book.silent(SIX)
    assert not book.speaks(ANNA, FOUR)
    book.silent(FOUR)
    book.silent(FOUR)
    assert book.speaks(ANNA, FOUR)


def test_an_address_that_changes_hands_leaves_its_first_owner_without_it() -> None:
    book = Presence()
    book.speaks(ANNA, SIX)

    assert book.speaks(BRUNO, SIX)
    assert book.speaks(ANNA, FOUR)


@pytest.mark.parametrize(("state", "believed"), [(0x02, True), (0x04, True), (0x20, False), (0x01, False)])
def test_r53_an_address_whose_neighbour_no_longer_answers_is_nobodys(state: int, *, believed: bool) -> None:
    """Reachable, stale; failed, incomplete (linux/neighbour.h): the kernel keeps the last link address of those."""
    body = neighbours._NDMSG.pack(socket.AF_INET6, 0, 0, 3, state, 0, 0)
    body += neighbours._ATTRIBUTE.pack(10, neighbours.NDA_LLADDR) + bytes.fromhex("020000000001") + bytes(2)
    answer = neighbours._HEADER.pack(16 + len(body), neighbours.RTM_NEWNEIGH, 0, 1, 0) + body

    assert neighbours.read_answer(answer) == (ANNA if believed else None)


def test_two_dhcp_clients_that_take_turns_are_one_address_at_two_places() -> None:
    book = Presence()

    told = [book.client(ANNA, client, 60.0 * minute) for minute, client in enumerate([1, 1, 2, 2, 1, 2])]

    assert told == [False, False, False, False, True, False]
    assert book.twice(ANNA, 300.0) == "dhcp"
    assert book.twice(ANNA, 300.0 + presence.HOLDS_SECONDS) is None
    assert book.twice(BRUNO, 300.0) is None


@pytest.mark.parametrize(
    "clients", [[(0, 1), (60, 2)], [(0, 1), (60, 2), (120, 3)], [(0, 1), (60, 2), (4000, 1)], [(0, 1)] * 9]
)
def test_a_device_that_starts_another_system_is_no_copy(clients: list[tuple[float, int]]) -> None:
    book = Presence()

    assert not any(book.client(ANNA, client, now) for now, client in clients)


def test_f44_a_device_that_walks_from_access_point_to_access_point_is_no_copy() -> None:
    book = Presence()

    assert not any(book.port(ANNA, port, now) for now, port in [(0, 1), (2, 2), (3, 1), (60, 2), (90, 3), (95, 1)])


def test_an_address_that_jumps_between_two_ports_is_told_once() -> None:
    book = Presence()

    told = [book.port(ANNA, 1 + n % 2, n / 2) for n in range(12)]

    assert told.count(True) == 1
    assert book.twice(ANNA, 6.0) == "bridge"


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.booleans()), max_size=60))
def test_r21_the_book_knows_exactly_who_holds_what_and_stays_bounded(
    steps: list[tuple[int, int, bool]],
) -> None:
    book, model = Presence(), dict[IPv4Address, MacAddress]()
    for who, which, speaks in steps:
        mac, address = MacAddress.parse(f"02{who:010x}"), IPv4Address(which + 1)
        if speaks:
            assert book.speaks(mac, address) == (mac not in model.values())
            model[address] = mac
        else:
            book.silent(address)
            model.pop(address, None)
    assert {mac for mac, held in book._addresses.items() if held} == set(model.values())


def test_r21_more_devices_than_it_holds_push_the_oldest_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "MOST", 3)
    book = Presence()
    for n in range(10):
        mac = MacAddress.parse(f"02{n:010x}")
        book.speaks(mac, IPv4Address(n + 1))
        for turn in range(3):
            book.client(mac, turn % 2, 1.0)

    assert len(book._who) == len(book._addresses) == len(book._places["dhcp"]) == len(book._found) == 3
