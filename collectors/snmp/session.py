"""How one agent is asked: with a community (v1, v2c) or as a user (v3), with what was learned kept between polls."""

import os
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

from collectors.snmp import ber, pdu, usm
from collectors.snmp.errors import (
    AUTHORIZATION_ERROR,
    AgentError,
    Malformed,
    NotAuthorized,
    NotInTimeWindow,
    Silent,
    SnmpError,
    Unauthentic,
    UnknownEngine,
    UnknownUser,
    UnsupportedSecurityLevel,
    UsmReport,
    WrongAuthPassword,
    WrongPrivacyPassword,
)
from collectors.snmp.frames import Frames, suits
from collectors.snmp.pdu import MAX_REQUEST_ID, Kind, Pdu, Prepared, ReadVarbinds, Request, Version
from collectors.snmp.sockets import Address
from collectors.snmp.transport import Exchange, Patience
from collectors.snmp.turns import Body, Take, Turns, whole

REPORTS: dict[bytes, type[UsmReport]] = {
    ber.oid(f"1.3.6.1.6.3.15.1.1.{arc}"): error
    for arc, error in (
        (1, UnsupportedSecurityLevel),
        (2, NotInTimeWindow),
        (3, UnknownUser),
        (4, UnknownEngine),
        (5, WrongAuthPassword),
        (6, WrongPrivacyPassword),
    )
}
"""usmStats (RFC 3414 section 5) to what each means."""


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
        number = _number()
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


