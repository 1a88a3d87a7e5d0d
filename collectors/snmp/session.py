"""How one agent is asked with a community, in SNMPv1 and v2c; and what every way of asking has in common."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from collectors.snmp import ber, pdu
from collectors.snmp.errors import AUTHORIZATION_ERROR, AgentError, NotAuthorized
from collectors.snmp.pdu import MAX_REQUEST_ID, Pdu, Prepared, Request, Version
from collectors.snmp.sockets import Address
from collectors.snmp.transport import Exchange, Patience
from collectors.snmp.turns import Body, Take, Turns, whole

_FOUR_OCTETS = 2**24
"""A bit that makes every number one of four octets, so that requests of one kind have one length."""


class Session(Protocol):
    """Somebody who can be asked."""

    @property
    def version(self) -> Version:
        """The version spoken."""

    @property
    def address(self) -> Address:
        """Where the agent is."""

    @property
    def engine_id(self) -> bytes:
        """Who the agent is, in SNMPv3; empty where that is not known."""

    @property
    def patience(self) -> Patience:
        """How long it is waited for an answer where nothing else is said."""

    async def ask(self, request: Request, patience: Patience | None = None) -> Pdu:
        """The Response PDU; AgentError when its error-status is not 0, another SnmpError when there is none."""

    async def ask_in_turn(self, requests: Sequence[Prepared], take: Take, patience: Patience | None = None) -> None:
        """Ask one after another until *take* has enough of the answers; an error is as with *ask*, and ends it."""


@dataclass(slots=True)
class CommunitySession:
    """An agent asked in SNMPv1 or SNMPv2c."""

    exchange: Exchange
    address: Address
    community: bytes = field(repr=False)
    version: Version = Version.V2C
    patience: Patience = field(default_factory=Patience)
    any_source: bool = False
    _head: bytes = field(init=False, repr=False)

    @property
    def engine_id(self) -> bytes:
        """See Session.engine_id."""
        return b""

    def __post_init__(self) -> None:
        self._head = ber.integer(self.version) + ber.tlv(ber.OCTET_STRING, self.community)

    async def ask(self, request: Request, patience: Patience | None = None) -> Pdu:
        """See Session.ask; a retry repeats the same datagram, so a late answer to the first try is as good."""
        sealed = self._sealed(request)
        read = request.read if isinstance(request, Prepared) else ber.read_varbinds

        def opened(data: bytes, number: int) -> Pdu:
            return pdu.open_reply(data, self.version, self.community, number, read)

        patience = patience or self.patience
        answer: Pdu = await self.exchange.ask(
            self.address, lambda: sealed, opened, patience, any_source=self.any_source
        )
        return served(answer)

    async def ask_in_turn(self, requests: Sequence[Prepared], take: Take, patience: Patience | None = None) -> None:
        """See Session.ask_in_turn."""
        patience = patience or self.patience
        turns = Turns(requests, take, self._sealed, self._opened, repeats=True, is_slow=patience.gap_seconds > 0)
        while turns.is_left:
            await self.exchange.ask(self.address, turns.seal, turns.read, patience, any_source=self.any_source)

    def _sealed(self, request: Request) -> tuple[int, bytes]:
        number = next_number()
        if isinstance(request, Prepared):
            return number, pdu.numbered(self._head, request, number)
        return number, ber.tlv(ber.SEQUENCE, self._head + pdu.encode(request, number))

    def _opened(self, data: bytes, number: int) -> Body:
        at = pdu.plain_bindings(data, self._head, number)
        if at:
            return data, at, len(data)
        answer = served(pdu.open_reply(data, self.version, self.community, number, whole))
        body: Body = answer.varbinds  # type: ignore[assignment] # what *whole* made of them
        return body


def next_number() -> int:
    """A number nobody can guess: together with the source address it is what ties a reply to its request."""
    if not _numbers:
        _numbers.extend(memoryview(os.urandom(4 * _NUMBERS_AT_ONCE)).cast("I"))
    return _numbers.pop() & MAX_REQUEST_ID | _FOUR_OCTETS


_numbers: list[int] = []
_NUMBERS_AT_ONCE = 256


def served(answer: Pdu) -> Pdu:
    """*answer*, unless the agent says in it that it could not serve the request; then AgentError."""
    if answer.error_status == AUTHORIZATION_ERROR:
        raise NotAuthorized(answer.error_status, answer.error_index)
    if answer.error_status:
        raise AgentError(answer.error_status, answer.error_index)
    return answer
