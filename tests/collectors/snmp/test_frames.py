"""The quick way of SNMPv3 says and accepts what the way step by step does, to the octet."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors.snmp import ber, frames, keys, pdu, usm
from collectors.snmp.frames import Frames
from collectors.snmp.keys import AuthProtocol, PrivProtocol
from collectors.snmp.pdu import Kind, Pdu
from collectors.snmp.turns import whole
from collectors.snmp.usm import Engine, User

ENGINE = Engine(b"\x80\x00\x1f\x88\x04agent", boots=5, time=1000, noted_at=50.0, is_proven=True)
USER = User(b"parvis", AuthProtocol.SHA1, b"maplesyrup", PrivProtocol.AES128, b"maplesyrup")
NAME = ber.oid("1.3.6.1.2.1.31.1.1.1.6.1")
NUMBERS = st.integers(2**24, 2**31 - 1)


def answer(number: int, value: int, engine: Engine = ENGINE, user: User = USER, **changes: int) -> bytes:
    """What an agent answers to *number*."""
    said = Pdu(Kind.RESPONSE, number, 0, 0, [(NAME, ber.COUNTER64, value)])
    return usm.seal(replace(said, **changes), user, engine, number, 50.0)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    name=st.binary(max_size=32),
    context=st.binary(max_size=40),
    engine_id=st.binary(min_size=5, max_size=32),
    clock=st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1)),
    number=NUMBERS,
    auth=st.sampled_from(AuthProtocol),
    priv=st.sampled_from([each for each in PrivProtocol if each is not PrivProtocol.DES]),
    names=st.integers(0, 60),
)
def test_a_request_is_sealed_to_the_octet_as_step_by_step(
    monkeypatch: pytest.MonkeyPatch,
    *,
    name: bytes,
    context: bytes,
    engine_id: bytes,
    clock: tuple[int, int],
    number: int,
    auth: AuthProtocol,
    priv: PrivProtocol,
    names: int,
) -> None:
    monkeypatch.setattr(keys, "_next_salt", lambda _boots: b"saltsalt")
    user = User(name, auth, b"maplesyrup", priv, b"maplesyrup", context)
    engine = Engine(engine_id, *clock, noted_at=0.0)
    request = pdu.prepare(Pdu(Kind.GET_BULK, 0, 1, 20, [(NAME, ber.NULL, None)] * names), whole)

    assert frames.suits(user)
    assert Frames(user, engine_id).seal(request, engine, number, 0.0) == usm.seal(request, user, engine, number, 0.0)


@given(number=NUMBERS, later=NUMBERS, seconds=st.integers(1000, 2000), values=st.tuples(*[st.integers(256, 32767)] * 2))
def test_an_answer_of_known_shape_is_opened_as_step_by_step(
    number: int, later: int, seconds: int, values: tuple[int, int]
) -> None:
    known = Frames(USER, ENGINE.engine_id)
    known.learn(answer(number, values[0]))
    data = answer(later, values[1], replace(ENGINE, time=seconds))

    opened = known.open(data, later)

    assert opened is not None
    assert opened == usm.open_message(data, USER, ENGINE, later, whole)


def test_what_is_no_plain_answer_is_left_to_the_other_way() -> None:
    known = Frames(USER, ENGINE.engine_id)
    known.learn(answer(2**24, 1000))

    assert known.open(answer(2**24, 1000), 2**24) is not None
    assert known.open(answer(2**24, 1000), 2**24 + 1) is None, "another number"
    assert known.open(answer(2**24, 10**9), 2**24) is None, "another size"
    assert known.open(answer(2**24, 1000, error_status=5), 2**24) is None, "an error"
    assert known.open(answer(2**24, 1000, replace(ENGINE, engine_id=b"\x80\x00\x1f\x88\x04other")), 2**24) is None
    stranger = User(b"parvis", AuthProtocol.SHA1, b"another one", PrivProtocol.AES128, b"maplesyrup")
    assert known.open(answer(2**24, 1000, user=stranger), 2**24) is None, "signed by nobody we know"


def test_only_so_many_shapes_are_remembered() -> None:
    known = Frames(USER, ENGINE.engine_id)
    for size in range(frames.FRAMES_KEPT * 2):
        engine = replace(ENGINE, time=1000)
        known.learn(answer(2**24, 1, engine, replace(USER, context=bytes(size))))

    assert len(known._frames) <= frames.FRAMES_KEPT


@given(data=st.data())
def test_no_changed_octet_opens_what_step_by_step_would_not(data: st.DataObject) -> None:
    known = Frames(USER, ENGINE.engine_id)
    known.learn(answer(2**24, 1000))
    changed = bytearray(answer(2**24, 1001))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(changed) - 1))
        changed[place] = data.draw(st.integers(0, 255))

    opened = known.open(bytes(changed), 2**24)

    if opened is not None:
        assert opened == usm.open_message(bytes(changed), USER, ENGINE, 2**24, whole)
