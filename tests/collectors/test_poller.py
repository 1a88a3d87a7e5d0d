"""Polls of whole devices, and the service that repeats them."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any
from urllib.request import urlopen

import pytest
from snmp_agents import SYSTEM, UNIFI, MemoryAgent, agent, mute
from snmp_asking import AUTH_PRIV, HASTY, RealAgent, run
from test_prometheus import read_back

from collectors.access import open_session
from collectors.board import Board
from collectors.clocks import Rebooted
from collectors.device import Device, Failed, Polled, devices
from collectors.poll import Target, poll
from collectors.poller import Pacing, Poller, attempt
from collectors.sample import Sample
from collectors.schedule import Breaker
from collectors.service import endpoint
from collectors.snmp import ber
from collectors.snmp.ber import Value
from collectors.snmp.errors import NothingShown, SnmpError, UsmReport
from collectors.snmp.pdu import Version
from collectors.snmp.session import CommunitySession
from collectors.snmp.sockets import Address
from collectors.snmp.transport import Exchange
from parvis.instruments import VERSION
from parvis.inventory import CommunityCredential, Town, UserCredential
from parvis.settings import SecretMissing
from parvis.values import Secret

Mib = Mapping[str, tuple[int, Value]]
PACING = Pacing(interval_seconds=0.4, deadline_seconds=3, timeout_seconds=0.2, tries=2)
V2C = CommunityCredential(name="anciennes", version="v2c", community_secret="community")
SECRETS = {"community": "public", "auth": "auth-sha1aes128", "privacy": "priv-sha1aes128"}


def secret(name: str) -> Secret:
    if name not in SECRETS:
        raise SecretMissing(f"secret {name} is missing")
    return Secret(SECRETS[name])


def at(address: Address, name: str = "ap-1", credential: str = "anciennes") -> Device:
    return Device(name, *address, credential=credential, kind="access-point", site="msp", town="cachan")


def once(memory: MemoryAgent, times: int = 1, change: Callable[[], None] = lambda: None) -> list[Polled]:
    """Poll an agent *times* times, calling *change* after each."""
    with agent(memory) as address:

        async def work(exchange: Exchange) -> list[Polled]:
            target = Target(at(address), CommunitySession(exchange, address, b"public", patience=HASTY))
            found = []
            for turn in range(times):
                found.append(await poll(target, at=1000.0, clock=60.0 * turn))
                change()
            return found

        return run(work)  # type: ignore[no-any-return]


def test_an_access_point_is_recognised_and_read() -> None:
    [found] = once(MemoryAgent(UNIFI))

    assert (found.profile, found.clients, found.faults) == ("unifi", 21, ())
    assert {"wifi_ssid_clients", "port_up", "device_uptime_seconds", "device_info"} <= {s.metric for s in found.samples}
    assert {s.at for s in found.samples} == {1000.0}


def test_a_second_poll_needs_no_detection() -> None:
    memory = MemoryAgent(UNIFI)
    lengths: list[int] = []

    once(memory, times=2, change=lambda: lengths.append(len(memory.asked)))

    assert lengths[1] - lengths[0] < lengths[0]


def test_a_device_that_becomes_another_is_detected_again() -> None:
    memory = MemoryAgent(UNIFI)

    def change() -> None:
        memory._cells[ber.oid("1.3.6.1.2.1.1.1.0")] = (ber.OCTET_STRING, b"RouterOS cAP ac")
        memory._cells[ber.oid("1.3.6.1.2.1.1.2.0")] = (ber.OBJECT_IDENTIFIER, ber.oid("1.3.6.1.4.1.14988.1"))

    assert [found.profile for found in once(memory, times=2, change=change)] == ["unifi", "mikrotik"]


def test_a_reboot_is_seen_in_the_next_poll() -> None:
    memory = MemoryAgent(UNIFI)

    def change() -> None:
        memory._cells[ber.oid("1.3.6.1.2.1.1.3.0")] = (ber.TIME_TICKS, 700)

    assert [found.clock for found in once(memory, times=2, change=change)] == [None, Rebooted]


SWITCH = {
    **SYSTEM,
    "1.3.6.1.2.1.1.1.0": (ber.OCTET_STRING, b"a switch"),
    "1.3.6.1.2.1.47.1.1.1.1.2.7": (ber.OCTET_STRING, b"Inlet"),
    **{f"1.3.6.1.2.1.99.1.1.1.{arc}.7": (ber.INTEGER, part) for arc, part in enumerate((8, 9, 0, 27, 1), 1)},
}
ENTITY = ber.oid("1.3.6.1.2.1.47.1.1.1.1.2")


@pytest.mark.parametrize(
    ("elapsed", "ticks", "description", "read_again"),
    [
        (60.0, 366_000, b"a switch", False),
        (3700.0, 730_000, b"a switch", True),
        (60.0, 700, b"a switch", True),
        (60.0, 366_000, b"a switch, upgraded", True),
    ],
)
def test_g29_tables_that_hardly_change_are_kept_for_an_hour_of_one_life(
    elapsed: float, ticks: int, description: bytes, read_again: bool
) -> None:
    memory = MemoryAgent(SWITCH)
    with agent(memory) as address:

        async def work(exchange: Exchange) -> Polled:
            target = Target(at(address), CommunitySession(exchange, address, b"public", patience=HASTY))
            await poll(target, at=0.0, clock=0.0)
            memory.asked.clear()
            memory._cells[ber.oid("1.3.6.1.2.1.1.3.0")] = (ber.TIME_TICKS, ticks)
            memory._cells[ber.oid("1.3.6.1.2.1.1.1.0")] = (ber.OCTET_STRING, description)
            return await poll(target, at=0.0, clock=elapsed)

        found = run(work)

    asked = {name for request in memory.asked for name, _, _ in request.varbinds}
    assert any(name.startswith(ENTITY) for name in asked) is read_again
    assert ("device_temperature_celsius", 27) in {(s.metric, s.value) for s in found.samples}


def test_a_device_that_only_knows_version_1_is_read() -> None:
    [found] = once(MemoryAgent(UNIFI, versions=(Version.V1,)))

    assert (found.profile, found.clients) == ("unifi", 21)


def test_a_device_that_shows_nothing_is_no_success() -> None:
    with pytest.raises(NothingShown):
        once(MemoryAgent({}))


def test_a_device_of_no_known_kind_still_says_that_it_is_up() -> None:
    [found] = once(MemoryAgent({**SYSTEM, "1.3.6.1.2.1.1.1.0": (ber.OCTET_STRING, b"something")}))

    assert (found.profile, found.clients) == ("system", None)


@pytest.mark.parametrize(("mib", "told"), [(UNIFI, "counted"), (SYSTEM, "not_exposed")])
def test_g28_a_poll_of_an_access_point_says_whether_it_tells_its_clients(mib: Mib, told: str) -> None:
    [found] = once(MemoryAgent(mib))

    states = [sample for sample in found.samples if sample.metric == "wifi_clients_state"]
    assert [(dict(sample.labels)["state"], sample.value) for sample in states] == [(told, 1)]


@pytest.mark.parametrize("credential", [V2C, AUTH_PRIV])
def test_a_credential_of_the_inventory_opens_a_real_agent(
    snmpd: RealAgent, credential: CommunityCredential | UserCredential, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SECRETS, "community", snmpd.community.decode())

    async def work(exchange: Exchange) -> Polled:
        session = open_session(exchange, snmpd.address, credential, secret, HASTY)
        return await poll(Target(at(snmpd.address), session), at=0.0, clock=0.0)

    found = run(work)

    assert "Linux" in found.description
    assert {"device_memory_bytes", "device_load_1min", "port_info"} <= {s.metric for s in found.samples}


def test_a_poll_that_takes_too_long_is_broken_off() -> None:
    def slow(data: bytes) -> list[bytes]:
        time.sleep(0.08)
        return MemoryAgent(UNIFI)(data)

    async def work(exchange: Exchange) -> object:
        target = Target(at(address), CommunitySession(exchange, address, b"public"))
        return await attempt(target, Pacing(deadline_seconds=0.2), Breaker())

    with agent(slow) as address:
        outcome = run(work)

    assert isinstance(outcome, Failed)
    assert outcome.reason == "deadline"


@pytest.mark.parametrize("deadline_seconds", [0.6, 1.5, 45])
def test_a_dead_device_is_called_silent_before_any_deadline(deadline_seconds: float) -> None:
    """However often devices are polled: all tries, and the last one as version 1, end before the deadline."""
    pacing = Pacing(interval_seconds=deadline_seconds / 0.75, deadline_seconds=deadline_seconds)

    assert pacing.patience.longest_seconds + pacing.patience.timeout_seconds * 1.2 < deadline_seconds
    assert 0 < pacing.patience.timeout_seconds <= pacing.timeout_seconds


@pytest.fixture
def small_town(town: Town) -> Town:
    return town.model_copy(update={"credentials": (V2C, AUTH_PRIV)})


@pytest.fixture
def running(small_town: Town) -> Iterator[Callable[[list[Device]], tuple[Board, Poller]]]:
    """Start the poller with some devices; it is stopped at the end."""
    with ExitStack() as stack:

        def start(polled: list[Device]) -> tuple[Board, Poller]:
            board = Board(polled, stale_after_seconds=2)
            return board, stack.enter_context(Poller(small_town, polled, secret, board, PACING))

        yield start


def until(holds: Callable[[], bool], seconds: float = 8) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def state(board: Board) -> dict[str, tuple[bool | None, str]]:
    return {each.device.name: (each.up, each.reason) for each in board.standings()}


def test_s47_g06_each_device_stands_alone(
    running: Callable[[list[Device]], tuple[Board, Poller]], monkeypatch: pytest.MonkeyPatch, snmpd: RealAgent
) -> None:
    with agent(MemoryAgent(UNIFI)) as good, agent(mute) as dead:
        polled = [at(good, "good"), at(dead, "dead"), at(good, "keyless", "bornes"), at(snmpd.address, "stranger")]
        monkeypatch.delitem(SECRETS, "auth")
        board, poller = running(polled)

        until(lambda: all(each.polls >= 2 for each in board.standings()))

        assert state(board) == {
            "good": (True, ""),
            "dead": (False, "silent"),
            "keyless": (False, "secret_missing"),
            "stranger": (False, "silent"),
        }
    assert poller.wrong() == ""


def test_a_device_that_comes_back_is_up_again_and_the_log_says_both_once(
    running: Callable[[list[Device]], tuple[Board, Poller]], capfd: pytest.CaptureFixture[str]
) -> None:
    memory, is_off, logged = MemoryAgent(UNIFI), [True], ""

    def answer(data: bytes) -> list[bytes]:
        return [] if is_off[0] else memory(data)

    with agent(answer) as address:
        board, _ = running([at(address)])
        until(lambda: board.standings()[0].failures.get("silent", 0) >= 3)
        is_off[0] = False

        until(lambda: board.standings()[0].up is True)
        assert state(board) == {"ap-1": (True, "")}
        until(lambda: board.standings()[0].polls >= 5)
        logged = capfd.readouterr().err
    said = [one["event"] for one in map(json.loads, logged.splitlines())]
    assert [event for event in said if event != "polled"] == ["poll failed", "device answers again"]


def test_a_corrected_secret_is_taken_up(
    running: Callable[[list[Device]], tuple[Board, Poller]], monkeypatch: pytest.MonkeyPatch, snmpd: RealAgent
) -> None:
    monkeypatch.setitem(SECRETS, "auth", "wrong password")
    board, _ = running([at(snmpd.address, credential="bornes")])
    until(lambda: state(board) == {"ap-1": (False, "wrong_password")})

    monkeypatch.setitem(SECRETS, "auth", "auth-sha1aes128")

    until(lambda: board.standings()[0].up is True)
    assert state(board) == {"ap-1": (True, "")}


def test_a_device_is_polled_at_once_when_somebody_asks(small_town: Town) -> None:
    with agent(MemoryAgent(UNIFI)) as address:
        polled = [at(address)]
        board = Board(polled, stale_after_seconds=2)
        with Poller(small_town, polled, secret, board, replace(PACING, interval_seconds=3600)) as poller:
            until(lambda: board.standings()[0].polls == 1)
            poller.poll_now("ap-1")
            poller.poll_now("nobody")
            until(lambda: board.standings()[0].polls == 2)

    assert board.standings()[0].up is True


def test_the_switches_of_a_site_are_asked_where_an_intruder_is_and_it_is_forgotten(
    running: Callable[[list[Device]], tuple[Board, Poller]],
) -> None:
    learned = {**SYSTEM, "1.3.6.1.2.1.17.4.3.1.2.164.131.231.0.0.42": (ber.INTEGER, 7)}
    with agent(MemoryAgent(learned)) as address, agent(mute) as dead:
        switches = [replace(at(where, name), kind="switch") for name, where in (("sw-1", address), ("sw-2", dead))]
        _, poller = running([*switches, at(address)])
        until(lambda: poller.where("msp", "02:00:00:00:00:66") == [])
        found: list[list[tuple[str, str]]] = []
        until(lambda: bool(found.append(told) if (told := poller.where("msp", "a4:83:e7:00:00:2a")) else found))

        assert found == [[("sw-1", "7")]]
        assert poller.where("msp", "a4:83:e7:00:00:2a") is None, "asked anew: nothing was kept"


def test_a_fault_in_noting_a_poll_does_not_end_the_polls(small_town: Town) -> None:
    heard: list[int] = []

    def outlet(samples: list[Sample]) -> None:
        heard.append(len(samples))
        raise ValueError("a fault of ours")

    with agent(MemoryAgent(UNIFI)) as address:
        polled = [at(address)]
        board = Board(polled, stale_after_seconds=2)
        with Poller(small_town, polled, secret, board, replace(PACING, interval_seconds=3600), outlet=outlet) as poller:
            until(lambda: len(heard) == 1)
            poller.poll_now("ap-1")
            until(lambda: len(heard) == 2)

    assert board.standings()[0].polls == 2


def test_a_stopped_poller_says_so(small_town: Town) -> None:
    poller = Poller(small_town, [], secret, Board([], 1), PACING)
    with poller:
        assert poller.wrong() == ""

    assert poller.wrong() != ""


def test_the_endpoint_serves_what_the_monitor_and_prometheus_ask(
    running: Callable[[list[Device]], tuple[Board, Poller]],
) -> None:
    with agent(MemoryAgent(UNIFI)) as address:
        board, poller = running([at(address)])
        until(lambda: board.standings()[0].up is True)
        with endpoint(("127.0.0.1", 0), board, poller) as serving:
            metrics = fetched(serving.port, "/metrics").decode()
            listed: list[dict[str, Any]] = json.loads(fetched(serving.port, "/devices.json"))
            health = json.loads(fetched(serving.port, "/healthz"))

    names = {("town", "cachan"), ("site", "msp"), ("device", "ap-1")}
    found = read_back(metrics)
    assert found["wifi_radio_clients", frozenset({*names, ("radio", "wifi1"), ("band", "5GHz")})] == 17
    assert found["process_info", frozenset({("process", "collectors"), ("version", VERSION)})] == 1
    assert [(each["device"], each["up"], each["clients"]) for each in listed] == [("ap-1", True, 21)]
    assert health == {"ok": True}


def fetched(port: int, path: str) -> bytes:
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
        body: bytes = response.read()
        return body


def test_every_device_of_the_town_is_polled_with_its_own_credential(town: Town) -> None:
    found = {device.name: device for device in devices(town)}

    assert len(found) == sum(len(site.switches) + len(site.access_points) for site in town.sites)
    assert (found["ap-lagrange-tribune"].kind, found["sw-lagrange"].kind) == ("access-point", "switch")
    assert found["ap-lagrange-gymnase"].labels == {
        "town": "cachan",
        "site": "leo-lagrange",
        "device": "ap-lagrange-gymnase",
    }


def test_every_error_has_its_own_word_and_advice() -> None:
    def below(kind: type[SnmpError]) -> list[type[SnmpError]]:
        return [kind, *(each for sub in kind.__subclasses__() for each in below(sub))]

    leaves = [kind for kind in below(SnmpError)[1:] if kind is not UsmReport]
    for kind in leaves:
        assert "reason" in vars(kind), kind
        assert "advice" in vars(kind), kind
    words = Counter(kind.reason for kind in leaves)
    assert [word for word, count in words.items() if count > 1] == ["wrong_privacy_password"]
