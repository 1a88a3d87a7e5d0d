"""Whether the site's fibre is plugged: the interface's own word (IFF_RUNNING, netdevice(7)), no privilege needed."""

import fcntl
import socket
import struct

SIOCGIFFLAGS = 0x8913
IFF_RUNNING = 0x40
_REQUEST = struct.Struct("16sH22x")


def running(interface: str) -> bool:
    """Whether *interface* has a carrier; False when it does not exist."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        try:
            answer = fcntl.ioctl(channel, SIOCGIFFLAGS, _REQUEST.pack(interface.encode(), 0))
        except OSError:
            return False
    flags: int = _REQUEST.unpack(answer)[1]
    return bool(flags & IFF_RUNNING)
