"""A real Net-SNMP agent."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from snmp_asking import RealAgent, free_port

from collectors.snmp.sockets import Address

USERS = (
    ("md5des", "MD5", "DES"),
    ("sha1aes128", "SHA", "AES"),
    ("sha1aes192", "SHA", "AES-192"),
    ("sha1aes256", "SHA", "AES-256"),
    ("sha1aes256c", "SHA", "AES-256-C"),
    ("sha224aes128", "SHA-224", "AES"),
    ("sha256aes256", "SHA-256", "AES-256"),
    ("sha384aes128", "SHA-384", "AES"),
    ("sha512aes256", "SHA-512", "AES-256"),
)
"""User, authentication and privacy as snmpd.conf(5) writes them."""


@pytest.fixture(scope="session")
def snmpd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealAgent]:
    """A running snmpd on an unprivileged port."""
    program = shutil.which("snmpd") or shutil.which("snmpd", path="/usr/sbin")
    if program is None:
        pytest.fail("these tests ask a real agent: install it with apt-get install snmpd (script/test does)")
    folder = tmp_path_factory.mktemp("snmpd")
    address = ("127.0.0.1", free_port())
    (folder / "snmpd.conf").write_text(configuration(address))
    command = [program, "-f", "-C", "-c", str(folder / "snmpd.conf"), "-Lf", str(folder / "log"), "-I-smux"]
    environment = {**os.environ, "SNMP_PERSISTENT_DIR": str(folder / "state"), "MIBS": ""}
    with subprocess.Popen(command, env=environment) as process:
        wait_until_it_answers(address, folder / "log")
        yield RealAgent(address)
        process.terminate()


def configuration(address: Address) -> str:
    users = [
        f'createUser {name} {auth} "auth-{name}" {priv} "priv-{name}"\nrouser {name} priv' for name, auth, priv in USERS
    ]
    users.append('createUser signed SHA "auth-signed"\nrouser signed auth')
    users.append("createUser bare\nrouser bare noauth")
    lines = (f"agentaddress udp:{address[0]}:{address[1]}", "rocommunity cachan 127.0.0.1", *users)
    return "\n".join(lines) + "\n"


def wait_until_it_answers(address: Address, log: Path) -> None:
    # A GET of sysName.0 in SNMPv2c, written out so that readiness does not depend on what is tested.
    body = bytes.fromhex("020101 0406 63616368616e a01c 02041234 5678 020100 020100 300e300c06082b06010201010500 0500")
    datagram = bytes((0x30, len(body))) + body
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.settimeout(0.1)
        for _ in range(100):
            opened.sendto(datagram, address)
            try:
                opened.recv(2000)
            except (TimeoutError, ConnectionRefusedError):
                time.sleep(0.05)
            else:
                return
    pytest.fail(f"snmpd does not answer: {log.read_text()[-2000:]}")
