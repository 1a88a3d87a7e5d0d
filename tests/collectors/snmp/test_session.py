"""Sessions with Debian's snmpd, and with agents that are wrong in one way each."""

import time

import pytest
from snmp_agents import MemoryAgent, agent, babbling, mute
from snmp_asking import HASTY, RealAgent, ask, free_port, run

from collectors.snmp import ber, pdu, usm, walk
from collectors.snmp.errors import (
    AgentError,
    Malformed,
    NotAuthorized,
    Refused,
    Silent,
    SnmpError,
    UnknownUser,
    UnsupportedSecurityLevel,
    WrongAuthPassword,
    WrongPrivacyPassword,
)
from collectors.snmp.keys import AuthProtocol, PrivProtocol
from collectors.snmp.pdu import Kind, Pdu, Version
from collectors.snmp.session import CommunitySession, Session
from collectors.snmp.transport import Exchange
from collectors.snmp.user_session import UsmSession

NAME = ber.oid("1.3.6.1.2.1.1.5.0")
UPTIME = ber.oid("1.3.6.1.2.1.1.3.0")
A, P = AuthProtocol, PrivProtocol
PROTOCOLS = {
    "md5des": (A.MD5, P.DES),
    "sha1aes128": (A.SHA1, P.AES128),
    "sha1aes192": (A.SHA1, P.AES192),
    "sha1aes256": (A.SHA1, P.AES256),
    "sha1aes256c": (A.SHA1, P.AES256C),
    "sha224aes128": (A.SHA224, P.AES128),
    "sha256aes256": (A.SHA256, P.AES256),
    "sha384aes128": (A.SHA384, P.AES128),
    "sha512aes256": (A.SHA512, P.AES256),
}


def user(of: str, **changes: object) -> usm.User:
    auth, priv = PROTOCOLS[of]
    given = {
        "name": of.encode(),
        "auth": auth,
        "auth_password": f"auth-{of}".encode(),
        "priv": priv,
        "priv_password": f"priv-{of}".encode(),
    }
    return usm.User(**{**given, **changes})  # type: ignore[arg-type]


def as_user(snmpd: RealAgent, who: usm.User) -> dict[bytes, walk.Cell]:
    async def work(exchange: Exchange) -> dict[bytes, walk.Cell]:
        return await walk.get(UsmSession(exchange, snmpd.address, who, HASTY), [NAME, UPTIME], walk.Pace())

    return run(work)  # type: ignore[no-any-return]


async def name_of(session: Session) -> dict[bytes, walk.Cell]:
    return await walk.get(session, [NAME], walk.Pace())


def test_a_community_opens_a_real_agent(snmpd: RealAgent) -> None:
    assert NAME in ask(snmpd.address, name_of, snmpd.community)


def test_a_wrong_community_is_met_with_silence(snmpd: RealAgent) -> None:
    with pytest.raises(Silent) as caught:
        ask(snmpd.address, name_of, b"another")

    assert "community" in caught.value.advice


@pytest.mark.parametrize("name", PROTOCOLS)
def test_s07_s08_s09_every_protocol_opens_a_real_agent(snmpd: RealAgent, name: str) -> None:
    assert set(as_user(snmpd, user(name))) == {NAME, UPTIME}


@pytest.mark.parametrize(
    ("who", "error"),
    [
        (user("sha1aes128", auth_password=b"wrong password"), WrongAuthPassword),
        (user("sha1aes128", auth=A.SHA256), WrongAuthPassword),
        (user("sha1aes128", priv_password=b"wrong password"), WrongPrivacyPassword),
        (user("sha1aes256", priv_password=b"wrong password"), WrongPrivacyPassword),
        (user("sha1aes128", name=b"stranger"), UnknownUser),
        (usm.User(b"signed", A.SHA1, b"auth-signed", P.AES128, b"priv-signed"), UnsupportedSecurityLevel),
        (user("sha1aes128", auth=None), NotAuthorized),
    ],
)
def test_a_real_agent_rejects_by_name(snmpd: RealAgent, who: usm.User, error: type[SnmpError]) -> None:
    with pytest.raises(error):
        as_user(snmpd, who)


@pytest.mark.parametrize(("name", "other"), [("sha1aes256", P.AES256C), ("sha1aes256c", P.AES256)])
def test_g18_the_other_extension_of_a_key_is_tried_and_remembered(snmpd: RealAgent, name: str, other: P) -> None:
    async def work(exchange: Exchange) -> tuple[list[int], P | None]:
        session = UsmSession(exchange, snmpd.address, user(name, priv=other), HASTY)
        sent = []
        for _ in range(3):
            before = exchange.counts["sent"]
            assert NAME in await name_of(session)
            sent.append(exchange.counts["sent"] - before)
        return sent, session.user.priv

    sent, found = run(work)
    assert (sent[1:], found) == ([1, 1], PROTOCOLS[name][1])
    assert sent[0] > 2, "who it is, what it cannot read, and then the answer"


def test_s07_signing_without_encryption_opens_a_real_agent(snmpd: RealAgent) -> None:
    assert NAME in as_user(snmpd, usm.User(b"signed", A.SHA1, b"auth-signed"))


