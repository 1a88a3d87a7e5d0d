"""What users of other programs complain of, and no other test here is about (tests/peers_ears.yml)."""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from snmp_agents import PORTS, SYSTEM, UNIFI, MemoryAgent, agent, table
from snmp_asking import AUTH_PRIV, HASTY, RealAgent, run
from test_board import AP, NAMED
from test_poller import PACING, once, secret
from test_prometheus import read_back

from collectors import ports, prometheus
from collectors.access import open_session
from collectors.board import Board
from collectors.clocks import Continued, Rebooted
from collectors.device import Device
from collectors.known import known
from collectors.poller import FIRST_ROUND_SECONDS, Poller
from collectors.schedule import offset_seconds
from collectors.service import endpoint
from collectors.snmp import ber, walk
from collectors.snmp.errors import SnmpError
from collectors.snmp.transport import Exchange
from collectors.snmp.walk import Pace
from collectors.web import Questions
from parvis.inventory import Town
from parvis.values import Secret

SYS_NAME = ber.oid("1.3.6.1.2.1.1.5.0")
WORDS = st.binary(max_size=300)


def soon(count: int) -> list[str]:
    """Names of devices whose first turn comes at once."""
    names = (f"ap-{number}" for number in range(1000))
    return [name for name in names if offset_seconds(name, FIRST_ROUND_SECONDS) < 0.1][:count]


def until(true: Callable[[], Any]) -> None:
    for _ in range(1500):
        if true():
            return
        time.sleep(0.02)
    pytest.fail("no device was polled within half a minute")


@pytest.mark.parametrize(("context", "is_heard"), [("", True), ("vlan-7", False)])
def test_s10_the_context_of_the_inventory_reaches_the_agent(snmpd: RealAgent, context: str, is_heard: bool) -> None:
    """Debian's agent serves the default context; what is asked in another, it does not know."""

    async def work(exchange: Exchange) -> dict[bytes, Any]:
        device = Device("ap-1", *snmpd.address, context=context)
        session = open_session(exchange, snmpd.address, AUTH_PRIV, secret, HASTY, device)
        return await walk.get(session, [SYS_NAME], Pace())

    try:
        found = run(work)
    except SnmpError:
        found = {}

    assert (SYS_NAME in found) == is_heard


def test_g01_a_hundred_scrapes_send_no_datagram(town: Town) -> None:
    """Nor does a scrape of one device, of the targets, or of a device that was never reached."""
    memory = MemoryAgent(UNIFI)
    with agent(memory) as (host, port):
        [name] = soon(1)
        device = Device(name, host, port, credential="anciennes-v2c", site="msp")
        board = Board([device], stale_after_seconds=60)
        poller = Poller(town, [device], lambda _: Secret("public"), board, replace(PACING, interval_seconds=3600))
        questions = Questions(board, (), lambda: 0.0, gzip=False)
        with poller, endpoint(("127.0.0.1", 0), board, poller, questions=questions) as page:
            until(lambda: board.standings()[0].up)
            before = len(memory.asked)
            for path in ("metrics", f"snmp?target={name}", "sd", "devices.json") * 25:
                with urlopen(f"http://127.0.0.1:{page.port}/{path}", timeout=5) as answer:
                    assert answer.status == 200

    assert len(memory.asked) == before


def test_g10_what_people_write_is_a_label_of_port_info_alone() -> None:
    alias = {"1.3.6.1.2.1.31.1.1.1.18.2": (ber.OCTET_STRING, b"vers la mairie")}
    [found] = once(MemoryAgent({**UNIFI, **alias}))

    named = {sample.metric for sample in found.samples if "vers la mairie" in dict(sample.labels).values()}
    assert named == {"port_info"}


def test_g12_a_clock_that_is_absent_is_not_asked_for_at_the_next_poll() -> None:
    memory = MemoryAgent(UNIFI)
    marks: list[int] = []

    once(memory, times=2, change=lambda: marks.append(len(memory.asked)))

    host = ber.oid("1.3.6.1.2.1.25.1.1.0")
    first, second = memory.asked[: marks[0]], memory.asked[marks[0] :]
    asked = [[name for request in part for name, _, _ in request.varbinds] for part in (first, second)]
    assert (host in asked[0], host in asked[1]) == (True, False)
    assert ber.oid("1.3.6.1.2.1.1.3.0") in asked[1]


def test_g14_after_a_reboot_the_new_clocks_are_what_counts() -> None:
    memory = MemoryAgent(UNIFI)
    uptimes = iter((700, 6700, 12700))

    def change() -> None:
        memory._cells[ber.oid("1.3.6.1.2.1.1.3.0")] = (ber.TIME_TICKS, next(uptimes))

    assert [found.clock for found in once(memory, times=3, change=change)] == [None, Rebooted, Continued]


def test_g20_a_poll_opens_no_file_and_so_no_mib() -> None:
    """Whoever opens it, and however: Python's own audit says so. What is imported for the first time does not count."""
    known()
    opened: list[str] = []
    is_watched = [True]

    def watch(event: str, words: tuple[Any, ...]) -> None:
        if is_watched[0] and event == "open" and not str(words[0]).endswith((".py", ".pyc", ".so")):
            opened.append(str(words[0]))

    sys.addaudithook(watch)  # it cannot be taken away again
    [found] = once(MemoryAgent(UNIFI))
    here = opened.copy()
    Path(__file__).with_name("vendors.yml").read_text()
    is_watched[0] = False

    assert found.profile == "unifi"
    assert here == []
    assert [Path(name).name for name in opened] == ["vendors.yml"], "a file that is opened would have been seen"


