"""Polls by learned plan say exactly what a first poll of the device would say, whatever it did meanwhile."""

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import test_vendors
from snmp_agents import PORTS, SYSTEM, UNIFI, MemoryAgent, table
from snmp_wired import Wired
from test_profile import SAID

from collectors import column
from collectors import poll as poll_module
from collectors.device import Device, Polled
from collectors.poll import Target, poll
from collectors.recall import SETTLED_AFTER
from collectors.snmp import ber, fetch
from collectors.snmp.ber import Value
from collectors.snmp.errors import Silent
from collectors.snmp.pdu import Kind, Prepared, Version
from collectors.snmp.transport import Patience
from collectors.snmp.turns import Take

Mib = dict[str, tuple[int, Value]]
STEP_SECONDS = 601
"""Between two polls: slow columns are due each time."""
SENSORS = {
    **{f"1.3.6.1.2.1.47.1.1.1.1.2.{row}": (ber.OCTET_STRING, b"Inlet %d" % row) for row in (7, 8)},
    **{
        f"1.3.6.1.2.1.99.1.1.1.{arc}.{row}": (ber.INTEGER, part)
        for row in (7, 8)
        for arc, part in enumerate((8, 9, 0, 20 + row, 1), 1)
    },
}


def fits(name: str) -> Mib:
    """What makes a device be taken for one of the family *name*: what it says, and something below a probe OID."""
    ways = test_vendors.profile(name).match
    match = min(ways, key=lambda way: (bool(way.probe), bool(way.description), way.object_id is None))
    found: Mib = dict(SYSTEM)
    object_id = test_vendors.CASES[name].get("object_id") or match.object_id
    if object_id or match.description:
        said = SAID[match.description] if match.description else "a device"
        found["1.3.6.1.2.1.1.1.0"] = (ber.OCTET_STRING, said.encode())
        found["1.3.6.1.2.1.1.2.0"] = (ber.OBJECT_IDENTIFIER, ber.oid(object_id or "1.3.6.1.4.1.99999"))
    answers = test_vendors.answered(name)
    if match.probe and not any(f"{oid}.".startswith(f"{match.probe}.") for oid in answers):
        found[f"{match.probe}.9999"] = (ber.INTEGER, 1)
    return found


def made(memory: MemoryAgent, version: Version = Version.V2C) -> Target:
    return Target(Device("ap-1", "192.0.2.1"), Wired(memory, version))


def polled(target: Target, clock: float = 0.0) -> Polled:
    return asyncio.run(poll(target, at=1000.0, clock=clock))


def told(found: Polled) -> list[tuple[Any, ...]]:
    return sorted((s.metric, s.labels, s.value) for s in found.samples if s.metric != "device_uptime_seconds")


def change(mib: Mib, dice: random.Random) -> Mib:
    """The device a while later: values move, texts change, cells go, rows come and go; it stays what it is."""
    found = dict(mib)
    names = [name for name in found if not name.startswith("1.3.6.1.2.1.1.")]
    for name in dice.sample(names, min(len(names), dice.randrange(6))):
        tag, value = found[name]
        kind = dice.random()
        if kind < 0.15:
            del found[name]
        elif kind < 0.3:
            found.update(one_more_row(found, name))
        elif isinstance(value, int):
            found[name] = (tag, dice.choice((0, 1, 2, 7, value + dice.randrange(100), 2147483647)))
        elif tag == ber.OCTET_STRING and value is not None:
            found[name] = (tag, dice.choice((b"", value + b"x", b"7", b"-3.5 dBm")))
    return found


def one_more_row(mib: Mib, name: str) -> Mib:
    """All that ends like *name*, once more under another last number."""
    last = name.rpartition(".")[2]
    alike = {other: cell for other, cell in mib.items() if other.endswith(f".{last}")}
    return {f"{other.rpartition('.')[0]}.{int(last) + 3}": cell for other, cell in alike.items()}


