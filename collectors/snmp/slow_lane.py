"""The slow lane: one agent asked by pysnmp, in a process of its own that ends when nobody asks any more.

For agents our own core cannot agree with, and to tell whose fault it is. It has the port of every other session
(``ask``), so all above is the same; it costs a process's start and a hundred times the work of a poll. What passes
between the processes are PDUs in our own encoding; secrets go through the pipe, not through the command line.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from collectors.snmp import ber, errors, pdu
from collectors.snmp.pdu import Pdu, Prepared, Request, Version
from collectors.snmp.session import CommunitySession, Session, served
from collectors.snmp.sockets import Address
from collectors.snmp.transport import Patience
from collectors.snmp.turns import Take, one_by_one
from collectors.snmp.user_session import UsmSession

IDLE_SECONDS = 10
"""The process ends when it has not been asked for so long."""
_START_SECONDS = 15.0
_SIZE_OCTETS = 4
_ANSWER, _ERROR = b"a", b"e"


@dataclass(frozen=True, slots=True)
class Login:
    """How pysnmp is to ask; bytes in hex, so that it fits into JSON."""

    host: str
    port: int
    version: int
    community: str = ""
    user: str = ""
    auth: str = ""
    auth_password: str = field(default="", repr=False)
    priv: str = ""
    priv_password: str = field(default="", repr=False)
    context: str = ""


@dataclass(slots=True)
class SlowSession:
    """A session through pysnmp (see Session)."""

    login: Login
    address: Address
    version: Version
    patience: Patience
    _process: asyncio.subprocess.Process | None = None
    _keepers: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def engine_id(self) -> bytes:
        """See Session.engine_id; pysnmp keeps it to itself."""
        return b""

    async def ask(self, request: Request, patience: Patience | None = None) -> Pdu:
        """See Session.ask."""
        patience = patience or self.patience
        process = await self._running()
        asked = {"timeout": patience.timeout_seconds, "tries": patience.tries, "pdu": pdu.encode(request, 1).hex()}
        answer = await self._told(process, json.dumps(asked).encode(), patience.longest_seconds)
        if answer[:1] == _ERROR:
            raise _error(answer[1:].decode())
        read = request.read if isinstance(request, Prepared) else ber.read_varbinds
        return served(pdu.decode(answer, 1, len(answer), read))

    async def ask_in_turn(self, requests: Sequence[Prepared], take: Take, patience: Patience | None = None) -> None:
        """See session.Session.ask_in_turn."""
        await one_by_one(self.ask, requests, take, patience)

    async def _running(self) -> asyncio.subprocess.Process:
        """The process, started where there is none, or where it has gone to rest."""
        if self._process is None or self._process.returncode is not None:
            words = (sys.executable, "-m", "collectors.snmp.slow_lane_process")
            pipe = asyncio.subprocess.PIPE
            self._process = await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe)
            keeper = asyncio.create_task(_kept(self._process))
            self._keepers.add(keeper)
            keeper.add_done_callback(self._keepers.discard)
            _write(self._process, json.dumps(asdict(self.login)).encode())
        return self._process

    async def _told(self, process: asyncio.subprocess.Process, asked: bytes, longest_seconds: float) -> bytes:
        if process.stdout is None:
            raise errors.Silent("the slow lane has no way back")
        try:
            _write(process, asked)
            async with asyncio.timeout(longest_seconds * 2 + _START_SECONDS):
                size = int.from_bytes(await process.stdout.readexactly(_SIZE_OCTETS))
                return await process.stdout.readexactly(size)
        except BaseException as error:  # who is cut off by a deadline too: the next would get this one's answer
            self._process = None
            if process.returncode is None:
                process.kill()
            if not isinstance(error, (TimeoutError, OSError, EOFError)):
                raise
            raise errors.Silent("the slow lane's process gave no answer") from error


async def _kept(process: asyncio.subprocess.Process) -> None:
    """Close what leads to *process* once it has ended; a loop that ends first ends it: nothing can be closed later."""
    try:
        await process.wait()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    finally:
        process._transport.close()  # type: ignore[attr-defined] # noqa: SLF001 asyncio shows it to nobody


def slow(session: Session) -> Session:
    """The same agent asked in the slow lane."""
    if isinstance(session, CommunitySession):
        login = Login(*_place(session.address), int(session.version), community=session.community.hex())
        return SlowSession(login, session.address, session.version, session.patience)
    if not isinstance(session, UsmSession):
        return session
    user = session.user
    login = Login(
        *_place(session.address),
        int(Version.V3),
        user=user.name.hex(),
        auth=user.auth.name if user.auth else "",
        auth_password=user.auth_password.hex(),
        priv=user.priv.name if user.priv else "",
        priv_password=user.priv_password.hex(),
        context=user.context.hex(),
    )
    return SlowSession(login, session.address, Version.V3, session.patience)


def _place(address: Address) -> tuple[str, int]:
    return address[0], address[1]


def _write(process: asyncio.subprocess.Process, message: bytes) -> None:
    if process.stdin is not None:
        process.stdin.write(len(message).to_bytes(_SIZE_OCTETS) + message)


def _error(name: str) -> errors.SnmpError:
    """The error of our own that the process named; Silent for a name there is none of."""
    known: Any = getattr(errors, name, errors.Silent)
    is_ours = isinstance(known, type) and issubclass(known, errors.SnmpError)
    error: errors.SnmpError = known("told by pysnmp") if is_ours else errors.Silent(name)
    return error
