"""Our codec against pysnmp's, message by message, in both directions."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto import api
from snmp_messages import VARBINDS

from collectors.snmp import ber, pdu
from collectors.snmp.errors import Unauthentic
from collectors.snmp.pdu import Kind, Pdu, Version

V2 = api.PROTOCOL_MODULES[api.SNMP_VERSION_2C]
THEIRS = {
    Kind.GET: V2.GetRequestPDU,
    Kind.GET_NEXT: V2.GetNextRequestPDU,
    Kind.RESPONSE: V2.ResponsePDU,
    Kind.SET: V2.SetRequestPDU,
    Kind.GET_BULK: V2.GetBulkRequestPDU,
    Kind.INFORM: V2.InformRequestPDU,
    Kind.TRAP: V2.SNMPv2TrapPDU,
    Kind.REPORT: V2.ReportPDU,
}
VALUES = {
    ber.INTEGER: V2.Integer32,
    ber.OCTET_STRING: V2.OctetString,
    ber.COUNTER32: V2.Counter32,
    ber.GAUGE32: V2.Gauge32,
    ber.TIME_TICKS: V2.TimeTicks,
    ber.COUNTER64: V2.Counter64,
    ber.OPAQUE: V2.Opaque,
}
"""Tags whose value pysnmp takes as it is."""
EVERY_TYPE: list[ber.VarBind] = [
    (ber.oid("1.3.6.1.2.1.1.3.0"), ber.TIME_TICKS, 2**32 - 1),
    (ber.oid("1.3.6.1.2.1.2.2.1.10.4294967295"), ber.COUNTER32, 2**31),
    (ber.oid("1.3.6.1.2.1.31.1.1.1.6.1"), ber.COUNTER64, 2**64 - 1),
    (ber.oid("1.3.6.1.4.1.41112.1.6.1.2.1.21.1"), ber.INTEGER, -129),
    (ber.oid("2.5.4.3"), ber.OCTET_STRING, b"\xc3\xa9" * 100),
    (ber.oid("1.3.6.1.2.1.2.2.1.5.1"), ber.GAUGE32, 0),
]


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("version", [Version.V1, Version.V2C])
def test_pysnmp_writes_what_we_write(kind: Kind, version: Version) -> None:
    sent = Pdu(kind, 2**31 - 1, 0, 3, EVERY_TYPE)

    assert pdu.encode_message(version, b"cachan", sent) == encoder.encode(theirs(version, sent))


@pytest.mark.parametrize("kind", list(Kind))
def test_we_read_what_pysnmp_writes(kind: Kind) -> None:
    sent = Pdu(kind, 12345, 0, 3, EVERY_TYPE)

    assert pdu.decode_message(encoder.encode(theirs(Version.V2C, sent)))[2] == sent


@settings(suppress_health_check=[HealthCheck.filter_too_much], max_examples=60)
@given(VARBINDS.filter(lambda varbind: varbind[1] in VALUES and ber.oid_text(varbind[0]).count(".") > 0))
def test_pysnmp_reads_what_we_write(varbind: ber.VarBind) -> None:
    ours = pdu.encode_message(Version.V2C, b"cachan", Pdu(Kind.RESPONSE, 1, 0, 0, [varbind]))

    message, rest = decoder.decode(ours, asn1Spec=V2.Message())
    (name, value) = V2.apiPDU.get_varbinds(V2.apiMessage.get_pdu(message))[0]

    assert not rest
    assert str(name) == ber.oid_text(varbind[0])
    assert (bytes(value) if isinstance(varbind[2], bytes) else int(value)) == varbind[2]


def theirs(version: Version, sent: Pdu) -> Any:
    """The same message, made of pysnmp's types."""
    content = THEIRS[sent.kind]()
    api_pdu = V2.apiBulkPDU if sent.kind is Kind.GET_BULK else V2.apiPDU
    api_pdu.set_defaults(content)
    api_pdu.set_request_id(content, sent.request_id)
    if sent.kind is Kind.GET_BULK:
        V2.apiBulkPDU.set_non_repeaters(content, sent.error_status)
        V2.apiBulkPDU.set_max_repetitions(content, sent.error_index)
    else:
        content.setComponentByPosition(1, sent.error_status)
        content.setComponentByPosition(2, sent.error_index)
    api_pdu.set_varbinds(content, [(ber.oid_text(name), VALUES[tag](value)) for name, tag, value in sent.varbinds])
    message = V2.Message()
    V2.apiMessage.set_defaults(message)
    message.setComponentByPosition(0, int(version))
    V2.apiMessage.set_community(message, b"cachan")
    V2.apiMessage.set_pdu(message, content)
    return message


def test_a_reply_is_known_by_version_community_kind_and_number() -> None:
    reply = Pdu(Kind.RESPONSE, 7, 0, 0, [])
    message = pdu.encode_message(Version.V2C, b"cachan", reply)

    assert pdu.open_reply(message, Version.V2C, b"cachan", 7) == reply
    for version, community, number in ((Version.V1, b"cachan", 7), (Version.V2C, b"x", 7), (Version.V2C, b"cachan", 8)):
        with pytest.raises(Unauthentic):
            pdu.open_reply(message, version, community, number)
    with pytest.raises(Unauthentic):
        pdu.open_reply(pdu.encode_message(Version.V2C, b"cachan", Pdu(Kind.GET, 7)), Version.V2C, b"cachan", 7)