def test_g30_ten_times_the_access_points_of_a_controller_are_not_ten_times_the_tables() -> None:
    """Aruba Instant's access points and radios: one walk of each table, whatever its rows."""

    def requests(count: int) -> int:
        rows = range(1, count + 1)
        entry = "1.3.6.1.4.1.14823.2.3.3.1.2.1.1"
        names = {f"{entry}.{arc}.2.0.0.0.{n >> 8}.{n & 255}": (ber.OCTET_STRING, b"ap") for n in rows for arc in (2, 6)}
        says = {"1.3.6.1.2.1.1.2.0": (ber.OBJECT_IDENTIFIER, ber.oid("1.3.6.1.4.1.14823.1.2.111"))}
        memory = MemoryAgent({**SYSTEM, **says, **names})
        [found] = once(memory)
        assert found.profile == "aruba_instant"
        return len(memory.asked)

    assert requests(100) < 3 * requests(10)


def test_g31_a_local_number_that_is_no_ifindex_and_a_bridges_name_lead_to_the_port() -> None:
    known = {b"\x07": {"name": "ether2", "port": "ether2"}, b"\x02": {"name": "sfp1", "port": "sfp1"}}
    local = {b"\x02": {"subtype": 5, "id": "bridge1/ether2"}}

    found = ports.derive_lldp({b"\x00\x02\x01": {}}, local, known)

    assert [row["local_port"] for row in found.values()] == ["ether2"]


CDP = "1.3.6.1.4.1.9.9.23.1.2.1.1"


def test_s27_a_neighbour_that_speaks_cdp_only_is_found_and_one_that_speaks_both_once() -> None:
    """Two ports: LLDP and CDP know who is behind the first, CDP alone who is behind the second; also by plan."""
    both = {
        "1.0.8802.1.1.2.1.4.1.1.9.0.1.1": (ber.OCTET_STRING, b"sw-hall"),
        **{f"{CDP}.6.{port}.1": (ber.OCTET_STRING, name) for port, name in ((1, b"sw-hall.x"), (2, b"ap-old"))},
    }
    for found in once(MemoryAgent({**UNIFI, **both}), times=2):
        told = [dict(sample.labels) for sample in found.samples if sample.metric == "lldp_neighbor_info"]
        assert {(each["port"], each["remote_name"]) for each in told} == {("lo", "sw-hall"), ("eth0", "ap-old")}


@settings(max_examples=25)
@example([b"a" * 300, b"\xff\xfe", b"\x00\x07\n\r\x1b[31m", "salle \u2028 \u202e".encode()])
@given(st.lists(WORDS, min_size=1, max_size=5))
def test_g34_no_bytes_of_a_description_break_the_page(words: list[bytes]) -> None:
    texts = [bytes(word) for word in words]
    strings = {1: ber.OCTET_STRING, 18: ber.OCTET_STRING, 6: ber.COUNTER64}
    columns: dict[int, list[Any]] = {1: texts, 6: list(range(len(texts))), 18: texts}
    [found] = once(MemoryAgent({**SYSTEM, **PORTS, **table("1.3.6.1.2.1.31.1.1.1", columns, strings)}))

    text = prometheus.page([prometheus.readings(found.samples)])

    counters = [sample for sample in found.samples if sample.metric == "port_receive_bytes_total"]
    assert len([series for series in read_back(text) if series[0] == "port_receive_bytes_total"]) == len(counters)
    aliases = [dict(sample.labels).get("alias", "") for sample in found.samples if sample.metric == "port_info"]
    assert all(len(alias) <= 128 and alias.isprintable() for alias in aliases)
    assert sum(1 for family in text_string_to_metric_families(text) for _ in family.samples) == len(found.samples)


def test_g33_the_time_of_a_sample_is_that_of_its_poll_and_not_of_the_scrape() -> None:
    board = Board([AP], stale_after_seconds=180)
    [found] = once(MemoryAgent(UNIFI))
    board.put(AP, found, now=1003.0, duration_seconds=3, budget=40)

    early, late = (read_back(board.metrics(now, {})) for now in (1010.0, 1170.0))
    [standing] = board.standings()

    success = ("snmp_poll_last_success_timestamp_seconds", frozenset(NAMED))
    assert early[success] == late[success] == 1003
    assert standing.polled
    assert {sample.at for sample in standing.polled.samples} == {1000.0}, "when it was asked"


def test_s46_what_a_poll_cost_is_told_of_the_device_that_caused_it(town: Town) -> None:
    """One answers, one is silent: time-outs are the silent one's."""
    memory = MemoryAgent(UNIFI)
    there, gone = soon(2)
    with agent(memory) as (host, port), agent(lambda _: []) as (_, silent):
        named = [
            Device(name, host, number, credential="anciennes-v2c", site="msp")
            for name, number in ((there, port), (gone, silent))
        ]
        board = Board(named, stale_after_seconds=60)
        with Poller(town, named, lambda _: Secret("public"), board, replace(PACING, interval_seconds=3600)):
            until(lambda: all(standing.up is not None for standing in board.standings()))
    found = read_back(board.metrics(time.time(), {}))

    def told(metric: str, device: str) -> float | None:
        return found.get((metric, frozenset({("site", "msp"), ("device", device)})))

    assert told("snmp_requests_total", there) == len(memory.asked)
    assert (told("snmp_timeouts_total", there), told("snmp_requests_resent_total", there)) == (0, 0)
    away = (told("snmp_timeouts_total", gone) or 0, told("snmp_requests_total", gone) or 0)
    assert away[0] == away[1] > 1
    assert (told("snmp_poll_variables", there) or 0) > 40
    assert told("snmp_poll_variables", gone) is None
