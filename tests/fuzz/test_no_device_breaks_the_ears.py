"""Whatever a device answers or traps: a value or a reason with a name; no crash, no endless wait, no memory kept."""

import gc
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from found import found
from mutants import mutant
from trap_senders import NEW, OLD, trap
from twin import Town, asked, values

from collectors.device import Failed
from collectors.snmp import ber, pdu, usm
from collectors.snmp.errors import SnmpError
from collectors.snmp.keys import AuthProtocol, PrivProtocol
from collectors.traps.engine import Engine
from collectors.traps.receiver import Judge
from collectors.traps.wire import Login, Orders, Trap
from lab.agents import agent as twin
from lab.agents import ber as wire
from lab.agents.agent import Agent, Reply
from lab.agents.standard import About
from lab.agents.usm import User

REASONS = {"answered", "garbage", "unauthentic", "stray", "sent", "resent"}
"""What may have become of a datagram."""
BEFORE_EACH = 9
"""Mutants that arrive before the true answer."""
PAGE = 4096
KEPT = 12 * 2**20
"""Octets the process may have grown by: the allocator's own habits, not a thousandth of what went through."""
KEPT_OBJECTS = 0.05
"""Objects for each mutant of the second half, at most: what keeps one of every mutant keeps twenty times as many."""
WARM = 1500
"""Objects that caches may still gain then."""


def resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


class Growth:
    """What the process keeps, from the middle of a storm on."""

    def __init__(self, wanted: int) -> None:
        self._half, self._from, self._objects = wanted / 2, 0, 0

    def look(self, sent: int) -> None:
        """Note where it stands once half has been sent."""
        if not self._from and sent >= self._half:
            self._objects, self._from = self._now(), sent

    def objects_a_mutant(self, sent: int) -> float:
        """How many objects were kept of each mutant since, less what caches may gain."""
        return max(self._now() - self._objects - WARM, 0) / max(sent - self._from, 1)

    @staticmethod
    def _now() -> int:
        gc.collect()
        return sys.getallocatedblocks()


def bent(agent: Agent, chance: Random, sent: Counter[str]) -> None:
    """Have *agent* send mutants of its answer before the answer."""
    answers = agent.answers

    def answer(datagram: bytes) -> list[Reply]:
        true = answers(datagram)
        made = [Reply(mutant(reply.data, chance)) for reply in true for _ in range(BEFORE_EACH)]
        sent["mutants"] += len(made)
        return [*made, *true]

    agent.answers = answer  # type: ignore[method-assign]


async def survive(town: Town, name: str, wanted: int, seed: int) -> None:
    """Poll one device until *wanted* mutants have been sent."""
    truth = values(await town.found(name))
    is_v3 = town.agents[name].device.user is not None
    sent: Counter[str] = Counter()
    bent(town.agents[name], Random(seed), sent)
    grown_from, growth = 0, Growth(wanted)
    while sent["mutants"] < wanted:
        growth.look(sent["mutants"])
        outcome = await town.poll(name)
        if isinstance(outcome, Failed):
            assert outcome.reason not in {"internal_error", "failed"}, outcome
            assert not is_v3, (outcome, "what is not signed is nothing to a v3 session")
        elif is_v3:
            assert values(outcome) == truth, "a mutant was believed"
        if not grown_from and sent["mutants"] > wanted / 5:
            grown_from = resident()
    assert set(town.exchange.counts) <= REASONS
    assert resident() - grown_from < KEPT
    assert growth.objects_a_mutant(sent["mutants"]) < KEPT_OBJECTS


