"""A session that ends in a memory agent, through the whole codec but no network."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from snmp_agents import Answer
from snmp_asking import HASTY

from collectors.snmp import ber, pdu
from collectors.snmp.errors import AgentError, Silent
from collectors.snmp.pdu import Kind, Pdu, Prepared, Request, Version
from collectors.snmp.transport import Patience
from collectors.snmp.turns import Take, one_by_one


@dataclass
class Wired:
    """Asks *agent* as a community session would; *kinds* are the requests so far."""

    agent: Answer
    version: Version = Version.V2C
    patience: Patience = HASTY
    kinds: list[Kind] = field(default_factory=list)

    async def ask(self, request: Request, patience: Patience | None = None) -> Pdu:
        del patience
        self.kinds.append(request.kind)
        replies = self.agent(pdu.encode_message(self.version, b"public", request, 7))
        if not replies:
            raise Silent
        read = request.read if isinstance(request, Prepared) else ber.read_varbinds
        answer = pdu.open_reply(replies[0], self.version, b"public", 7, read)
        if answer.error_status:
            raise AgentError(answer.error_status, answer.error_index)
        return answer

    @property
    def engine_id(self) -> bytes:
        return b""

    async def ask_in_turn(self, requests: Sequence[Prepared], take: Take, patience: Patience | None = None) -> None:
        await one_by_one(self.ask, requests, take, patience)
