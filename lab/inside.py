"""What the lab does inside a network namespace."""

import socket
from pathlib import Path

from parvis.namespaces import inside


def connect(namespace: str, host: str, port: int, timeout_seconds: float) -> socket.socket:
    """A TCP connection that starts inside *namespace*; OSError when nobody answers."""
    return inside(namespace, lambda: socket.create_connection((host, port), timeout_seconds))


def set_sysctls(namespace: str, values: dict[str, str]) -> None:
    """Write sysctls (``net/ipv4/ip_forward``) inside *namespace*; one the kernel does not have is left out."""

    def write() -> None:
        for key, value in values.items():
            path = Path("/proc/sys") / key
            if path.exists():
                path.write_text(value)

    inside(namespace, write)
