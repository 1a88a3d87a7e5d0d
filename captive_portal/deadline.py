"""How long a socket's calls may take, kept by the kernel.

Python's own timeouts ask poll(2) before each call and give the interpreter's lock away twice.
"""

import socket
import struct

_MOMENT = struct.Struct("@ll")
"""struct timeval."""


def deadline(channel: socket.socket, seconds: float) -> None:
    """Let each call on *channel* wait *seconds* at most (socket(7)); then it raises BlockingIOError, an OSError."""
    moment = _MOMENT.pack(int(seconds), int(seconds % 1 * 1_000_000))
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, moment)
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, moment)