def polls(mutants: int, seed: int) -> None:
    async def work(town: Town) -> None:
        for place, (vendor, v3) in enumerate((("ubiquiti", False), ("aruba", True), ("mikrotik", False))):
            name = f"ap-{vendor}"
            await town.add(name, vendor, v3=v3)
            await survive(town, name, mutants // 3, seed + place)

    asked(work, seconds=1500)


def test_s16_mutated_answers_are_survived_and_never_believed_in_v3() -> None:
    polls(1500, seed=1)

    assert resident() > 0


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_s16_seventy_thousand_mutated_answers() -> None:
    polls(70_000, seed=2)

    assert resident() > 0


COMMUNITY = Login(community="cachan")
USER = Login(user="parvis", auth="SHA-256", auth_secret="authsecret1", privacy="AES-128", privacy_secret="privsecret1")
OURS = "80004fb8050102030405060708"
UNREADABLE = {"garbage", "credential"}
TRAP_PDU_V1 = 0xA4


@pytest.fixture(scope="module")
def only_judge() -> Iterator[Judge]:
    """The receiver's judge, without its process."""
    sources = {OLD: ("ap-old", "old"), NEW: ("ap-new", "new")}
    orders = Orders(sources, {"old": COMMUNITY, "new": USER}, 1e9, 1, OURS, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.bind(("127.0.0.1", 0))
        yield Judge(orders, Engine(orders, channel))


@pytest.fixture
def judge(only_judge: Judge) -> Judge:
    """The judge, who has not refused anything yet."""
    only_judge.refused.clear()
    return only_judge


def notifications() -> list[tuple[str, bytes]]:
    """A trap in v2c, an inform, a trap in v1, a v3 trap, and the greeting before a v3 inform; with their senders."""
    user = User(USER.user, USER.auth, USER.privacy, USER.auth_secret, USER.privacy_secret)
    device = twin.Device("ubiquiti", About("ap-new", "U6", NEW, "02:00:5e:01:01:03", ""), "", 0, user=user)
    inform = trap().replace(b"\xa7", b"\xa6", 1)
    fields = [
        wire.tlv(wire.OID, wire.oid((1, 3, 6, 1, 4, 1, 8072, 3, 2, 10))),
        wire.tlv(wire.ADDRESS, bytes((127, 0, 0, 11))),
    ]
    fields += [wire.integer(2), wire.integer(0), wire.integer(5, wire.TICKS), wire.tlv(wire.SEQUENCE, b"")]
    old = wire.message(0, b"cachan", wire.tlv(TRAP_PDU_V1, b"".join(fields)))
    greeting = usm.seal(pdu.ask(pdu.Kind.GET, ()), usm.NOBODY, usm.Engine(), 7, 0.0)
    new = [(NEW, Agent(device, clock=lambda: 0.0).trap((1, 3, 6, 1, 6, 3, 1, 1, 5, 1))), (NEW, greeting)]
    return [(OLD, trap()), (OLD, inform), (OLD, old), *new]


def heard(judge: Judge, wanted: int, seed: int) -> Counter[str]:
    """What became of *wanted* mutants of every kind of notification."""
    chance, ends = Random(seed), Counter[str]()
    kinds = notifications()
    grown_from, growth = 0, Growth(wanted)
    for turn in range(wanted):
        growth.look(turn)
        source, data = kinds[turn % len(kinds)]
        told = judge.hear(mutant(data, chance), (source, 50_000), float(turn))
        ends["heard"] += isinstance(told, Trap)
        if turn % 1000 == 0:
            judge.engine.tidy(float(turn))
        if turn == wanted // 5:
            grown_from = resident()
    assert resident() - grown_from < KEPT
    assert growth.objects_a_mutant(wanted) < KEPT_OBJECTS
    return ends + judge.refused


def test_each_kind_of_notification_is_understood_unbent(judge: Judge) -> None:
    told = [judge.hear(data, (source, 50_000), 0.0) for source, data in notifications()]

    assert [bool(trap) for trap in told] == [True, True, True, True, False]
    assert not judge.refused


def test_s16_mutated_traps_are_heard_or_refused_with_a_reason(judge: Judge) -> None:
    ends = heard(judge, 1000, seed=3)

    assert set(ends) <= UNREADABLE | {"heard"}
    assert ends["garbage"] + ends["credential"] > 500


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_s16_thirty_thousand_mutated_traps(judge: Judge) -> None:
    ends = heard(judge, 30_000, seed=4)

    assert set(ends) <= UNREADABLE | {"heard"}


@pytest.mark.parametrize("data", found("traps"), ids=range(len(found("traps"))))
def test_s16_what_once_broke_the_receiver_is_refused(judge: Judge, data: bytes) -> None:
    for source in (OLD, NEW):
        assert judge.hear(data, (source, 50_000), 0.0) is None

    assert set(judge.refused) <= UNREADABLE


@pytest.mark.parametrize("data", found("snmp"), ids=range(len(found("snmp"))))
def test_s16_what_once_broke_a_decoder_is_read_or_refused(data: bytes) -> None:
    assert read(data)


def test_s16_every_decoder_survives_mutants_of_every_kind() -> None:
    chance = Random(5)
    kinds = [data for _, data in notifications()]

    assert all(read(mutant(kinds[turn % len(kinds)], chance)) for turn in range(5000))


SIGNED = usm.User(b"parvis", AuthProtocol.SHA256, b"authsecret1", PrivProtocol.AES128, b"privsecret1")


def read(data: bytes) -> bool:
    """Whether every reader of the core gives a value or an error of ours."""
    engine = usm.Engine(bytes.fromhex("80001f8805"), 1, 1, 0.0)
    readers = (
        lambda: pdu.identity(data),
        lambda: pdu.decode_message(data),
        lambda: pdu.decode(data, 0, len(data)),
        lambda: ber.read_varbinds(data, 0, len(data)),
        lambda: usm.open_message(data, SIGNED, engine, 7),
        lambda: usm.open_message(data, usm.NOBODY, usm.Engine(), 7),
    )
    for reader in readers:
        with suppress(SnmpError):
            reader()
    return True
