"""The end of a certificate, read from what a server shows; and whatever else it may show."""

import socket
import ssl
from datetime import UTC, datetime
from threading import Thread

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from monitor.probes.tls import NoCertificate, end_of, not_after

EXPIRED = datetime(2021, 5, 4, 3, 2, 1, tzinfo=UTC)
FAR = datetime(2061, 5, 4, 3, 2, 1, tzinfo=UTC)


def issued(ends: datetime) -> trustme.LeafCert:
    return trustme.CA().issue_cert("gw.cachan.example", not_after=ends)


def der(leaf: trustme.LeafCert) -> bytes:
    return ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())


@pytest.mark.parametrize("ends", [EXPIRED, FAR], ids=["utc-time", "generalized-time"])
def test_the_end_is_read_in_both_ways_to_write_a_time(ends: datetime) -> None:
    assert end_of(der(issued(ends))) == ends.timestamp()


def test_an_expired_certificate_of_an_unknown_authority_is_read_from_a_server() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued(EXPIRED).configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with listener.accept()[0] as plain, context.wrap_socket(plain, server_side=True) as channel:
                channel.recv(1)

        Thread(target=serve, daemon=True).start()
        assert not_after("127.0.0.1", listener.getsockname()[1], 20) == EXPIRED.timestamp()


def test_nobody_there_is_an_error_of_the_network() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match=r"refused|timed out"):
            not_after("127.0.0.1", free.getsockname()[1], 1)


@given(st.binary(max_size=80) | st.integers(0, 400).map(lambda cut: der(issued(FAR))[:cut]))
def test_what_is_no_certificate_is_refused_and_breaks_nothing(garbage: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        end_of(garbage)
    assert issubclass(NoCertificate, OSError)
