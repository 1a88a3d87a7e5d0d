"""The slow lane's process: reads requests from standard input, asks by pysnmp, writes the answers to standard output.

First comes the login, then one request after another; each message has its length in four octets before it.
"""

import asyncio
import json
import sys
from typing import Any

from pyasn1.codec.ber import encoder
from pysnmp.hlapi.v3arch import asyncio as hlapi

from collectors.snmp import ber, pdu
from collectors.snmp.pdu import Kind, Pdu, Version
from collectors.snmp.slow_lane import _ANSWER, _ERROR, _SIZE_OCTETS, IDLE_SECONDS, Login

AUTH = {
    "": hlapi.usmNoAuthProtocol,
    "MD5": hlapi.usmHMACMD5AuthProtocol,
    "SHA1": hlapi.usmHMACSHAAuthProtocol,
    "SHA224": hlapi.usmHMAC128SHA224AuthProtocol,
    "SHA256": hlapi.usmHMAC192SHA256AuthProtocol,
    "SHA384": hlapi.usmHMAC256SHA384AuthProtocol,
    "SHA512": hlapi.usmHMAC384SHA512AuthProtocol,
}
PRIVACY = {
    "": hlapi.usmNoPrivProtocol,
    "DES": hlapi.usmDESPrivProtocol,
    "AES128": hlapi.usmAesCfb128Protocol,
    "AES192": hlapi.usmAesBlumenthalCfb192Protocol,
    "AES256": hlapi.usmAesBlumenthalCfb256Protocol,
    "AES192C": hlapi.usmAesCfb192Protocol,
    "AES256C": hlapi.usmAesCfb256Protocol,
}
"""Our names of the protocols (collectors.snmp.keys) to pysnmp's; C is Reeder's extension of keys."""
REASONS = {
    "RequestTimedOut": "Silent",
    "UnsupportedSecurityLevel": "UnsupportedSecurityLevel",
    "NotInTimeWindow": "NotInTimeWindow",
    "UnknownUserName": "UnknownUser",
    "UnknownUser": "UnknownUser",
    "UnknownSecurityName": "UnknownUser",
    "UnknownEngineID": "UnknownEngine",
    "WrongDigest": "WrongAuthPassword",
    "AuthenticationFailure": "WrongAuthPassword",
    "DecryptionError": "WrongPrivacyPassword",
}
"""pysnmp's words for what went wrong, and the errors of collectors.snmp.errors they mean."""


async def asked(login: Login, engine: Any, request: Pdu, timeout_seconds: float, tries: int) -> bytes:
    """The answer to one request, or the name of the error, as it goes back."""
    target = await hlapi.UdpTransportTarget.create((login.host, login.port), timeout=timeout_seconds, retries=tries - 1)
    context = hlapi.ContextData(contextName=bytes.fromhex(login.context))
    objects = [hlapi.ObjectType(hlapi.ObjectIdentity(ber.oid_text(name))) for name, _, _ in request.varbinds]
    common = (engine, _credential(login), target, context)
    if request.kind is Kind.GET_BULK:
        done = hlapi.bulk_cmd(*common, request.error_status, request.error_index, *objects, lookupMib=False)
    elif request.kind is Kind.GET_NEXT:
        done = hlapi.next_cmd(*common, *objects, lookupMib=False)
    else:
        done = hlapi.get_cmd(*common, *objects, lookupMib=False)
    trouble, status, index, varbinds = await done
    if trouble:
        return _ERROR + REASONS.get(type(trouble).__name__, "UsmReport").encode()
    found = [_varbind(name, value) for name, value in varbinds]
    return _ANSWER + pdu.encode(Pdu(Kind.RESPONSE, 1, int(status), int(index), found))


def _credential(login: Login) -> Any:
    if login.version != Version.V3:
        return hlapi.CommunityData(bytes.fromhex(login.community).decode("latin-1"), mpModel=login.version)
    return hlapi.UsmUserData(
        bytes.fromhex(login.user).decode(),
        bytes.fromhex(login.auth_password).decode() or None,
        bytes.fromhex(login.priv_password).decode() or None,
        authProtocol=AUTH[login.auth],
        privProtocol=PRIVACY[login.priv],
    )


def _varbind(name: Any, value: Any) -> ber.VarBind:
    """Pysnmp's pair as ours; the value passes through its encoding, so that nothing is interpreted twice."""
    encoded = encoder.encode(value)
    tag, start, stop = ber.read_header(encoded, 0, len(encoded))
    return ber.oid(str(name)), tag, ber.value(tag, encoded[start:stop])


async def _read(stream: asyncio.StreamReader) -> Any:
    size = int.from_bytes(await stream.readexactly(_SIZE_OCTETS))
    return json.loads(await stream.readexactly(size))


async def serve() -> None:
    """Answer until there is nothing more to answer, or nobody asks for a while."""
    stream = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), sys.stdin)
    login, engine = Login(**await _read(stream)), hlapi.SnmpEngine()
    while True:
        async with asyncio.timeout(IDLE_SECONDS):
            message = await _read(stream)
        data = bytes.fromhex(message["pdu"])
        request = pdu.decode(data, 0, len(data))
        answer = await asked(login, engine, request, float(message["timeout"]), int(message["tries"]))
        sys.stdout.buffer.write(len(answer).to_bytes(_SIZE_OCTETS) + answer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    try:
        asyncio.run(serve())
    except (TimeoutError, EOFError):
        sys.exit(0)
