"""Who had it: the timeline and the three questions, at the seconds where answers change."""

from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network, ip_address

import pytest
from sealed_days import ANNA, BRUNO, all_said, head, lease, ms, row, sec, session

from captive_portal.legal import conntrack, speakers
from captive_portal.legal.bindings import Thing
from captive_portal.legal.search import (
    Answer,
    AtMoment,
    OfDevice,
    OfSession,
    Unlawful,
    answers,
    communications,
    is_long,
)
from captive_portal.legal.timeline import Record, Timeline
from captive_portal.port_blocks import Blocks
from parvis.addresses import MacAddress

DAY = "2026-11-30"
IPV6 = "2001:db8:11::5"
ORDINARY = [
    head(f"{DAY}T00:00:00"),
    all_said(f"{DAY}T00:00:00"),
    lease(f"{DAY}T10:00:00.400", ANNA, "10.11.0.5"),
    session(f"{DAY}T10:00:02.500", ANNA, 7),
    lease(f"{DAY}T10:00:03", ANNA, IPV6),
    session(f"{DAY}T11:00:00.200", ANNA, 7, on=False),
    lease(f"{DAY}T11:30:00", ANNA, "10.11.0.5", on=False),
    lease(f"{DAY}T11:40:00", BRUNO, "10.11.0.5"),
    session(f"{DAY}T11:40:05", BRUNO, 8),
]
PORT = Blocks(IPv4Network("10.11.0.0/22"), IPv4Address("198.51.100.2")).of(IPv4Address("10.11.0.5"))[3]


def told(*lines: Record) -> list[Timeline]:
    return [Timeline("gw-msp").read(lines or ORDINARY)]


def had(at: str, address: str = "198.51.100.2", port: int | None = PORT, tolerance: int = 0) -> set[str]:
    question = AtMoment(ip_address(address), port, sec(f"{DAY}T{at}"), tolerance)
    return {one.mac for one in answers(question, told())}


@pytest.mark.parametrize(
    ("at", "who"),
    [
        ("10:00:01", set()),
        ("10:00:02", {ANNA}),
        ("10:30:00", {ANNA}),
        ("11:00:00", {ANNA}),
        ("11:00:01", set()),
        ("11:35:00", set()),
        ("11:40:04", set()),
        ("11:40:05", {BRUNO}),
        ("23:59:59", {BRUNO}),
    ],
)
def test_ret02_an_address_a_port_and_a_second_name_one_device_or_none(at: str, who: set[str]) -> None:
    assert had(at) == who


def test_ret02_another_port_another_address_and_another_day_name_nobody() -> None:
    assert had("10:30:00", port=PORT - 58) == set()
    assert had("10:30:00", port=1) == set()
    assert had("10:30:00", address="198.51.100.3") == set()
    assert answers(AtMoment(ip_address("198.51.100.2"), PORT, sec("2026-11-29T10:30:00")), told()) == []


def test_ret03_an_ipv6_address_needs_no_port() -> None:
    assert had("10:30:00", IPV6, None) == {ANNA}
    assert had("10:00:02", IPV6, None) == set(), "the session was there, the address not yet"
    assert had("11:00:01", IPV6, None) == set()


def test_ret03_of_two_devices_on_one_ipv6_address_who_took_it_over_holds_it() -> None:
    """The one before was silent for ten minutes; the kernel remembers it for an hour all the same."""
    old, heir = (Thing("six", f"02:00:00:00:00:0{n}", "2001:db8:11::7") for n in (1, 2))
    others = Thing("six", "02:00:00:00:00:03", "2001:db8:11::8")
    spoken, begun = {old: 1000, heir: 900_000, others: 5000}, {old: 500, heir: 900_000, others: 500}
    taken = speakers.held(spoken, begun, 899_000)
    later = speakers.held({**spoken, heir: 950_000}, {heir: 900_000, others: 500}, 949_000)
    again = speakers.held({old: 955_500, heir: 950_000}, {heir: 900_000}, 955_000)
    both = speakers.held({old: 955_500, heir: 955_700}, {heir: 900_000, old: 955_000}, 955_600)

    assert (taken.things, taken.moments[old]) == ({heir, others}, 900_000)
    assert later.things == {heir, others}, "what is remembered of the one before brings it not back"
    assert again.things == {old}
    assert both.things == {old, heir}


