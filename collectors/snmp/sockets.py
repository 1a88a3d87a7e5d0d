"""UDP sockets for asking agents, and their addresses."""

import asyncio
import contextlib
import socket

from collectors.snmp.errors import BadName

Address = tuple[str, int]
"""Host (numeric) and UDP port."""

_SO_RCVBUFFORCE = 33
_IP_RECVERR, _IPV6_RECVERR = 11, 25
_RECEIVE_BUFFER_OCTETS = 32 * 2**20


def open_socket(family: int) -> socket.socket:
    """An unconnected socket that never blocks, tells which host refused, and has as large a buffer as we may have."""
    opened = socket.socket(family, socket.SOCK_DGRAM)
    opened.setblocking(False)
    try:
        opened.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, _RECEIVE_BUFFER_OCTETS)
    except PermissionError:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_OCTETS)
    with contextlib.suppress(OSError):
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
        else:
            opened.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
    return opened


async def resolve(host: str, port: int) -> Address:
    """The numeric address of a host; BadName when there is none."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:  # the latter about a name that can be none, such as a..b
        raise BadName(f"{host}: {getattr(error, 'strerror', '') or error}") from error
    return str(found[0][4][0]), port
