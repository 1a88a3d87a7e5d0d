"""Our SNMPv3 messages against pysnmp's reading of them, kind by kind; and pysnmp's writing against ours."""

import pytest
from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto.mpmod.rfc3412 import SNMPv3Message
from pysnmp.proto.secmod.rfc3414.service import UsmSecurityParameters

from collectors.snmp import ber, pdu, usm
from collectors.snmp.keys import AuthProtocol
from collectors.snmp.pdu import Kind, Pdu
from collectors.snmp.usm import Engine, User

ENGINE = Engine(bytes.fromhex("80001f8804cafe"), 3, 77)
NUMBER = 2**24 + 5
VARBINDS = [(ber.oid("1.3.6.1.2.1.1.5.0"), ber.OCTET_STRING, b"ap"), (ber.oid("1.3.6.1.2.1.1.3.0"), ber.TIME_TICKS, 9)]


def sent(kind: Kind) -> Pdu:
    return Pdu(kind, NUMBER, 0, 2, VARBINDS)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize(
    "user", [User(b"bornes", context=b"vlan-7"), User(b"bornes", AuthProtocol.SHA256, b"motdepasse")]
)
def test_pysnmp_reads_and_writes_again_what_we_seal(kind: Kind, user: User) -> None:
    ours = usm.seal(sent(kind), user, ENGINE, NUMBER, 0.0)

    message, rest = decoder.decode(ours, asn1Spec=SNMPv3Message())
    security, _ = decoder.decode(bytes(message[2]), asn1Spec=UsmSecurityParameters())
    scoped = message[3][0]

    assert not rest
    assert int(message[1][0]) == NUMBER
    assert bytes(security[0]) == bytes(scoped[0]) == ENGINE.engine_id
    assert (bytes(security[3]), bytes(scoped[1])) == (b"bornes", user.context)
    assert pdu.encode(sent(kind)) == encoder.encode(scoped[2].getComponent())
    assert encoder.encode(message) == ours


@pytest.mark.parametrize("kind", list(Kind))
def test_we_open_what_pysnmp_writes(kind: Kind) -> None:
    message, _ = decoder.decode(usm.seal(sent(kind), User(b"x"), ENGINE, NUMBER, 0.0), asn1Spec=SNMPv3Message())

    opened = usm.open_message(encoder.encode(message), User(b"x"), ENGINE, NUMBER)

    assert opened.pdu == sent(kind)
