"""gatewayd understands exactly its own language."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from captive_portal import protocol
from captive_portal.admission import Allow, Block, Deny, Unblock
from captive_portal.protocol import (
    MAX_LINE,
    MAX_STEPS,
    Apply,
    Arrivals,
    Counters,
    Device,
    Everybody,
    Garbage,
    Identify,
    Lookup,
    Open,
    Status,
)
from parvis.addresses import MacAddress

macs = st.integers(0, 2**40 - 1).map(lambda n: MacAddress.parse(f"02{n:010x}"))
allows = st.builds(
    Allow, macs, st.integers(1, 2**32 - 2), st.floats(1, 86400), st.integers(8000, 10**9), st.integers(8000, 10**9)
)
others = st.builds(Deny, macs) | st.builds(Unblock, macs) | st.builds(Block, macs, st.floats(1, 86400))
steps = st.lists(allows | others, max_size=MAX_STEPS, unique_by=lambda step: step.mac).map(tuple)
requests = st.one_of(
    st.just(Status()),
    st.builds(Everybody, st.integers(0, 2**63)),
    st.builds(Identify, st.ip_addresses(), st.booleans()),
    st.builds(Lookup, macs),
    st.builds(Apply, steps),
    st.just(Counters()),
    st.builds(Arrivals, st.integers(0, 2**63), st.floats(0, 60)),
    st.builds(Open, st.integers(0, 86400)),
    st.builds(Device, macs),
)
ALLOW = {"allow": "02:00:00:00:00:01", "session": 7, "seconds": 60, "down": 10**6, "up": 10**6}


@given(requests)
def test_what_the_portal_writes_gatewayd_reads(request: protocol.Request) -> None:
    line = protocol.render(request)

    assert protocol.parse(line) == request
    assert len(line) < MAX_LINE


@given(st.binary(max_size=300))
@example(b"[" * 60_000)
@example(b'{"op": ["status"]}')
@example(b"\xff")
def test_bytes_from_anywhere_are_a_request_or_garbage(line: bytes) -> None:
    assert is_garbage_or_survives(line)


def is_garbage_or_survives(line: bytes) -> bool:
    """Whether *line* is refused as garbage, or is a request that its own rendering gives again."""
    try:
        request = protocol.parse(line)
    except Garbage:
        return True
    return protocol.parse(protocol.render(request)) == request


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
)


@given(st.sampled_from(sorted(protocol._READERS)), st.dictionaries(
    st.sampled_from(["address", "mac", "steps", "after", "wait", "seconds", "x"]), json_values, max_size=3
))  # fmt: skip
def test_an_op_with_anything_in_it_is_a_request_or_garbage(op: str, rest: dict[str, object]) -> None:
    assert is_garbage_or_survives(json.dumps({"op": op, **rest}).encode())


@pytest.mark.parametrize(
    "wrong",
    [
        {"session": 0},
        {"session": 2**32 - 1},
        {"session": True},
        {"session": 7.0},
        {"seconds": float("nan")},
        {"seconds": 0},
        {"seconds": 1e9},
        {"seconds": "60"},
        {"down": 1},
        {"allow": "01:00:00:00:00:01"},
        {"allow": "00:00:00:00:00:00"},
        {"allow": "02:00:00:00:00:01 }; flush ruleset"},
        {"more": 1},
    ],
)
def test_a_step_with_one_wrong_part_is_garbage(wrong: dict[str, object]) -> None:
    line = json.dumps({"op": "apply", "steps": [ALLOW | wrong]}).encode()

    with pytest.raises(Garbage):
        protocol.parse(line)


@pytest.mark.parametrize("step", ["deny", ["deny"], 7, None, {}])
def test_a_step_that_is_none_is_garbage(step: object) -> None:
    with pytest.raises(Garbage):
        protocol.parse(json.dumps({"op": "apply", "steps": [step]}).encode())


def test_too_many_steps_or_two_for_one_device_are_garbage() -> None:
    for many in ([ALLOW] * 2, [{"deny": f"02:00:00:00:{n >> 8:02x}:{n & 255:02x}"} for n in range(MAX_STEPS + 1)]):
        with pytest.raises(Garbage):
            protocol.parse(json.dumps({"op": "apply", "steps": many}).encode())
