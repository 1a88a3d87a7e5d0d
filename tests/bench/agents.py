"""Simulated devices for measurements: one process in C that answers for all of 127.0.0.0/8, compiled for the run."""

import hashlib
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collectors.snmp import ber

HERE = Path(__file__).parent
REPLY_OCTETS = 1472
"""The longest reply, as over Ethernet without fragments."""
AUTH_PASSWORD, PRIV_PASSWORD = "auth-of-the-bench", "priv-of-the-bench"
PORTS = 48
PORT = 11161
Cell = tuple[int, bytes, int]
"""Tag, value, whether it counts (1) or ends with the device's own five digits (2)."""
OWN = 2


def address(number: int) -> str:
    """The address of the *number*-th device.

    >>> address(0), address(1000)
    ('127.10.0.1', '127.10.3.233')
    """
    return f"127.{10 + (number + 1) // 65536}.{(number + 1) // 256 % 256}.{(number + 1) % 256}"


def system(words: str, object_id: str) -> dict[str, Cell]:
    return {
        "1.3.6.1.2.1.1.1.0": (ber.OCTET_STRING, words.encode(), False),
        "1.3.6.1.2.1.1.2.0": (ber.OBJECT_IDENTIFIER, ber.oid(object_id), False),
        "1.3.6.1.2.1.1.3.0": (ber.TIME_TICKS, b"\x01\x00\x00", True),
        "1.3.6.1.2.1.1.5.0": (ber.OCTET_STRING, b"a-device", False),
    }


def ports(count: int) -> dict[str, Cell]:
    """ifTable and ifXTable (RFC 2863), whole."""
    found: dict[str, Cell] = {"1.3.6.1.2.1.31.1.5.0": (ber.TIME_TICKS, b"\x05", False)}
    for row in range(1, count + 1):
        number = bytes((row,))
        texts = {2: b"GigabitEthernet0/%d" % row, 6: bytes((2, 0, 0, 0, 0, row))}
        found |= {f"1.3.6.1.2.1.2.2.1.{arc}.{row}": (ber.OCTET_STRING, text, False) for arc, text in texts.items()}
        plain = {1: number, 3: b"\x06", 4: b"\x05\xdc", 7: b"\x01", 8: b"\x01"}
        found |= {f"1.3.6.1.2.1.2.2.1.{arc}.{row}": (ber.INTEGER, value, False) for arc, value in plain.items()}
        found[f"1.3.6.1.2.1.2.2.1.5.{row}"] = (ber.GAUGE32, b"\x3b\x9a\xca\x00", False)
        found[f"1.3.6.1.2.1.2.2.1.9.{row}"] = (ber.TIME_TICKS, number, False)
        for arc in (10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21):
            moves = arc in {10, 11, 16, 17}
            found[f"1.3.6.1.2.1.2.2.1.{arc}.{row}"] = (
                ber.COUNTER32,
                b"\x12\x34\x56" if moves else b"\x00",
                moves,
            )
        name = "1.3.6.1.2.1.31.1.1.1"
        found[f"{name}.1.{row}"] = (ber.OCTET_STRING, b"Gi0/%d" % row, False)
        found[f"{name}.18.{row}"] = (ber.OCTET_STRING, b"socket %d, room %d of 00000" % (row, row * 7), OWN)
        for arc in (6, 7, 8, 9, 10, 11, 12, 13):
            found[f"{name}.{arc}.{row}"] = (ber.COUNTER64, b"\x01\x23\x45\x67\x89\xab", True)
        found[f"{name}.15.{row}"] = (ber.GAUGE32, b"\x03\xe8", False)
        found[f"{name}.17.{row}"] = (ber.INTEGER, b"\x01", False)
    return found


def access_point() -> dict[str, Cell]:
    """A UniFi access point: two radios, four networks, four ports."""
    found = {**system("U6-Pro 6.5.28", "1.3.6.1.4.1.8072.3.2.10"), **ports(4)}
    base = "1.3.6.1.4.1.41112.1.6"
    for row, band in ((1, b"ng"), (2, b"na")):
        texts = {2: b"wifi%d" % row, 3: band}
        found |= {f"{base}.1.1.1.{arc}.{row}": (ber.OCTET_STRING, text, False) for arc, text in texts.items()}
        found |= {f"{base}.1.1.1.{arc}.{row}": (ber.INTEGER, bytes((arc,)), False) for arc in (6, 7, 8, 9)}
    for row, band in enumerate((b"ng", b"ng", b"na", b"na"), 1):
        numbers = {4: b"\x06" if band == b"ng" else b"\x24", 8: bytes((row,)), 21: b"\x14"}
        found |= {f"{base}.1.2.1.{arc}.{row}": (ber.INTEGER, value, False) for arc, value in numbers.items()}
        texts = {6: b"Wifi-Cachan" if row % 2 else b"Agents", 9: band}
        found |= {f"{base}.1.2.1.{arc}.{row}": (ber.OCTET_STRING, text, False) for arc, text in texts.items()}
    texts = {3: b"U6-Pro", 6: b"6.5.28"}
    return found | {f"{base}.3.{arc}.0": (ber.OCTET_STRING, text, False) for arc, text in texts.items()}


def written(objects: dict[str, Cell]) -> bytes:
    """The objects as the responder reads them."""
    named = sorted((ber.index(ber.oid(name)), ber.oid(name), cell) for name, cell in objects.items())
    return b"".join(
        bytes((len(name),)) + name + bytes((tag, counts, len(value))) + value for _, name, (tag, value, counts) in named
    )


def stretched(password: str) -> str:
    """The user's key before localisation (RFC 3414 section A.2.2), in hex."""
    whole = (password.encode() * (2**20 // len(password) + 1))[: 2**20]
    return hashlib.sha1(whole).hexdigest()


@contextmanager
def answering(folder: Path, port: int, objects: dict[str, Cell]) -> Iterator[subprocess.Popen[bytes]]:
    """The devices, from compiling to the end."""
    program, mib = folder / "responder", folder / f"objects-{port}"
    mib.write_bytes(written(objects))
    source = str(HERE / "responder.c")
    subprocess.run(["gcc", "-O2", "-o", str(program), source, "-l:libcrypto.so.3"], check=True)
    keys = [stretched(AUTH_PASSWORD), stretched(PRIV_PASSWORD)]
    with subprocess.Popen([str(program), str(port), str(REPLY_OCTETS), str(mib), *keys]) as running:
        time.sleep(0.2)
        try:
            yield running
        finally:
            running.terminate()
