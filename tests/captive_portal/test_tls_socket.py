"""The HTTPS server for staff beside a socket that systemd has handed over: that one is the residents'."""

import os
import ssl
from pathlib import Path
from urllib.request import urlopen

import pytest
import trustme

from captive_portal.tls import HANDED, TlsServer
from parvis.endpoint import WsgiApp


@pytest.fixture
def app() -> WsgiApp:
    def said(_environ: object, start: object) -> list[bytes]:
        start("200 OK", [])  # type: ignore[operator]
        return [b"staff"]

    return said  # type: ignore[return-value]


def test_staff_are_served_on_their_own_address_whatever_systemd_has_handed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, app: WsgiApp
) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    certificate, key = tmp_path / "staff.crt", tmp_path / "staff.key"
    issued.cert_chain_pems[0].write_to_path(str(certificate))
    issued.private_key_pem.write_to_path(str(key))
    context = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
    monkeypatch.setenv(HANDED, str(os.getpid()))

    with TlsServer(("127.0.0.1", 0), app, certificate, key) as server:
        with urlopen(f"https://127.0.0.1:{server.port}/", timeout=20, context=context) as answer:
            assert answer.read() == b"staff"
        assert os.environ[HANDED] == str(os.getpid()), "others read it after us"