def test_s07_a_user_without_any_password_opens_a_real_agent(snmpd: RealAgent) -> None:
    assert NAME in as_user(snmpd, usm.User(b"bare"))


def test_s11_the_engine_clock_is_discovered_once_and_kept(snmpd: RealAgent) -> None:
    async def work(exchange: Exchange) -> int:
        session = UsmSession(exchange, snmpd.address, user("sha1aes128"), HASTY)
        for _ in range(5):
            await name_of(session)
        return exchange.counts["sent"]

    assert run(work) == 1 + 5


@pytest.mark.parametrize("wrong", [{"boots": 9}, {"time": 10**6}, {"time": 0, "boots": 0}])
def test_g17_a_clock_out_of_window_is_resynchronised_once(snmpd: RealAgent, wrong: dict[str, int]) -> None:
    async def work(exchange: Exchange) -> bool:
        session = UsmSession(exchange, snmpd.address, user("sha1aes128"), HASTY)
        await name_of(session)
        for attribute, value in wrong.items():
            setattr(session.engine, attribute, value)
        return NAME in await name_of(session)

    assert run(work)


def test_an_exchanged_device_is_discovered_again(snmpd: RealAgent) -> None:
    async def work(exchange: Exchange) -> bool:
        session = UsmSession(exchange, snmpd.address, user("sha1aes128"), HASTY)
        session.engine = usm.Engine(b"\x80\x00another", 1, 1, time.monotonic(), is_proven=True)
        return NAME in await name_of(session)

    assert run(work)


def test_a_closed_port_is_refused_at_once() -> None:
    started = time.monotonic()

    with pytest.raises(Refused):
        ask(("127.0.0.1", free_port()), name_of)

    assert time.monotonic() - started < HASTY.timeout_seconds


def test_a_silent_port_is_silent() -> None:
    with agent(mute) as address, pytest.raises(Silent):
        ask(address, name_of)


@pytest.mark.parametrize("version", [Version.V2C, Version.V3])
def test_a_port_that_speaks_something_else_gives_garbage(version: Version) -> None:
    async def work(exchange: Exchange) -> None:
        if version is Version.V3:
            await name_of(UsmSession(exchange, address, user("sha1aes128"), HASTY))
        else:
            await name_of(CommunitySession(exchange, address, b"public", patience=HASTY))

    with agent(babbling) as address, pytest.raises(Malformed):
        run(work)


def test_a_report_is_never_taken_for_data() -> None:
    """An agent (or somebody in between) that reports with our number, but without a signature."""
    forged = [(NAME, ber.OCTET_STRING, b"forged")]

    def reporting(data: bytes) -> list[bytes]:
        number = pdu.identity(data)
        unknown_engine = [(ber.oid("1.3.6.1.6.3.15.1.1.4.0"), ber.COUNTER32, 1)]
        is_discovery = b"sha1aes128" not in data
        content = Pdu(Kind.REPORT, number, 0, 0, unknown_engine if is_discovery else forged)
        return [usm.seal(content, usm.NOBODY, usm.Engine(b"\x80agent", 1, 1), number, 0.0)]

    with agent(reporting) as address, pytest.raises(SnmpError) as caught:
        run(lambda exchange: name_of(UsmSession(exchange, address, user("sha1aes128"), HASTY)))

    assert caught.value.reason == "usm_report"


def test_an_unsigned_answer_is_no_answer_to_a_signed_question() -> None:
    def answering(data: bytes) -> list[bytes]:
        number = pdu.identity(data)
        if b"sha1aes128" not in data:
            unknown_engine = [(ber.oid("1.3.6.1.6.3.15.1.1.4.0"), ber.COUNTER32, 1)]
            content = Pdu(Kind.REPORT, number, 0, 0, unknown_engine)
        else:
            content = Pdu(Kind.RESPONSE, number, 0, 0, [(NAME, ber.OCTET_STRING, b"forged")])
        return [usm.seal(content, usm.NOBODY, usm.Engine(b"\x80agent", 1, 1), number, 0.0)]

    with agent(answering) as address, pytest.raises(SnmpError) as caught:
        run(lambda exchange: name_of(UsmSession(exchange, address, user("sha1aes128"), HASTY)))

    assert caught.value.reason == "unauthentic"


def test_an_error_status_is_named() -> None:
    def answering(data: bytes) -> list[bytes]:
        _, _, request = pdu.decode_message(data)
        reply = Pdu(Kind.RESPONSE, request.request_id, 16, 1, request.varbinds)
        return [pdu.encode_message(Version.V2C, b"public", reply)]

    with agent(answering) as address, pytest.raises(AgentError, match="authorizationError"):
        ask(address, lambda session: session.ask(pdu.ask(Kind.GET, [NAME])))


def test_an_agent_from_memory_answers_like_one() -> None:
    with agent(MemoryAgent({"1.3.6.1.2.1.1.5.0": (ber.OCTET_STRING, b"ap")})) as address:
        assert ask(address, name_of) == {NAME: (ber.OCTET_STRING, b"ap")}
