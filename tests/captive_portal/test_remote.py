"""The portal reads everybody from gatewayd only when somebody else may have changed who is admitted."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from captive_portal import protocol, rows
from captive_portal.admission import Admitted, Deny, Picture
from captive_portal.protocol import MAX_STEPS, Apply, Counted, Counters, Everybody
from captive_portal.remote import AHEAD, GatewayAway, Remote
from parvis.addresses import MacAddress

ANNA = MacAddress.parse("02:00:00:00:00:0a")
BRUNO = MacAddress.parse("02:00:00:00:00:0b")
PICTURE = Picture({ANNA: Admitted(7, 60.5)}, at=1000.5)


class Gatewayd:
    """Counts revisions as gatewayd does; refuses all where told, or what would come after revision *last*."""

    def __init__(self, path: Path) -> None:
        self.revision, self.refuses, self.asked = 100, False, list[protocol.Request]()
        self.counts, self.last = threading.Event(), 2**62
        self.pictures = threading.Event()
        self.pictures.set()
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):  # closed
            while True:
                threading.Thread(target=self._talk, args=(self._server.accept()[0],), daemon=True).start()

    def _talk(self, channel: socket.socket) -> None:
        with suppress(OSError), channel, channel.makefile("rwb") as lines:
            for line in lines:
                lines.write(self._answer(protocol.parse(line)))
                lines.flush()

    def _answer(self, request: protocol.Request) -> bytes:
        self.asked.append(request)
        if self.refuses or self.revision == self.last:
            return protocol.refusal("the kernel refused")
        if isinstance(request, Counters):
            self.counts.wait(5)
            return protocol.answer(rows.counters_out(rows.counted([Counted(7, 10, 20, 60.5)])))
        if isinstance(request, Everybody):
            self.pictures.wait(5)
            found = rows.admitted([(bytes.fromhex("02000000000a"), 7, 60.5)])
            changed = request.unless != self.revision
            about = {"revision": self.revision, "at": 1000.5}
            return protocol.answer(about | rows.admitted_out(found if changed else None))
        self.revision += 1
        return protocol.answer({"revision": self.revision})

    def close(self) -> None:
        self._server.close()


@pytest.fixture
def gatewayd(tmp_path: Path) -> Iterator[Gatewayd]:
    made = Gatewayd(tmp_path / "socket")
    yield made
    made.close()


@pytest.fixture
def remote(gatewayd: Gatewayd, tmp_path: Path) -> Remote:
    assert gatewayd.asked == []
    return Remote(tmp_path / "socket")


def test_the_first_look_reads_everybody_and_the_next_nobody(remote: Remote) -> None:
    assert remote.altered(surely=False) == PICTURE
    assert remote.altered(surely=False) is None
    assert remote.altered(surely=True) == PICTURE


def test_what_the_portal_itself_changes_is_no_reason_to_read(remote: Remote, gatewayd: Gatewayd) -> None:
    remote.altered(surely=False)
    remote.apply([Deny(ANNA)])

    assert gatewayd.revision == 101
    assert remote.altered(surely=False) is None


def test_a_change_by_somebody_else_is_read_even_when_the_portal_changes_something_after_it(
    remote: Remote, gatewayd: Gatewayd
) -> None:
    remote.altered(surely=False)
    gatewayd.revision += 1
    remote.apply([Deny(ANNA)])

    assert remote.altered(surely=False) == PICTURE


def crowd(count: int) -> list[Deny]:
    return [Deny(MacAddress.parse(f"02:00:00:00:{n >> 8:02x}:{n & 255:02x}")) for n in range(count)]


def test_a_long_list_goes_in_parts_that_do_not_wait_for_each_other(remote: Remote, gatewayd: Gatewayd) -> None:
    remote.altered(surely=False)
    steps = crowd(5 * MAX_STEPS + 1)
    answered_at_the_end = []

    def taken() -> Iterator[Deny]:
        for place, step in enumerate(steps):
            if place == 5 * MAX_STEPS:
                answered_at_the_end.append(gatewayd.revision)
            yield step

    remote.apply(taken())

    assert [len(one.steps) for one in gatewayd.asked if isinstance(one, Apply)] == [*[MAX_STEPS] * 5, 1]
    assert [step for one in gatewayd.asked if isinstance(one, Apply) for step in one.steps] == steps
    assert answered_at_the_end[0] >= 100 + 5 - AHEAD, "no more is sent ahead than said"
    assert remote.altered(surely=False) is None, "all six were our own"


def test_a_refusal_within_a_long_list_leaves_no_answer_behind(remote: Remote, gatewayd: Gatewayd) -> None:
    remote.altered(surely=False)
    gatewayd.last = 102
    with pytest.raises(GatewayAway, match="the kernel refused"):
        remote.apply(crowd(6 * MAX_STEPS))
    gatewayd.last = 2**62

    assert remote.altered(surely=False) == PICTURE, "the answer to this question, not to one before"
    # the rest of the refused list may still be read, on the connection that was given up
    asked = [request for request in gatewayd.asked if isinstance(request, Everybody)]
    assert asked[-1] == Everybody(0), "nothing is taken for known"


def test_nothing_to_do_asks_nobody(remote: Remote, gatewayd: Gatewayd) -> None:
    gatewayd.close()

    remote.apply([])

    assert gatewayd.asked == []


def test_after_a_refusal_nothing_is_taken_for_known(remote: Remote, gatewayd: Gatewayd) -> None:
    remote.altered(surely=False)
    gatewayd.refuses = True
    with pytest.raises(GatewayAway):
        remote.apply([Deny(ANNA)])
    gatewayd.refuses = False

    assert remote.altered(surely=False) == PICTURE
    assert gatewayd.asked[-1] == Everybody(0)


def test_who_must_not_wait_asks_for_the_counters_again_until_they_are_there(remote: Remote, gatewayd: Gatewayd) -> None:
    assert remote.counters_soon() is None
    assert remote.altered(surely=False) == PICTURE  # others are served meanwhile
    assert remote.counters_soon() is None
    gatewayd.counts.set()

    while (found := remote.counters_soon()) is None:
        pass

    assert list(found) == [Counted(7, 10, 20, 60.5)]
    assert [one for one in gatewayd.asked if isinstance(one, Counters)] == [Counters()]


def test_counters_of_thousands_are_rows_and_not_objects() -> None:
    counted = [Counted(n, n * 2**40, 2**64 - 1, 691_200.0) for n in range(1, 1001)]

    line = protocol.answer(rows.counters_out(rows.counted(counted)))

    assert list(rows.counters_in(json.loads(line))) == counted
    assert len(line) < 1000 * 33
    assert protocol.parse(protocol.render(Counters())) == Counters()


def says(**words: Any) -> bytes:
    return json.dumps(words).encode()


@pytest.mark.parametrize("wrong", [{}, {"unless": -1}, {"unless": "7"}, {"unless": 7, "more": 1}])
def test_a_question_for_everybody_with_a_wrong_part_is_garbage(wrong: dict[str, Any]) -> None:
    with pytest.raises(protocol.Garbage):
        protocol.parse(says(op="admitted", **wrong))


def taken(remote: Remote) -> Picture:
    while (found := remote.everybody_soon()) is None:
        pass
    return found


def test_a_picture_that_is_taken_while_others_are_served_says_of_whom_it_is_not_sure(
    remote: Remote, gatewayd: Gatewayd
) -> None:
    remote.apply([Deny(BRUNO)])
    gatewayd.pictures.clear()
    assert remote.everybody_soon() is None
    remote.apply([Deny(ANNA)])
    gatewayd.pictures.set()

    assert taken(remote) == PICTURE._replace(unsure={ANNA})
    assert [one for one in gatewayd.asked if isinstance(one, Everybody)] == [Everybody(0)]


def test_a_picture_that_could_not_be_taken_is_told_and_the_next_is_asked_for(
    remote: Remote, gatewayd: Gatewayd
) -> None:
    gatewayd.refuses = True
    with pytest.raises(GatewayAway):
        taken(remote)
    gatewayd.refuses = False

    assert taken(remote) == PICTURE._replace(unsure=set())