def test_req02_a_tolerance_widens_the_second_and_is_five_minutes_at_most() -> None:
    assert had("11:05:00", tolerance=300) == {ANNA}
    with pytest.raises(Unlawful, match="300 s"):
        had("11:05:00", tolerance=301)


def test_req02_without_a_port_an_ipv4_address_is_many_residents_and_is_refused() -> None:
    with pytest.raises(Unlawful, match="give the source port"):
        had("10:30:00", port=None)


def test_ret01_a_row_says_session_site_device_addresses_times_and_terms() -> None:
    found = answers(OfSession("maison-services-publics", 7, sec(f"{DAY}T00:00:00")), told())

    wanted = Answer("maison-services-publics", 7, ANNA, "10.11.0.5", "198.51.100.2", "1256-1313",
                    ms(f"{DAY}T10:00:02.500"), ms(f"{DAY}T11:00:00.200"), "2.0.0", certain=True)  # fmt: skip
    assert [one for one in found if one.private != IPV6] == [wanted]
    assert [(one.private, one.public, one.ports) for one in found if one.private == IPV6] == [(IPV6, IPV6, "")]


def test_req02_a_device_is_asked_for_in_a_window_and_only_its_own_rows_come() -> None:
    question = OfDevice(MacAddress(ANNA), sec(f"{DAY}T00:00:00"), sec(f"{DAY}T23:59:59"))

    assert {one.mac for one in answers(question, told())} == {ANNA}
    assert not is_long(question)
    assert is_long(OfDevice(MacAddress(ANNA), 0, 86_401))
    with pytest.raises(Unlawful, match="31 days"):
        answers(OfDevice(MacAddress(ANNA), 0, 32 * 86_400), told())


def test_a_recorder_that_was_gone_says_what_it_may_have_missed() -> None:
    """Anna is found again after the gap, Bruno is not: his end is somewhere in it."""
    lines = [
        head(f"{DAY}T00:00:00"),
        all_said(f"{DAY}T00:00:00"),
        *(lease(f"{DAY}T10:00:00", who, ip) for who, ip in ((ANNA, "10.11.0.5"), (BRUNO, "10.11.0.6"))),
        session(f"{DAY}T10:00:00", ANNA, 7),
        session(f"{DAY}T10:00:00", BRUNO, 8),
        {"k": "alive", "at": ms(f"{DAY}T10:10:00"), "offset": 0.0, "sync": 1},
        head(f"{DAY}T10:20:00"),
        lease(f"{DAY}T10:20:00", ANNA, "10.11.0.5", re=1, since=ms(f"{DAY}T10:20:00")),
        session(f"{DAY}T10:20:00", ANNA, 7, re=1, since=ms(f"{DAY}T10:20:00")),
        all_said(f"{DAY}T10:20:00"),
    ]
    (line,) = told(*lines)
    ends = {one.mac: (one.end, one.certain) for one in line.spans if one.kind == "session"}

    assert ends == {ANNA: (None, True), BRUNO: (ms(f"{DAY}T10:20:00"), False)}
    assert line.notes_about(sec(f"{DAY}T10:15:00"), sec(f"{DAY}T10:15:00")) == [
        f"{DAY}T10:10:00+00:00 à {DAY}T10:20:00+00:00 : l'enregistreur ne fonctionnait pas"
    ]


def test_a_recorder_that_took_over_missed_nothing() -> None:
    lines = [*ORDINARY, head(f"{DAY}T12:00:00", gap=0), all_said(f"{DAY}T12:00:00")]
    (line,) = told(*lines)

    assert [one.certain for one in line.spans if one.number == 8] == [True]
    assert line.notes == []


def test_the_door_open_to_all_is_everybodys_session() -> None:
    lines = [
        head(f"{DAY}T00:00:00"),
        all_said(f"{DAY}T00:00:00"),
        lease(f"{DAY}T10:00:00", ANNA, "10.11.0.5"),
        {"k": "door", "at": ms(f"{DAY}T10:05:00"), "on": 1, "n": 1},
        {"k": "door", "at": ms(f"{DAY}T10:06:00"), "on": 0, "n": 1},
    ]
    question = lambda at: AtMoment(ip_address("198.51.100.2"), PORT, sec(f"{DAY}T{at}"))  # noqa: E731

    assert [one.mac for one in answers(question("10:05:30"), told(*lines))] == [ANNA]
    assert answers(question("10:04:59"), told(*lines)) == []


