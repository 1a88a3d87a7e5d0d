"""One question to one DNS server, over UDP (RFC 1035): whether it answers, and how long it takes."""

import secrets
import socket
import struct
import time

PORT = 53
_HEADER = struct.Struct("!6H")
_RECURSION = 0x0100
_IS_ANSWER = 0x8000
_CODE = 0x000F
_REFUSALS = {1: "format error", 2: "server failure", 4: "not implemented", 5: "refused"}
"""Response codes of a server that does not do its work; "no such name" (3) is an answer like any other."""
_A, _IN = 1, 1


class NoAnswer(OSError):
    """The server did not answer in time, or refused; whoever runs it must act."""


def question(number: int, name: str) -> bytes:
    r"""A question for the IPv4 addresses of *name*.

    >>> question(258, "a.fr")
    b'\x01\x02\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x02fr\x00\x00\x01\x00\x01'
    """
    labels = b"".join(bytes([len(label)]) + label for label in name.encode("idna").rstrip(b".").split(b"."))
    return _HEADER.pack(number, _RECURSION, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", _A, _IN)


def refusal(number: int, packet: bytes) -> str | None:
    """Why *packet* is no good answer to question *number*, empty when it is one; None: it is none of ours."""
    if len(packet) < _HEADER.size:
        return None
    found, flags, *_counts = _HEADER.unpack_from(packet)
    if found != number or not flags & _IS_ANSWER:
        return None
    return _REFUSALS.get(flags & _CODE, "")


def ask(server: str, name: str, timeout: float, port: int = PORT) -> float:
    """Seconds *server* took to answer for *name*; NoAnswer. What others send is passed over."""
    number = secrets.randbelow(1 << 16)
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as channel:
        channel.connect((server, port))
        begun = time.monotonic()
        try:
            channel.send(question(number, name))
            while (left := begun + timeout - time.monotonic()) > 0:
                channel.settimeout(left)
                why = refusal(number, channel.recv(4096))
                if why == "":
                    return time.monotonic() - begun
                if why is not None:
                    raise NoAnswer(f"{server}: {why}")
        except TimeoutError:
            pass
        except ConnectionRefusedError as error:
            raise NoAnswer(f"{server}: nobody listens") from error
    raise NoAnswer(f"{server} did not answer within {timeout:g} s")
