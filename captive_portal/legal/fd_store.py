"""Descriptors the service manager keeps for our successor: sd_pid_notify_with_fds(3), sd_listen_fds(3)."""

import array
import os
import socket
from collections.abc import Mapping

FIRST = 3
"""SD_LISTEN_FDS_START."""


def keep(name: str, handle: int) -> bool:
    """Have the manager keep *handle* under *name* (FileDescriptorStoreMax=); False when there is no manager."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.connect("\0" + address[1:] if address.startswith("@") else address)
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [handle]))
        channel.sendmsg([f"FDSTORE=1\nFDNAME={name}".encode()], [rights])
    return True


def kept(environment: Mapping[str, str], pid: int) -> dict[str, int]:
    """What a predecessor had kept, by name; each descriptor is closed when we execute another program.

    >>> kept({"LISTEN_PID": "7", "LISTEN_FDS": "0"}, 7)
    {}
    """
    if environment.get("LISTEN_PID") != str(pid):
        return {}
    count = int(environment.get("LISTEN_FDS", "0"))
    names = environment.get("LISTEN_FDNAMES", "").split(":")
    found = {}
    for place in range(count):
        handle = FIRST + place
        os.set_inheritable(handle, False)
        found[names[place] if place < len(names) else f"unnamed-{place}"] = handle
    return found
