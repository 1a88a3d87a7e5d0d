"""Echo request and reply (RFC 792, RFC 4443), the socket they pass, and the window of recent ones.

Linux ping sockets (icmp(7)): no privilege, but the process's group must be in net.ipv4.ping_group_range, which also
governs IPv6.
"""

import socket
import struct
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise

REQUEST = {4: 8, 6: 128}
"""ICMP and ICMPv6 type of an echo request."""
REPLY = {4: 0, 6: 129}
"""ICMP and ICMPv6 type of an echo reply."""
_HEADER = struct.Struct("!BBHHH")
TOKEN_BYTES = 16
CUT_ECHOES = 3
"""So many missing in a row, once: a cut that is over, counted as that and not as loss."""
SEQUENCES = 1 << 16
SO_TIMESTAMPNS = 35
"""asm-generic/socket.h; the control message that comes back has the same number and holds a struct timespec."""
_FAMILY = {4: (socket.AF_INET, socket.IPPROTO_ICMP), 6: (socket.AF_INET6, socket.IPPROTO_ICMPV6)}
_RECEIVE_BUFFER_BYTES = 1 << 20


class EchoForbidden(OSError):
    """The kernel allows this process no ping socket; the administrator must widen net.ipv4.ping_group_range."""


def request(version: int, sequence: int, token: bytes) -> bytes:
    """An echo request; the kernel fills the checksum and the identifier in (ping sockets, Linux 3.0).

    >>> request(4, 258, b"abc").hex()
    '0800000000000102616263'
    """
    return _HEADER.pack(REQUEST[version], 0, 0, 0, sequence) + token


def reply(version: int, packet: bytes) -> tuple[int, bytes] | None:
    """Sequence and token of an echo reply; None for anything else.

    >>> reply(4, bytes.fromhex("0000000000000102616263")), reply(4, b"short")
    ((258, b'abc'), None)
    """
    if len(packet) < _HEADER.size:
        return None
    kind, code, _checksum, _identifier, sequence = _HEADER.unpack_from(packet)
    if kind != REPLY[version] or code != 0:
        return None
    return sequence, packet[_HEADER.size :]


@dataclass(slots=True)
class Window:
    """The last *size* echoes of one target: round-trip seconds, None for one that was lost.

    >>> window = Window(3)
    >>> for rtt in (0.010, None, 0.030, 0.020):
    ...     window.add(rtt)
    >>> round(window.loss_ratio, 2), round(window.rtt_seconds, 3), round(window.jitter_seconds, 3)
    (0.33, 0.025, 0.01)
    """

    size: int
    echoes: deque[float | None] = field(init=False)

    def __post_init__(self) -> None:
        self.echoes = deque(maxlen=self.size)

    def add(self, rtt_seconds: float | None) -> None:
        """Remember one echo."""
        self.echoes.append(rtt_seconds)

    @property
    def loss_ratio(self) -> float | None:
        """Lost of sent; None before the first echo. What one cut that is over has swallowed is not loss.

        >>> window = Window(10)
        >>> for rtt in (0.01, None, None, None, 0.01):
        ...     window.add(rtt)
        >>> window.loss_ratio, window.add(None), window.loss_ratio
        (0.0, None, 0.6666666666666666)
        """
        if not self.echoes:
            return None
        runs = [len(list(run)) for lost, run in groupby(self.echoes, lambda rtt: rtt is None) if lost]
        lone_cut = len(runs) == 1 and runs[0] >= CUT_ECHOES and self.echoes[-1] is not None
        return 0.0 if lone_cut else sum(runs) / len(self.echoes)

    @property
    def rtt_seconds(self) -> float | None:
        """Median of those answered; None when none was."""
        answered = [rtt for rtt in self.echoes if rtt is not None]
        return _middle(answered) if answered else None

    @property
    def jitter_seconds(self) -> float | None:
        """Mean difference between one answered echo and the next (RFC 3550's idea); None with fewer than two."""
        answered = [rtt for rtt in self.echoes if rtt is not None]
        return (
            sum(abs(one - other) for one, other in pairwise(answered)) / (len(answered) - 1) if answered[1:] else None
        )


def _middle(values: Sequence[float]) -> float:
    """The median; the library that reckons it costs a gateway's portal a megabyte."""
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def ping_socket(version: int) -> socket.socket:
    """A socket for echoes of IP *version*, dated by the kernel, without waiting; EchoForbidden."""
    family, protocol = _FAMILY[version]
    try:
        made = socket.socket(family, socket.SOCK_DGRAM, protocol)
    except PermissionError as error:
        raise EchoForbidden(
            error.errno, "no ping socket allowed; set net.ipv4.ping_group_range to include this process's group"
        ) from error
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
    return made