@dataclass(slots=True)
class UsmSession:
    """An agent asked in SNMPv3; its engine ID and clock are discovered once and kept (RFC 3414 section 4)."""

    exchange: Exchange
    address: Address
    user: usm.User
    patience: Patience = field(default_factory=Patience)
    engine: usm.Engine = field(default_factory=usm.Engine)
    version: Version = Version.V3
    any_source: bool = False
    _has_worked: bool = False
    _frames: Frames | None = None

    async def ask(self, request: Request, patience: Patience | None = None) -> Pdu:
        """See Session.ask; once per request, a clock out of window or a new engine ID leads to a new try."""
        patience = patience or self.patience
        return served(await self._proven(partial(self._once, request, self.user, patience), patience))

    async def ask_in_turn(self, requests: Sequence[Prepared], take: Take, patience: Patience | None = None) -> None:
        """See Session.ask_in_turn."""
        patience = patience or self.patience
        turns = Turns(requests, take, self._sealed, self._opened, repeats=False, is_slow=patience.gap_seconds > 0)
        ask = partial(self.exchange.ask, self.address, turns.seal, turns.read, patience, any_source=self.any_source)
        while turns.is_left:
            await self._proven(ask, patience)

    def _sealed(self, request: Request) -> tuple[int, bytes]:
        frames = self._known() if isinstance(request, Prepared) else None
        if frames is None:
            return _sealed(request, self.user, self.engine)
        number = _number()
        return number, frames.seal(request, self.engine, number, time.monotonic())  # type: ignore[arg-type] # see above

    def _opened(self, data: bytes, number: int) -> Body:
        frames = self._known()
        message = frames.open(data, number) if frames else None
        if message:
            answer = self._judged(message, self.user, number)
        else:
            answer = self._read(self.user, whole, data, number)
            if frames:
                frames.learn(data)
        body: Body = served(answer).varbinds  # type: ignore[assignment] # what *whole* made of them
        return body

    def _known(self) -> Frames | None:
        """The frames of this engine, where there can be any."""
        engine_id = self.engine.engine_id
        if engine_id and (self._frames is None or self._frames.engine_id != engine_id) and suits(self.user):
            self._frames = Frames(self.user, engine_id)
        return self._frames if engine_id else None

    async def _proven(self, once: Callable[[], Awaitable[Any]], patience: Patience) -> Any:
        """What *once* gives, after finding out who and when the engine is, as far as that has to be known."""
        if not self.engine.engine_id:
            await self._discover(patience)
        try:
            answer = await self._twice(once, patience)
        except Silent:
            if self.user.priv and not self._has_worked and await self._answers_without_privacy(patience):
                raise WrongPrivacyPassword("answers signed requests, but is silent to encrypted ones") from None
            self._has_worked = False
            raise
        self._has_worked = True
        return answer

    async def _twice(self, once: Callable[[], Awaitable[Any]], patience: Patience) -> Any:
        try:
            return await once()
        except NotInTimeWindow:
            if not self.engine.is_proven:
                await self._discover(patience)
        except UnknownEngine:
            await self._discover(patience)
        return await once()

    async def _once(self, request: Request, user: usm.User, patience: Patience) -> Pdu:
        seal = partial(_sealed, request, user, self.engine)
        read = request.read if isinstance(request, Prepared) else ber.read_varbinds
        opened = partial(self._read, user, read)
        answer: Pdu = await self.exchange.ask(self.address, seal, opened, patience, any_source=self.any_source)
        return answer

    async def _answers_without_privacy(self, patience: Patience) -> bool:
        """Net-SNMP drops what it cannot decrypt without a report; any answer to a signed request gives it away."""
        clear = replace(self.user, priv=None, priv_password=b"")
        try:
            await self._once(pdu.ask(Kind.GET, ()), clear, replace(patience, tries=1))
        except (Silent, Malformed, Unauthentic, WrongAuthPassword, UnknownUser):
            return False
        except SnmpError:
            return True
        return True

    def _read(self, user: usm.User, read: ReadVarbinds, data: bytes, number: int) -> Pdu:
        return self._judged(usm.open_message(data, user, self.engine, number, read), user, number)

    def _judged(self, message: usm.Opened, user: usm.User, number: int) -> Pdu:
        """The PDU of a message that is an answer, and comes in time."""
        now = time.monotonic()
        if usm.is_report(message):
            report = _report(message)
            if isinstance(report, NotInTimeWindow):
                # An authentic report answers our random msgID, so it is no replay: its clock is the agent's.
                self.engine.note(message, now)
            raise report
        if message.flags != user.flags:
            raise Unauthentic("answered at another security level")
        if message.is_authentic:
            if not self.engine.accepts(message, now):
                raise Unauthentic("answered outside the time window")
            self.engine.note(message, now)
        if message.pdu.kind != Kind.RESPONSE or message.pdu.request_id != number:
            raise Unauthentic(f"{message.pdu.kind.name} {message.pdu.request_id} is no answer to {number}")
        return message.pdu

    async def _discover(self, patience: Patience) -> None:
        """Learn the engine ID; boots and time of the unsigned report are a first guess the agent will correct."""
        self.engine = usm.Engine()
        seal = partial(_sealed, pdu.ask(Kind.GET, ()), usm.NOBODY, self.engine)
        await self.exchange.ask(self.address, seal, self._read_discovery, patience, any_source=self.any_source)

    def _read_discovery(self, data: bytes, number: int) -> None:
        message = usm.open_message(data, usm.NOBODY, self.engine, number)
        report = _report(message) if usm.is_report(message) else None
        if not isinstance(report, UnknownEngine) or not message.engine_id:
            raise Malformed("no engine ID in the answer to a discovery")
        self.engine.note(message, time.monotonic())


def _number() -> int:
    """A number nobody can guess: together with the source address it is what ties a reply to its request."""
    if not _numbers:
        _numbers.extend(memoryview(os.urandom(4 * _NUMBERS_AT_ONCE)).cast("I"))
    return _numbers.pop() & MAX_REQUEST_ID | _FOUR_OCTETS


_numbers: list[int] = []
_NUMBERS_AT_ONCE = 256


def _sealed(request: Request, user: usm.User, engine: usm.Engine) -> tuple[int, bytes]:
    number = _number()
    return number, usm.seal(request, user, engine, number, time.monotonic())


def _report(message: usm.Opened) -> UsmReport:
    for name, _, _ in message.pdu.varbinds:
        for root, error in REPORTS.items():
            if name.startswith(root):
                return error(ber.oid_text(name))
    return UsmReport("a report about something unknown")


def served(answer: Pdu) -> Pdu:
    """*answer*, unless the agent says in it that it could not serve the request; then AgentError."""
    if answer.error_status == AUTHORIZATION_ERROR:
        raise NotAuthorized(answer.error_status, answer.error_index)
    if answer.error_status:
        raise AgentError(answer.error_status, answer.error_index)
    return answer
