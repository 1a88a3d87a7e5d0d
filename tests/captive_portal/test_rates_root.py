"""Each device has its rate: what one uses up, another does not miss."""

import json
import select
import time
from contextlib import closing

import pytest
from door_twin import WEB4, Resident, Twin, connect

from captive_portal.rows import counters_in

pytestmark = [pytest.mark.root, pytest.mark.slow]
SLOW, FAST = 80_000, 8_000_000
"""Bits per second; the stream of the fake internet brings 400,000."""


@pytest.fixture(scope="module")
def two(twin: Twin, anna: Resident) -> tuple[Resident, Resident]:
    """Anna is slow, Bruno fast; the portal is away, so that nobody corrects what the test asks of gatewayd."""
    bruno = twin.resident("c2")
    bruno.joins()
    twin.stop("portal")
    steps = [
        {"allow": who.mac, "session": number, "seconds": 600, "down": rate, "up": rate}
        for who, number, rate in ((anna, 71, SLOW), (bruno, 72, FAST))
    ]
    assert json.loads(twin.ask(json.dumps({"op": "apply", "steps": steps}).encode())[0])["ok"]
    return anna, bruno


def test_f33_a_slow_device_gets_its_rate_and_its_neighbour_the_whole_stream(two: tuple[Resident, Resident]) -> None:
    anna, bruno = two
    slow, fast = loads(anna, bruno, seconds=6)

    assert fast > 200_000, "the neighbour misses nothing"
    assert slow < fast / 2
    assert slow > SLOW / 8 * 3, "a device at its rate is slowed, not cut"


def test_f33_what_a_slow_device_sends_is_slowed_too(twin: Twin, two: tuple[Resident, Resident]) -> None:
    anna, bruno = two
    with (
        closing(connect(anna.namespace, (WEB4, 5000))) as one,
        closing(connect(bruno.namespace, (WEB4, 5000))) as other,
    ):
        for channel in (one, other):
            channel.setblocking(False)
        until = time.monotonic() + 6
        while time.monotonic() < until:
            for channel in select.select([], [one, other], [], 0.1)[1]:
                channel.send(bytes(4096))
            time.sleep(0.005)

    said = json.loads(twin.ask(b'{"op": "counters"}')[0])
    sent = {one.session: one.bytes_up for one in counters_in(said)}
    assert sent[72] > 2 * sent[71] > 0


def loads(anna: Resident, bruno: Resident, seconds: float) -> tuple[int, int]:
    """Bytes each of the two received at the same time."""
    got = [0, 0]
    with (
        closing(connect(anna.namespace, (WEB4, 5000))) as one,
        closing(connect(bruno.namespace, (WEB4, 5000))) as other,
    ):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for channel in select.select([one, other], [], [], 0.1)[0]:
                got[channel is other] += len(channel.recv(1 << 16))
    return got[0], got[1]
