"""Short ways to ask agents."""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from collectors.snmp.session import CommunitySession, Session
from collectors.snmp.sockets import Address
from collectors.snmp.transport import Exchange, Patience
from parvis.inventory import UserCredential

HASTY = Patience(timeout_seconds=0.15, tries=2, jitter=0)
Work = Callable[[Exchange], Coroutine[Any, Any, Any]]


@dataclass(frozen=True)
class RealAgent:
    """Debian's snmpd; passwords are ``auth-`` and ``priv-`` before the user's name."""

    address: Address
    community: bytes = b"cachan"


AUTH_PRIV = UserCredential(
    name="bornes",
    version="v3",
    user="sha1aes128",
    auth="SHA-1",
    privacy="AES-128",
    auth_secret="auth",
    privacy_secret="privacy",
)
"""How it is asked; the secrets are those of its user."""


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.bind(("127.0.0.1", 0))
        port: int = opened.getsockname()[1]
        return port


def run(work: Work) -> Any:
    """Run *work* with a socket of its own."""

    async def with_exchange() -> Any:
        exchange = Exchange()
        try:
            return await asyncio.wait_for(work(exchange), 30)
        finally:
            exchange.close()

    return asyncio.run(with_exchange())


def ask(address: Address, work: Callable[[Session], Coroutine[Any, Any, Any]], community: bytes = b"public") -> Any:
    """Run *work* with an SNMPv2c session that does not wait long."""
    return run(lambda exchange: work(CommunitySession(exchange, address, community, patience=HASTY)))
