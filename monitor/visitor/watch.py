"""The ear on a residents' network between two visits: a packet socket whose filter lets only suspicious frames in.

What comes is kept, so much and no more, until the next visit reads it. This process knows nothing of what frames mean.
"""

import ctypes
import socket
import struct
from collections.abc import Sequence

from parvis.namespaces import inside

ETH_P_ALL = 0x0003
SO_ATTACH_FILTER = 26
BUFFER_BYTES = 64 * 1024
MOST_FRAMES = 256
MOST_BYTES = 1514
INSTRUCTION = struct.Struct("=HBBI")
"""struct sock_filter (linux/filter.h)."""
NOTHING = ((0x06, 0, 0, 0),)
"""A program that drops everything: until the gateway is proven, nothing is suspicious."""

Program = Sequence[Sequence[int]]


class Ear:
    """Listens on *interface* of *namespace*. OSError when it may not, or there is none."""

    def __init__(self, namespace: str, interface: str) -> None:
        self._socket = inside(namespace, lambda: _opened(interface))
        self._frames: list[bytes] = []
        self._program: Program = NOTHING
        self.dropped = 0
        """Frames beyond what is kept."""

    def fileno(self) -> int:
        """For select(2)."""
        return self._socket.fileno()

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()

    def arm(self, program: Program) -> None:
        """Let in what *program* says, from now on."""
        if program and program != self._program:
            _attach(self._socket, program)
            self._program = program

    def listen(self) -> None:
        """Take in what waits."""
        for _ in range(MOST_FRAMES):
            try:
                frame = self._socket.recv(MOST_BYTES)
            except BlockingIOError:
                return
            if len(self._frames) < MOST_FRAMES:
                self._frames.append(frame)
            else:
                self.dropped += 1

    def taken(self) -> list[bytes]:
        """The frames that were kept; they are forgotten here."""
        frames, self._frames = self._frames, []
        return frames


def _opened(interface: str) -> socket.socket:
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    try:
        _attach(made, NOTHING)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        made.setblocking(False)
        made.bind((interface, ETH_P_ALL))
    except OSError:
        made.close()
        raise
    return made


def _attach(listening: socket.socket, program: Program) -> None:
    """Give the kernel *program* (SO_ATTACH_FILTER, socket(7)); OSError when it refuses it."""
    lines = ctypes.create_string_buffer(b"".join(INSTRUCTION.pack(*line) for line in program))
    fprog = struct.pack("HxxxxxxP", len(program), ctypes.addressof(lines))
    listening.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, fprog)
