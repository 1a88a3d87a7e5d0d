"""A question to a DNS server: answered, refused, silent, or answered by somebody else."""

import socket
import struct
from collections.abc import Callable, Iterator
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.probes.dns import NoAnswer, ask, refusal

Answer = Callable[[bytes], list[bytes]]


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], int]]:
    """A server that answers each question as the test says; the port it listens on."""
    channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    channel.bind(("127.0.0.1", 0))

    def serving(answer: Answer) -> int:
        def run() -> None:
            try:
                while True:
                    packet, peer = channel.recvfrom(4096)
                    for each in answer(packet):
                        channel.sendto(each, peer)
            except OSError:
                return

        Thread(target=run, daemon=True).start()
        return int(channel.getsockname()[1])

    yield serving
    channel.close()


def reply(packet: bytes, code: int = 0, number: int | None = None) -> bytes:
    head = struct.pack("!HH", struct.unpack_from("!H", packet)[0] if number is None else number, 0x8180 | code)
    return head + packet[4:]


@pytest.mark.parametrize("code", [0, 3])
def test_an_answer_is_an_answer_even_if_there_is_no_such_name(serve: Callable[[Answer], int], code: int) -> None:
    port = serve(lambda packet: [reply(packet, code)])

    assert 0 <= ask("127.0.0.1", "wifi.cachan.example", 20, port) < 20


def test_a_server_that_cannot_is_named_with_its_reason(serve: Callable[[Answer], int]) -> None:
    port = serve(lambda packet: [reply(packet, 2)])

    with pytest.raises(NoAnswer, match="server failure"):
        ask("127.0.0.1", "a.example", 20, port)


def test_strange_packets_are_passed_over(serve: Callable[[Answer], int]) -> None:
    strange = [b"", b"x", b"\0" * 12]
    port = serve(lambda packet: [*strange, packet, reply(packet, number=1 ^ packet[0]), reply(packet)])

    assert ask("127.0.0.1", "a.example", 20, port) >= 0


def test_silence_and_a_closed_port_are_no_answer(serve: Callable[[Answer], int]) -> None:
    port = serve(lambda _packet: [])
    with pytest.raises(NoAnswer, match="did not answer within"):
        ask("127.0.0.1", "a.example", 0.05, port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        closed = free.getsockname()[1]
    with pytest.raises(NoAnswer, match=r"nobody listens|did not answer"):
        ask("127.0.0.1", "a.example", 0.5, closed)


@given(st.binary(max_size=60), st.integers(0, 65535))
def test_no_packet_breaks_the_reader(packet: bytes, number: int) -> None:
    assert refusal(number, packet) in {None, "", "format error", "server failure", "not implemented", "refused"}
