"""Requests to one agent that are known beforehand, one after the other, each sent as soon as the last is answered.

Between two of them the event loop does not turn: what an answer costs us is reading it. An answer that is not what was
hoped for ends the row; whoever asked goes on from there, one by one.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from collectors.snmp.pdu import Pdu, Prepared
from collectors.snmp.transport import AGAIN, Patience

Take = Callable[[bytes, int, int], bool]
"""Is given the variable bindings of a Response without error, between two places; whether to ask on. May raise
Malformed, and nothing else: then the answer was none."""
Body = tuple[bytes, int, int]
"""Where the variable bindings of an answer are."""


@dataclass(slots=True)
class Turns:
    """*requests* by turns; *sealed* makes the datagram of one, *opened* proves an answer and finds its bindings.

    *repeats*: another try sends the same datagram. *is_slow*: the event loop turns after each answer all the same.
    """

    requests: Sequence[Prepared]
    take: Take
    sealed: Callable[[Prepared], tuple[int, bytes]]
    opened: Callable[[bytes, int], Body]
    repeats: bool
    is_slow: bool
    place: int = 0
    _made: tuple[int, bytes] | None = None

    @property
    def is_left(self) -> bool:
        """Whether there is something to ask."""
        return self.place < len(self.requests)

    def seal(self) -> tuple[int, bytes]:
        """The datagram of the request whose turn it is, and its number."""
        made = self._made or self.sealed(self.requests[self.place])
        if self.repeats:
            self._made = made
        return made

    def read(self, data: bytes, number: int) -> object:
        """Have an answer taken; AGAIN when the next request may follow at once."""
        wants_more = self.take(*self.opened(data, number))
        self._made = None
        self.place = self.place + 1 if wants_more else len(self.requests)
        return AGAIN if self.is_left and not self.is_slow else None


def whole(data: bytes, at: int, end: int) -> Body:
    """A way of reading variable bindings (pdu.ReadVarbinds) that leaves them as they are."""
    return data, at, end


async def one_by_one(
    ask: Callable[[Prepared, Patience | None], Awaitable[Pdu]],
    requests: Sequence[Prepared],
    take: Take,
    patience: Patience | None = None,
) -> None:
    """The same for a session that has no faster way than its *ask*."""
    for request in requests:
        answer = await ask(Prepared(request.kind, request.tail, whole), patience)
        body: Body = answer.varbinds  # type: ignore[assignment] # what *whole* made of them
        if not take(*body):
            return
