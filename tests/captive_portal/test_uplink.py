"""Whether internet is there, by resolvers that answer, refuse, keep silent, or are not there at all."""

import errno
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from captive_portal.uplink import MISSES, Place, Uplink, answered


@contextmanager
def resolver(*, number: bool = True, silent: bool = False) -> Iterator[Place]:
    """Somebody who answers one question; not *number*: to a question nobody asked."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.bind(("127.0.0.1", 0))

        def serve() -> None:
            question, who = channel.recvfrom(512)
            if not silent:
                channel.sendto((question[:2] if number else bytes(a ^ 255 for a in question[:2])) + question[2:], who)

        threading.Thread(target=serve, daemon=True).start()
        place: Place = channel.getsockname()
        yield place


def nobody() -> Place:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.bind(("127.0.0.1", 0))
        place: Place = channel.getsockname()
        return place


def test_one_resolver_that_answers_is_enough() -> None:
    with resolver() as one, resolver(silent=True) as other:
        assert answered([nobody(), other, one], 5)


def test_silence_a_refusal_and_an_answer_to_another_question_are_no_internet() -> None:
    with resolver(silent=True) as silent, resolver(number=False) as forged:
        assert not answered([silent], 0.2)
        assert not answered([forged], 0.2)
    assert not answered([nobody()], 0.2)
    assert not answered([], 0.2)


def test_a_kernel_without_ipv6_asks_those_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    class Without(socket.socket):
        def __init__(self, family: int = socket.AF_INET, *words: Any, **more: Any) -> None:
            if family == socket.AF_INET6:
                raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
            super().__init__(family, *words, **more)

    with resolver() as one:
        monkeypatch.setattr(socket, "socket", Without)
        assert answered([("2001:db8::53", 53), one], 5)
        assert not answered([("2001:db8::53", 53)], 0.2)


def test_one_lost_answer_is_no_fault_and_two_are(capsys: pytest.CaptureFixture[str]) -> None:
    answers = iter([True, False, True, *[False] * MISSES, True])
    uplink = Uplink("lo", lambda: next(answers))
    seen = []
    for _ in range(6):
        uplink.look()
        seen.append(uplink.there())

    assert seen == [True, True, True, True, False, True]
    diary = capsys.readouterr().err
    assert diary.count("internet is cut") == diary.count("internet is back") == 1


def test_an_unplugged_fibre_is_seen_without_asking() -> None:
    assert not Uplink("wan-none", lambda: True).there()
