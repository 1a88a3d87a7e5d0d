"""The codec: round trips, and garbage that must not hurt."""

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from snmp_messages import PDUS, SUBIDENTIFIERS

from collectors.snmp import ber, pdu
from collectors.snmp.errors import Malformed
from collectors.snmp.pdu import Kind, Pdu, Version


@given(PDUS, st.sampled_from([Version.V1, Version.V2C]), st.binary(max_size=40))
def test_what_is_encoded_is_decoded_again(sent: Pdu, version: Version, community: bytes) -> None:
    assert pdu.decode_message(pdu.encode_message(version, community, sent)) == (version, community, sent)


@given(SUBIDENTIFIERS)
def test_an_index_survives_its_encoding(numbers: list[int]) -> None:
    assert ber.index(ber.encode_index(tuple(numbers))) == tuple(numbers)


@given(st.integers(0, 2), st.integers(0, 39), SUBIDENTIFIERS)
def test_a_dotted_oid_survives_its_encoding(top: int, second: int, rest: list[int]) -> None:
    text = ".".join(map(str, (top, second, *rest)))

    assert ber.oid_text(ber.oid(text)) == text


@given(PDUS, st.data())
def test_a_mutated_message_is_read_or_called_malformed(sent: Pdu, data: st.DataObject) -> None:
    message = bytearray(pdu.encode_message(Version.V2C, b"public", sent))
    for _ in range(data.draw(st.integers(1, 4))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(message)))

    assert is_malformed_or_read(bytes(message))
    assert is_malformed_or_read(bytes(message[:cut]))


@given(st.binary(max_size=400))
@example(b"")
@example(b"\x30\x82")
@example(b"\x30\x84\xff\xff\xff\xff")
def test_noise_is_called_malformed(noise: bytes) -> None:
    assert is_malformed_or_read(noise)


def is_malformed_or_read(data: bytes) -> bool:
    """Whether each reader calls *data* malformed, or reads the same from it every time."""
    return all(outcome(read, data) == outcome(read, data) for read in (pdu.decode_message, pdu.identity))


def outcome(read: Callable[[bytes], object], data: bytes) -> object:
    try:
        found = read(data)
    except Malformed as error:
        return type(error)
    assert found is not None
    return found


def test_every_truncation_of_a_message_is_malformed() -> None:
    message = pdu.encode_message(
        Version.V2C, b"public", Pdu(Kind.RESPONSE, 7, 0, 0, [(ber.oid("1.3.6.1"), ber.OCTET_STRING, b"x" * 200)])
    )

    for size in range(len(message)):
        with pytest.raises(Malformed):
            pdu.decode_message(message[:size])


@pytest.mark.parametrize(
    ("tag", "content", "value"),
    [
        (ber.COUNTER32, "ffffffff", 2**32 - 1),  # without its leading zero
        (ber.COUNTER32, "00ffffffff", 2**32 - 1),
        (ber.COUNTER32, "ffffffffff", 2**32 - 1),  # sign-extended
        (ber.COUNTER32, "0000000005", 5),  # not minimal
        (ber.COUNTER64, "ffffffffffffffff", 2**64 - 1),
        (ber.INTEGER, "000005", 5),
        (ber.INTEGER, "ff85", -123),
        (ber.INTEGER, "", None),
        (ber.COUNTER64, "01" * 12, None),
        (ber.OBJECT_IDENTIFIER, "2b86", None),
        (0x45, "0102", b"\x01\x02"),  # NsapAddress of RFC 1442
    ],
)
def test_odd_values_of_devices_cost_at_most_themselves(tag: int, content: str, value: object) -> None:
    odd = ber.tlv(ber.SEQUENCE, ber.tlv(ber.OBJECT_IDENTIFIER, b"\x2b\x06") + ber.tlv(tag, bytes.fromhex(content)))
    good = ber.write_varbind(b"\x2b\x07", ber.INTEGER, 1)

    found = ber.read_varbinds(odd + good, 0, len(odd + good))

    assert found == [(b"\x2b\x06", tag, value), (b"\x2b\x07", ber.INTEGER, 1)]


@pytest.mark.parametrize("size", [0, 1, 3, 40])
def test_a_value_that_does_not_fill_its_binding_is_malformed(size: int) -> None:
    value = bytes((ber.OCTET_STRING, size, 1, 2))
    content = ber.tlv(ber.SEQUENCE, ber.tlv(ber.OBJECT_IDENTIFIER, b"\x2b\x06") + value) + bytes(50)

    with pytest.raises(Malformed):
        ber.read_varbinds(content, 0, len(content))


@pytest.mark.parametrize("name", ["", "2b86", "81"])
def test_a_name_without_its_last_octet_is_malformed(name: str) -> None:
    value = ber.tlv(ber.OCTET_STRING, b"abc")
    content = ber.tlv(ber.SEQUENCE, ber.tlv(ber.OBJECT_IDENTIFIER, bytes.fromhex(name)) + value)

    with pytest.raises(Malformed):
        ber.read_varbinds(content, 0, len(content))


def test_long_form_lengths_are_read() -> None:
    content = bytes.fromhex("30820009 0681012b 0482000161".replace(" ", ""))

    assert ber.read_varbinds(content, 0, len(content)) == [(b"\x2b", ber.OCTET_STRING, b"a")]


@pytest.mark.parametrize("text", ["", "1", "3.1", "1.40", "1.3.-6", "1.3.4294967296", "abc", "1..3"])
def test_what_is_no_oid_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        ber.oid(text)
