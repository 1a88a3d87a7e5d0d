"""How one agent is asked as a user, in SNMPv3, with what was learned kept between polls.

Apart from session.py: where no device speaks SNMPv3, what signs and encrypts is not loaded.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from collectors.snmp import ber, pdu, usm
from collectors.snmp.errors import (
    Malformed,
    NotInTimeWindow,
    OtherEngine,
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
from collectors.snmp.keys import other_extension
from collectors.snmp.pdu import Kind, Pdu, Prepared, ReadVarbinds, Request, Version
from collectors.snmp.session import next_number, served
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


@dataclass(slots=True)
class UsmSession:
    """An agent asked in SNMPv3; its engine ID and clock are discovered once and kept (RFC 3414 section 4).

    They are its own, whoever else has the same engine ID: cloned devices have one configuration, and not one clock.
    """

    exchange: Exchange
    address: Address
    user: usm.User
    patience: Patience = field(default_factory=Patience)
    engine: usm.Engine = field(default_factory=usm.Engine)
    version: Version = Version.V3
    any_source: bool = False
    _expected: bytes = b""
    _has_worked: bool = False
    _frames: Frames | None = None

    @property
    def engine_id(self) -> bytes:
        """See Session.engine_id."""
        return self.engine.engine_id

    def expect(self, engine_id: bytes) -> None:
        """Take no other engine for this agent: OtherEngine when one answers. Its clock is still learned from it."""
        self._expected, self.engine = engine_id, usm.Engine(engine_id)

    async def ask(self, request: Request, patience: Patience | None = None) -> Pdu:
        """See Session.ask; once per request, a clock out of window or a new engine ID leads to a new try."""
        patience = patience or self.patience
        return served(await self._proven(partial(self._once, request, patience), patience))

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
        number = next_number()
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
        """What *once* gives, after finding out who and when the engine is, as far as that has to be known.

        A new agent that cannot read us may stretch keys the other way (keys.py): that is tried once, and kept.
        """
        if not self.engine.engine_id:
            await self._discover(patience)
        try:
            answer = await self._heard(once, patience)
        except WrongPrivacyPassword:
            user = self.user
            other = other_extension(user.auth, user.priv) if user.auth and user.priv else None
            if self._has_worked or other is None:
                raise
            self.user, self._frames = replace(user, priv=other), None
            try:
                answer = await self._heard(once, patience)
            except SnmpError:
                self.user, self._frames = user, None
                raise
        self._has_worked = True
        return answer

    async def _heard(self, once: Callable[[], Awaitable[Any]], patience: Patience) -> Any:
        try:
            return await self._twice(once, patience)
        except Silent:
            if self.user.priv and not self._has_worked and await self._answers_without_privacy(patience):
                raise WrongPrivacyPassword("answers signed requests, but is silent to encrypted ones") from None
            self._has_worked = False
            raise

    async def _twice(self, once: Callable[[], Awaitable[Any]], patience: Patience) -> Any:
        try:
            return await once()
        except NotInTimeWindow:
            if not self.engine.is_proven:
                await self._discover(patience)
        except UnknownEngine:
            await self._discover(patience)
        return await once()

    async def _once(self, request: Request, patience: Patience, user: usm.User | None = None) -> Pdu:
        user = user or self.user
        seal = partial(_sealed, request, user, self.engine)
        read = request.read if isinstance(request, Prepared) else ber.read_varbinds
        opened = partial(self._read, user, read)
        answer: Pdu = await self.exchange.ask(self.address, seal, opened, patience, any_source=self.any_source)
        return answer

    async def _answers_without_privacy(self, patience: Patience) -> bool:
        """Net-SNMP drops what it cannot decrypt without a report; any answer to a signed request gives it away."""
        clear = replace(self.user, priv=None, priv_password=b"")
        try:
            await self._once(pdu.ask(Kind.GET, ()), replace(patience, tries=1), clear)
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
        """Learn the engine ID; boots and time of the unsigned report are a first guess the agent will correct.

        OtherEngine when it is not the one expected.
        """
        self.engine = usm.Engine()
        seal = partial(_sealed, pdu.ask(Kind.GET, ()), usm.NOBODY, self.engine)
        await self.exchange.ask(self.address, seal, self._read_discovery, patience, any_source=self.any_source)
        found = self.engine.engine_id
        if self._expected and found != self._expected:
            self.expect(self._expected)
            raise OtherEngine(f"engine {found.hex()} answers; the inventory says {self._expected.hex()}")

    def _read_discovery(self, data: bytes, number: int) -> None:
        message = usm.open_message(data, usm.NOBODY, self.engine, number)
        report = _report(message) if usm.is_report(message) else None
        if not isinstance(report, UnknownEngine) or not message.engine_id:
            raise Malformed("no engine ID in the answer to a discovery")
        self.engine.note(message, time.monotonic())


def _sealed(request: Request, user: usm.User, engine: usm.Engine) -> tuple[int, bytes]:
    number = next_number()
    return number, usm.seal(request, user, engine, number, time.monotonic())


def _report(message: usm.Opened) -> UsmReport:
    for name, _, _ in message.pdu.varbinds:
        for root, error in REPORTS.items():
            if name.startswith(root):
                return error(ber.oid_text(name))
    return UsmReport("a report about something unknown")
