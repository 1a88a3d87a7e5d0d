"""SNMPv3 messages: published keys, and what forgers may try."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.snmp import ber, usm
from collectors.snmp.errors import Malformed, SnmpError, Unauthentic, UndecipherableReply
from collectors.snmp.keys import AuthProtocol, Privacy, PrivProtocol, auth_key, priv_key
from collectors.snmp.pdu import Kind, Pdu
from collectors.snmp.usm import Engine, Opened, User

RFC_ENGINE = bytes(11) + b"\x02"
ENGINE = Engine(b"\x80\x00\x1f\x88\x04agent", boots=5, time=1000, noted_at=50.0, is_proven=True)
USER = User(b"parvis", AuthProtocol.SHA256, b"maplesyrup", PrivProtocol.AES128, b"maplesyrup")
REQUEST = Pdu(Kind.GET, 0, 0, 0, [(ber.oid("1.3.6.1.2.1.1.5.0"), ber.NULL, None)])


@pytest.mark.parametrize(
    ("protocol", "key"),
    [
        (AuthProtocol.MD5, "526f5eed9fcce26f8964c2930787d82b"),  # RFC 3414 section A.3.1
        (AuthProtocol.SHA1, "6695febc9288e36282235fc7151f128497b38f3f"),  # RFC 3414 section A.3.2
    ],
)
def test_keys_are_those_of_the_standard(protocol: AuthProtocol, key: str) -> None:
    assert auth_key(protocol, b"maplesyrup", RFC_ENGINE).hex() == key


@pytest.mark.parametrize(
    ("priv", "key"),
    [
        # draft-reeder-snmpv3-usm-3desede-00 section 4.1 stretches this key to 32 octets with MD5.
        (PrivProtocol.AES256C, "526f5eed9fcce26f8964c2930787d82b79eff44a90650ee0a3a40abfac5acc12"),
    ],
)
def test_s09_g18_reeders_extension_is_that_of_the_draft(priv: PrivProtocol, key: str) -> None:
    assert priv_key(AuthProtocol.MD5, priv, b"maplesyrup", RFC_ENGINE).hex() == key


def test_s09_g18_both_extensions_agree_where_nothing_is_to_be_extended() -> None:
    keys = {
        priv_key(AuthProtocol.SHA256, priv, b"maplesyrup", RFC_ENGINE)
        for priv in (PrivProtocol.AES256, PrivProtocol.AES256C)
    }

    assert len(keys) == 1


@pytest.mark.parametrize("protocol", list(PrivProtocol))
def test_what_is_encrypted_is_decrypted_again(protocol: PrivProtocol) -> None:
    privacy = Privacy(protocol, priv_key(AuthProtocol.SHA1, protocol, b"maplesyrup", RFC_ENGINE))
    plain = b"sixteen octets and a few more"

    secret, salt = privacy.encrypt(plain, 3, 4)

    assert plain not in secret
    assert privacy.decrypt(secret, salt, 3, 4).startswith(plain)


def test_no_salt_is_used_twice() -> None:
    privacy = Privacy(PrivProtocol.AES128, bytes(16))

    salts = {privacy.encrypt(b"", 1, 1)[1] for _ in range(1000)}

    assert len(salts) == 1000


@pytest.mark.parametrize("auth", list(AuthProtocol))
@pytest.mark.parametrize("priv", [None, *PrivProtocol])
def test_a_sealed_message_opens(auth: AuthProtocol, priv: PrivProtocol | None) -> None:
    user = replace(USER, auth=auth, priv=priv)

    opened = usm.open_message(usm.seal(REQUEST, user, ENGINE, 77, now=60.0), user, ENGINE, 77)

    assert opened.pdu.varbinds == REQUEST.varbinds
    assert (opened.is_authentic, opened.boots, opened.time, opened.flags) == (True, 5, 1010, user.flags)


@given(st.data())
def test_a_changed_octet_never_passes_for_authentic(data: st.DataObject) -> None:
    message = bytearray(usm.seal(REQUEST, USER, ENGINE, 77, now=60.0))
    at = data.draw(st.integers(0, len(message) - 1))
    message[at] ^= data.draw(st.integers(1, 255))

    try:
        opened = usm.open_message(bytes(message), USER, ENGINE, 77)
    except (Malformed, Unauthentic):
        return
    assert not opened.is_authentic, f"octet {at}"


@given(st.binary(max_size=300))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(SnmpError):
        usm.open_message(noise, USER, ENGINE, 77)


def test_nothing_is_decrypted_before_its_signature_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    def decrypt(*_: object) -> bytes:
        raise AssertionError("decrypted")

    message = bytearray(usm.seal(REQUEST, USER, ENGINE, 77, now=60.0))
    message[-1] ^= 1
    monkeypatch.setattr(Privacy, "decrypt", decrypt)

    with pytest.raises(Unauthentic, match="does not verify"):
        usm.open_message(bytes(message), USER, ENGINE, 77)


def test_an_encrypted_message_must_be_signed() -> None:
    message = usm.seal(REQUEST, USER, ENGINE, 77, now=60.0).replace(b"\x04\x01\x07", b"\x04\x01\x06", 1)

    with pytest.raises(Unauthentic, match="without signature"):
        usm.open_message(message, USER, ENGINE, 77)


def test_another_privacy_password_is_told_from_a_forgery() -> None:
    message = usm.seal(REQUEST, replace(USER, priv_password=b"another"), ENGINE, 77, now=60.0)

    with pytest.raises(UndecipherableReply):
        usm.open_message(message, USER, ENGINE, 77)


@pytest.mark.parametrize(
    "wrong",
    [
        {"user": replace(USER, name=b"somebody")},
        {"engine": replace(ENGINE, engine_id=b"\x80another")},
        {"user": replace(USER, auth_password=b"another")},
        {"number": 78},
    ],
)
def test_a_message_of_another_is_refused(wrong: dict[str, object]) -> None:
    sealed_by = {"user": USER, "engine": ENGINE, "number": 77, **wrong}
    message = usm.seal(REQUEST, sealed_by["user"], sealed_by["engine"], sealed_by["number"], now=60.0)  # type: ignore[arg-type]

    with pytest.raises(Unauthentic):
        usm.open_message(message, USER, ENGINE, 77)


@pytest.mark.parametrize(
    ("boots", "seconds", "accepted"),
    [(5, 1010, True), (5, 870, True), (5, 850, False), (4, 1010, False), (6, 0, True), (2**31 - 1, 0, False)],
)
def test_a_replay_is_outside_the_time_window(boots: int, seconds: int, accepted: bool) -> None:
    message = Opened(REQUEST, ENGINE.engine_id, boots, seconds, is_authentic=True, flags=1)

    assert ENGINE.accepts(message, now=60.0) is accepted