def test_communications_are_those_of_the_answers_sessions_only() -> None:
    flows = list(
        conntrack.flows(
            row(f"{DAY}T10:10:00", f"{DAY}T10:11:00", 7, "10.11.0.5", "203.0.113.80")
            + row(f"{DAY}T10:10:00", f"{DAY}T10:11:00", 8, "10.11.0.6", "203.0.113.81")
            + row(f"{DAY}T10:50:00", f"{DAY}T10:51:00", 7, "10.11.0.5", "203.0.113.82")
        )
    )
    found = answers(OfDevice(MacAddress(ANNA), sec(f"{DAY}T10:00:00"), sec(f"{DAY}T10:30:00")), told())

    shown = communications(found, flows, sec(f"{DAY}T10:00:00"), sec(f"{DAY}T10:30:00"))
    assert [str(one.target) for one in shown] == ["203.0.113.80"]


def going_on(start: str, seen: str, target: str) -> bytes:
    """A row of a connection that was seen open."""
    made = bytearray(row(f"{DAY}T{start}", f"{DAY}T{seen}", 7, "10.11.0.5", target))
    made[18:20] = conntrack.OPEN.to_bytes(2, "big")
    return bytes(made)


def shown(flows: bytes, first: str, last: str, boots: tuple[tuple[str, int], ...] = ()) -> list[tuple[str, str, bool]]:
    window = sec(f"{DAY}T{first}"), sec(f"{DAY}T{last}")
    found = answers(OfDevice(MacAddress(ANNA), *window), told())
    listed = communications(found, conntrack.flows(flows), *window, boots)
    stop = lambda one: datetime.fromtimestamp(one.stop / 1e9, UTC).strftime("%H:%M")  # noqa: E731
    return [(str(one.target), stop(one), one.open) for one in listed]


def test_ret06_a_communication_seen_open_has_the_end_that_was_told_later_or_none() -> None:
    ended = row(f"{DAY}T10:10:00", f"{DAY}T10:25:00", 7, "10.11.0.5", "203.0.113.80")
    flows = going_on("10:10:00", "10:10:09", "203.0.113.80") + ended + going_on("10:12:00", "10:12:05", "203.0.113.81")
    again = going_on("10:12:00", "10:20:00", "203.0.113.81")

    assert shown(flows + again, "10:11:00", "10:15:00") == [
        ("203.0.113.80", "10:25", False),
        ("203.0.113.81", "10:20", True),
    ]
    assert shown(again + flows, "10:30:00", "10:40:00") == [("203.0.113.81", "10:20", True)], "it may still go on"


def test_ret06_no_communication_lasts_over_a_start_of_the_machine() -> None:
    flows = going_on("10:12:00", "10:12:05", "203.0.113.81")
    boot = ("maison-services-publics", ms(f"{DAY}T10:20:00"))

    assert shown(flows, "10:13:00", "10:14:00", (boot,)) == [("203.0.113.81", "10:12", True)]
    assert shown(flows, "10:21:00", "10:30:00", (boot,)) == []
    assert shown(flows, "10:21:00", "10:30:00", (("elsewhere", boot[1]),)) != []


def test_ret06_a_start_of_the_machine_is_known_by_its_name() -> None:
    lines = [
        head(f"{DAY}T00:00:00", boot="one"),
        head(f"{DAY}T09:00:00", boot="one"),
        head(f"{DAY}T10:00:00", boot="two"),
    ]

    assert told(*lines)[0].boots == [ms(f"{DAY}T10:00:00")]


def test_ret13_after_the_record_ends_nothing_is_certain_and_the_answer_says_so() -> None:
    """The power went and came back days later: the day that is read knows of no end."""
    lines = [*ORDINARY, {"k": "alive", "at": ms(f"{DAY}T12:00:00"), "offset": 0.0, "sync": 1}]
    question = lambda at: AtMoment(ip_address("198.51.100.2"), PORT, sec(f"{DAY}T{at}"))  # noqa: E731
    (line,) = told(*lines)

    assert [(one.mac, one.certain) for one in answers(question("12:01:00"), [line])] == [(BRUNO, True)]
    assert [(one.mac, one.certain) for one in answers(question("15:00:00"), [line])] == [(BRUNO, False)]
    assert line.notes_about(*[sec(f"{DAY}T15:00:00")] * 2) == [f"rien n'est écrit après {DAY}T12:00:00+00:00"]
    assert line.notes_about(*[sec(f"{DAY}T12:01:00")] * 2) == []
