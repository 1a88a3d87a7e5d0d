"""SNMPv3 engines: the one that is meant, another in its place, and one ID for two devices."""

from dataclasses import replace

import pytest
from snmp_asking import AUTH_PRIV, RealAgent
from test_board import AP, SWITCH, polled, shown
from test_poller import PACING, at, secret, state, until
from twin import HASTY, V3, Town, asked, values

from collectors import poller
from collectors.access import open_session
from collectors.board import Board
from collectors.device import Device, Failed
from collectors.poll import Target
from collectors.poller import Poller
from lab.agents.agent import Agent
from lab.agents.usm import Engine
from parvis.inventory import Town as Inventory
from parvis.values import Secret, engine_id

SAME, RIGHT = bytes.fromhex("80001f888000000001"), bytes.fromhex("80001f888000000002")


def becomes(agent: Agent, engine_id: bytes, boots: int = 1) -> None:
    """Exchange the device for another one with the same user."""
    assert agent.device.user
    agent._engine, agent._boots = Engine(engine_id, agent.device.user, boots), boots


def target(town: Town, name: str, expected: bytes) -> Target:
    """The device of that name, asked as the inventory says: no other engine may answer."""
    session = town.targets[name].session
    device = Device(name, *session.address, engine_id=expected.hex())
    return Target(device, open_session(town.exchange, session.address, V3, Secret, HASTY.patience, device))


def test_s10_g17_two_devices_with_one_engine_id_keep_a_clock_each() -> None:
    """Cloned, but started on different days: once both clocks are known, nobody has to be asked again."""

    async def work(town: Town) -> None:
        for name, boots in (("one", 3), ("two", 41)):
            becomes(await town.add(name, v3=True), SAME, boots)
        first = {name: values(await town.found(name)) for name in town.agents}
        again: list[int] = []
        for _ in range(3):
            for name in town.agents:
                before = town.exchange.counts["sent"]
                outcome = await town.found(name)
                assert (values(outcome), outcome.engine_id) == (first[name], SAME)
                again.append(town.exchange.counts["sent"] - before)
        assert len(set(again)) == 1, "a poll of one costs no more for the other's"
        boots = {name: town.targets[name].session.engine.boots for name in town.agents}  # type: ignore[attr-defined]
        assert boots == {"one": 3, "two": 41}

    asked(work)


@pytest.mark.parametrize("is_known_first", [False, True])
def test_s10_an_engine_that_is_not_the_inventory_s_is_refused_until_the_right_one_answers(is_known_first: bool) -> None:
    """From the first poll on, and where the device is exchanged between two of them."""

    async def work(town: Town) -> None:
        agent = await town.add("ap", v3=True)
        town.targets["ap"] = target(town, "ap", RIGHT)
        becomes(agent, RIGHT)
        if is_known_first:
            await town.found("ap")
        becomes(agent, SAME)
        for _ in range(2):
            outcome = await town.poll("ap")
            assert isinstance(outcome, Failed)
            assert outcome.reason == "other_engine"
            assert (SAME.hex() in outcome.detail, RIGHT.hex() in outcome.detail) == (True, True)
            assert "engine_id" in outcome.advice
        becomes(agent, RIGHT)
        assert (await town.found("ap")).engine_id == RIGHT

    asked(work)


def test_s10_where_the_inventory_names_none_an_exchanged_device_is_read_and_the_change_is_counted() -> None:
    board = Board([AP], stale_after_seconds=60)

    async def work(town: Town) -> None:
        agent = await town.add("ap", v3=True)
        for engine in (RIGHT, RIGHT, SAME):
            becomes(agent, engine)
            board.put(AP, await town.found("ap"), now=100.0, duration_seconds=1, budget=40)

    asked(work)
    assert shown(board, 100.0)["snmp_engine_changes_total"] == 1


def test_g17_devices_that_share_an_engine_are_told_and_no_longer_once_they_do_not() -> None:
    board = Board([AP, SWITCH], stale_after_seconds=60)

    def sharers() -> dict[str, float]:
        name = "snmp_engine_sharers"
        found = {key: value for key, value in shown(board, 100.0).items() if key.startswith(name)}
        return {"sw-1" if "sw-1" in key else "ap-1": value for key, value in found.items()}

    def put(device: Device, engine: bytes) -> None:
        board.put(device, replace(polled(), engine_id=engine), now=100.0, duration_seconds=1, budget=40)

    put(AP, SAME)
    assert sharers() == {"ap-1": 0}
    put(SWITCH, SAME)
    assert sharers() == {"ap-1": 1, "sw-1": 1}
    put(SWITCH, b"its own")
    assert sharers() == {"ap-1": 0, "sw-1": 0}
    put(SWITCH, b"")
    assert sharers() == {"ap-1": 0, "sw-1": 0}, "what was not learned again is still so"


def test_g17_the_service_names_who_shares_an_engine_once(
    town: Inventory, monkeypatch: pytest.MonkeyPatch, snmpd: RealAgent
) -> None:
    told: list[tuple[str, tuple[str, ...]]] = []

    def warning(event: str, **facts: object) -> None:
        if "share" in event:
            told.append((str(facts["device"]), facts["others"]))  # type: ignore[arg-type]

    monkeypatch.setattr(poller.log, "warning", warning)
    devices = [at(snmpd.address, name, "bornes") for name in ("ap-1", "ap-2")]
    board = Board(devices, stale_after_seconds=60)
    small = town.model_copy(update={"credentials": (AUTH_PRIV,)})
    with Poller(small, devices, secret, board, PACING):
        until(lambda: all(each.polls >= 3 for each in board.standings()))

    assert state(board) == {"ap-1": (True, ""), "ap-2": (True, "")}
    assert told in ([("ap-2", ("ap-1",))], [("ap-1", ("ap-2",))])


@pytest.mark.parametrize("written", ["80:00:1f:88:04", "0x80001F8804", " 80 00 1f 88 04 "])
def test_s10_an_engine_id_is_read_as_devices_print_it(written: str) -> None:
    assert engine_id(written) == "80001f8804"


@pytest.mark.parametrize(
    "written", ["80001f88", "00" * 5, "ff" * 12, "80001f880", "80001f88" * 9, "zz" * 5, 8_000_000_001]
)
def test_s10_what_is_no_engine_id_is_refused_with_an_example(written: object) -> None:
    """Four octets, none, all ones, half an octet, 36 octets, no digits, and what YAML takes for a number."""
    with pytest.raises(ValueError, match=r"between quotes, such as \"80001f880461\""):
        engine_id(written)