DEVICES: dict[str, Mib] = {
    "unifi": UNIFI,
    "switch": {**SYSTEM, "1.3.6.1.2.1.1.1.0": (ber.OCTET_STRING, b"a switch"), **PORTS, **SENSORS},
    **{name: {**fits(name), **PORTS, **test_vendors.answered(name)} for name in test_vendors.CASES},
}


@pytest.mark.parametrize("name", test_vendors.CASES)
def test_s54_each_made_up_device_is_taken_for_one_of_its_family(name: str) -> None:
    fit = {profile.profile for profile in polled_as(DEVICES[name])}

    assert test_vendors.profile(name).profile in fit


def polled_as(mib: Mib) -> list[Any]:
    target = made(MemoryAgent(mib))
    polled(target)
    return families(target)


def families(target: Target) -> list[Any]:
    return [each.profile for each in target.fits]


@pytest.mark.parametrize("name", DEVICES)
@pytest.mark.parametrize("version", [Version.V2C, Version.V1])
def test_a_poll_by_plan_says_what_a_first_poll_says(
    name: str, version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(column.EVERY_SECONDS, "hour", 600)  # type: ignore[arg-type]
    monkeypatch.setattr(poll_module, "_known", {})  # made with the true hour, by whoever polled before
    dice = random.Random(f"{name} {version}")
    if dice.random() < 0.5:
        monkeypatch.setattr(fetch, "core", None)  # as where no compiler was
    mib, expected = DEVICES[name], list[tuple[Any, ...]]()
    memory = MemoryAgent(mib)
    target = made(memory, version)
    for turn in range(6):
        later = change(mib, dice) if turn else mib
        anew = made(MemoryAgent(later), version)
        said = told(polled(anew))
        if not turn or families(anew) == families(target):  # else it would be another device
            mib, expected = later, said
            memory.mib = mib
            memory.__post_init__()
        assert told(polled(target, STEP_SECONDS * turn)) == expected, (turn, mib)


SWITCH: Mib = {
    **SYSTEM,
    "1.3.6.1.2.1.1.1.0": (ber.OCTET_STRING, b"a switch"),
    "1.3.6.1.2.1.31.1.5.0": (ber.TIME_TICKS, 5),
    **table(
        "1.3.6.1.2.1.2.2.1",
        {2: [b"p%d" % row for row in range(48)], 8: [1] * 48, 10: list(range(48)), 16: list(range(48))},
        {2: ber.OCTET_STRING, 10: ber.COUNTER32, 16: ber.COUNTER32},
    ),
}
IF_DESCR, IF_OPER, IF_IN = (ber.oid(f"1.3.6.1.2.1.2.2.1.{arc}") for arc in (2, 8, 10))


def asked(memory: MemoryAgent) -> list[tuple[Kind, int]]:
    return [(request.kind, len(request.varbinds)) for request in memory.asked]


def columns_of(memory: MemoryAgent) -> set[bytes]:
    names = [name for request in memory.asked for name, _, _ in request.varbinds]
    return {root for root in (IF_DESCR, IF_OPER, IF_IN) if any(name.startswith(root) for name in names)}


def test_a_known_table_is_asked_in_as_few_requests_as_its_replies_allow() -> None:
    memory = MemoryAgent(SWITCH)
    target = made(memory)
    for turn in range(SETTLED_AFTER + 1):  # until it is known what moves, numbers are asked apart from others
        polled(target, 60 * turn)
    memory.asked.clear()

    polled(target, 60 * (SETTLED_AFTER + 1))

    bulks = [request for request in memory.asked if request.kind is Kind.GET_BULK]
    cells = 3 * 48  # state and two counters; names are remembered
    assert len(bulks) == -(-cells // 40)
    assert sum(r.max_repetitions * (len(r.varbinds) - r.error_status) for r in bulks) == cells


def test_names_are_asked_every_tenth_poll_only() -> None:
    memory = MemoryAgent(SWITCH)
    target = made(memory)
    seen = []
    for clock in (0, 60, 599, 600, 660):
        memory.asked.clear()
        polled(target, clock)
        seen.append(IF_DESCR in columns_of(memory))

    assert seen == [True, False, False, True, False]


Edit = Callable[[MemoryAgent], None]


def set_cell(name: str, cell: tuple[int, Value]) -> Edit:
    return lambda memory: memory._cells.__setitem__(ber.oid(name), cell)


@pytest.mark.parametrize(
    "edit",
    [
        set_cell("1.3.6.1.2.1.31.1.5.0", (ber.TIME_TICKS, 9)),
        set_cell("1.3.6.1.2.1.1.3.0", (ber.TIME_TICKS, 700)),
    ],
    ids=["ifTableLastChange moved", "sysUpTime fell"],
)
def test_names_are_read_again_at_once_when_they_may_have_changed(edit: Edit) -> None:
    memory = MemoryAgent(SWITCH)
    target = made(memory)
    polled(target)
    set_cell("1.3.6.1.2.1.2.2.1.2.1", (ber.OCTET_STRING, b"renamed"))(memory)
    edit(memory)

    ports = {dict(s.labels).get("port") for s in polled(target, 60).samples}

    assert "renamed" in ports


def without(memory: MemoryAgent, row: int) -> None:
    memory.mib = {name: cell for name, cell in memory.mib.items() if not name.endswith(f".{row}")}
    memory.__post_init__()


def one_more(memory: MemoryAgent) -> None:
    memory.mib = {**memory.mib, **one_more_row(dict(memory.mib), "1.3.6.1.2.1.2.2.1.2.48")}
    memory.__post_init__()


@pytest.mark.parametrize(
    ("edit", "ports"),
    [(lambda memory: without(memory, 20), 47), (lambda memory: without(memory, 48), 47), (one_more, 49)],
    ids=["a row in the middle is gone", "the last row is gone", "a row has come"],
)
def test_no_value_lands_in_another_row(edit: Edit, ports: int) -> None:
    memory = MemoryAgent(SWITCH)
    target = made(memory)
    polled(target)
    edit(memory)

    received = {
        dict(s.labels)["port"]: s.value for s in polled(target, 60).samples if s.metric == "port_receive_bytes_total"
    }

    assert len(received) == ports
    assert all(int(port.lstrip("p").partition(" ")[0]) == value for port, value in received.items())


def test_what_has_not_moved_for_some_polls_is_seen_when_it_does() -> None:
    """Its answers are compared as a whole from then on; the first poll in which one differs tells the new value."""
    memory = MemoryAgent(SWITCH)
    target = made(memory)
    for turn in range(8):
        polled(target, 60 * turn)
    still = [column for column in target.recall.held["port"].plan.columns if not column.moves]
    known = dict(target.recall.held["port"].known.octets)
    set_cell("1.3.6.1.2.1.2.2.1.8.48", (ber.INTEGER, 2))(memory)
    set_cell("1.3.6.1.2.1.2.2.1.10.48", (ber.COUNTER32, 4711))(memory)

    found = {
        (s.metric, dict(s.labels)["port"]): s.value for s in polled(target, 500).samples if "port" in dict(s.labels)
    }

    assert len(still) == 4
    assert known
    assert (found["port_up", "p47"], found["port_up", "p46"]) == (0, 1)
    assert (found["port_receive_bytes_total", "p47"], found["port_receive_bytes_total", "p46"]) == (4711, 46)


def test_a_table_that_changes_costs_the_others_nothing() -> None:
    memory = MemoryAgent({**SWITCH, **SENSORS})
    target = made(memory)
    polled(target)
    one_more(memory)
    memory.asked.clear()
    polled(target, 60)
    with_change = [n for r in memory.asked for n, _, _ in r.varbinds if n.startswith(ber.oid("1.3.6.1.2.1.99"))]
    memory.asked.clear()
    polled(target, 120)
    without_change = [n for r in memory.asked for n, _, _ in r.varbinds if n.startswith(ber.oid("1.3.6.1.2.1.99"))]

    assert with_change == without_change


def test_all_known_tables_are_asked_in_one_row() -> None:
    memory = MemoryAgent({**SWITCH, **SENSORS})
    target = made(memory)
    polled(target)
    rows = []
    asked_in_turn = Wired.ask_in_turn

    async def counted(session: Wired, requests: Sequence[Prepared], take: Take, *patience: Patience | None) -> None:
        rows.append({request.kind for request in requests})
        await asked_in_turn(session, requests, take, *patience)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Wired, "ask_in_turn", counted)
        polled(target, 60)

    assert rows == [{Kind.GET}, {Kind.GET_BULK}], "first the scalars, then every table"


def test_a_table_that_is_different_each_time_is_walked_each_time() -> None:
    memory = MemoryAgent(SWITCH)
    target = made(memory)
    ports = []
    for turn in range(6):
        ports.append(sum(s.metric == "port_up" for s in polled(target, 60 * turn).samples))
        without(memory, 40 - turn)

    assert ports == [48, 47, 46, 45, 44, 43]
    assert "port" in target.recall.loose


def test_a_table_that_was_empty_is_found_when_it_fills() -> None:
    bare = {name: cell for name, cell in UNIFI.items() if not name.startswith("1.3.6.1.4.1.41112.1.6.1.1.1")}
    memory = MemoryAgent(bare)
    target = made(memory)
    before = {s.metric for s in polled(target).samples}
    memory.mib = UNIFI
    memory.__post_init__()

    after = {s.metric for s in polled(target, 60).samples}

    assert after - before == {"wifi_radio_channel_utilization_ratio"}


def test_a_reply_that_is_too_big_is_asked_for_in_smaller_parts_of_that_table_only() -> None:
    memory = MemoryAgent({**SWITCH, **SENSORS})
    target = made(memory)
    polled(target)
    memory.too_big = 15

    found = polled(target, 60)

    budgets = {root: pace.budget for root, pace in target.pace.groups.items()}
    assert sum(s.metric == "port_up" for s in found.samples) == 48
    assert budgets[IF_DESCR] <= 15
    assert budgets[ber.oid("1.3.6.1.2.1.99.1.1.1.1")] == 40


def test_g02_an_agent_that_chokes_on_a_planned_question_is_asked_for_less() -> None:
    """It is silent where the answer would have more than 15 variables; what it says is the same, by plan too."""

    class Choking(MemoryAgent):
        most = 1000

        def __call__(self, data: bytes) -> list[bytes]:
            replies = super().__call__(data)
            return replies if len(self.answer(self.asked[-1], Version.V2C).varbinds) <= self.most else []

    memory = Choking(SWITCH)
    target = made(memory)
    first = told(polled(target))
    memory.most = 15

    assert told(polled(target, 60)) == told(polled(target, 120)) == first
    assert target.pace.of(IF_DESCR).budget <= 15


def test_a_reply_cut_short_is_completed_and_the_size_remembered() -> None:
    class Cutting(MemoryAgent):
        most = 1000

        def answer(self, request: Any, version: Version) -> Any:
            whole = super().answer(request, version)
            return type(whole)(whole.kind, whole.request_id, 0, 0, list(whole.varbinds)[: self.most])

    memory = Cutting(SWITCH)
    target = made(memory)
    first = told(polled(target))
    memory.most = 13

    assert told(polled(target, 60)) == first
    assert target.pace.of(IF_DESCR).budget <= 13


def test_a_device_that_falls_silent_in_the_middle_is_silent() -> None:
    memory = MemoryAgent(SWITCH)
    target = made(memory)
    polled(target)
    target.session = Wired(lambda _: [])

    with pytest.raises(Silent):
        polled(target, 60)
