"""A street of residents: each a macvlan with its own MAC address, its own lease, its own connections. Prints JSON.

Runs inside the residents' namespace. Usage: street.py '{"portal": "ours"|"opennds", "devices": [2, 41], "threads": 8,
"what": "redirect"|"splash"|"login"|"login_anew"|"way"|"online", …}'. Every device does *what* once; "login" is over a
connection that is there, as a browser has it from the page; "way" is redirect, page and login in a row, as a resident
walks them. Times are seconds.
"""

import base64
import hashlib
import json
import re
import socket
import ssl
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from gate import address_of, whole_cpu_seconds
from knock import Tally, whole

INTERNET = "203.0.113.80"
HOST = "wifi.cachan.example"
FAS_KEY = "1234567890"
SO_BINDTODEVICE = 25
LOGINS = {"login", "login_anew"}
PREPARING = 4
"""Devices at once for what is not timed."""


class Device:
    """One resident's device, number *number*."""

    def __init__(self, number: int, words: dict[str, Any]) -> None:
        self.number, self._words = number, words
        self._context = ssl.create_default_context(cafile=words["certificate"] if words["portal"] == "ours" else None)
        self._session: ssl.SSLSession | None = None
        self._kept: socket.socket | None = None

    def connect(self, host: str, port: int, *, secure: bool) -> socket.socket:
        """A connection of its own."""
        plain = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        plain.settimeout(self._words.get("patience", 15))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, f"mv{self.number}".encode() + b"\0")
        plain.bind((address_of(self.number), 0))
        plain.connect((host, port))
        return self._context.wrap_socket(plain, server_hostname=HOST, session=self._session) if secure else plain

    def keep(self, host: str, port: int, *, secure: bool = False) -> None:
        """Connect for the next question to come."""
        self._kept = self.connect(host, port, secure=secure)

    def ask(self, host: str, request: str, port: int = 80, *, secure: bool = False) -> bytes:
        """The whole answer of *host*, over the connection kept or a new one."""
        kept, self._kept = self._kept, None
        with kept or self.connect(host, port, secure=secure) as channel:
            channel.sendall(request.encode())
            answer = whole(channel)
            if isinstance(channel, ssl.SSLSocket):
                self._session = channel.session  # as browsers do: the next connection takes it up (RFC 8446 2.2)
            return answer

    def get(self, host: str, path: str, port: int = 80, *, secure: bool = False, name: str = "") -> bytes:
        lines = f"GET {path} HTTP/1.1\r\nHost: {name or host}\r\nUser-Agent: bench\r\nConnection: close\r\n\r\n"
        return self.ask(host, lines, port, secure=secure)

    def online(self) -> bool:
        return b"the internet" in self.get(INTERNET, "/")


def location(answer: bytes) -> str:
    found = re.search(rb"\r\n[Ll]ocation: ([^\r]+)", answer)
    if not found:
        raise OSError(f"no redirect: {answer[:120]!r}")
    return found[1].decode()


def checked(good: bool, answer: bytes) -> None:
    if not good:
        raise OSError(f"not the answer expected: {answer[:300]!r}")


class Ours:
    """Our portal's steps; *prepare* is not timed."""

    def prepared(self, what: str) -> bool:
        """Whether *what* needs something that *prepare* gave."""
        return what in LOGINS

    def prepare(self, device: Device, what: str) -> Any:
        token = self._token(device) if what in LOGINS else None
        if what == "login":
            device.keep(device._words["gateway"], 443, secure=True)
        return token

    def _token(self, device: Device) -> str:
        page = self._splash(device)
        return page.split(b'/accept"', 1)[1].split(b'name="token" value="', 1)[1].split(b'"', 1)[0].decode()

    def _splash(self, device: Device) -> bytes:
        return device.get(device._words["gateway"], "/fr/", 443, secure=True, name=HOST)

    def redirect(self, device: Device, _: Any) -> None:
        answer = device.get(INTERNET, "/")
        checked(HOST in location(answer), answer)

    def splash(self, device: Device, _: Any) -> None:
        answer = self._splash(device)
        checked(b"<form" in answer, answer)

    def login(self, device: Device, token: str) -> None:
        body = f"token={token}"
        answer = device.ask(
            device._words["gateway"],
            f"POST /fr/accept HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}",
            443,
            secure=True,
        )
        checked(b" 303" in answer[:20], answer)

    login_anew = login

    def way(self, device: Device, _: Any) -> None:
        self.redirect(device, None)
        self.login(device, self._token(device))


class OpenNds:
    """openNDS' steps: its splash page is made by a shell script; a login is a GET with a hashed token."""

    def prepared(self, what: str) -> bool:
        """Whether *what* needs something that *prepare* gave."""
        return what in {"splash", *LOGINS}

    def prepare(self, device: Device, what: str) -> Any:
        target = location(device.get(INTERNET, "/")) if self.prepared(what) else None
        if what == "login" and target:
            parts = urlsplit(target)
            device.keep(parts.hostname or "", parts.port or 80)
        return target

    def redirect(self, device: Device, _: Any) -> None:
        answer = device.get(INTERNET, "/")
        checked("fas=" in location(answer), answer)

    def splash(self, device: Device, target: str) -> None:
        parts = urlsplit(target)
        answer = device.get(parts.hostname or "", f"{parts.path}?{parts.query}", parts.port or 80)
        checked(b"<form" in answer or b"<html" in answer, answer)

    def login(self, device: Device, target: str) -> None:
        parts = urlsplit(target)
        told = base64.b64decode(parts.query.split("fas=", 1)[1].split("&", 1)[0] + "==").decode("latin-1")
        found = re.search(r"hid=([0-9a-f]+)", told)
        token = hashlib.sha256(((found[1] if found else "") + FAS_KEY).encode()).hexdigest()
        answer = device.get(
            parts.hostname or "", f"/opennds_auth/?tok={token}&redir=http://{INTERNET}/", parts.port or 80
        )
        checked(b" 30" in answer[:20] or b" 200" in answer[:20], answer)

    login_anew = login

    def way(self, device: Device, _: Any) -> None:
        target = self.prepare(device, "login_anew")
        self.splash(device, target)
        self.login(device, target)


def tried(tally: Tally, deed: Callable[[], Any]) -> Any:
    """What *deed* gave; a failure is counted, and None."""
    try:
        return deed()
    except (OSError, ValueError, IndexError) as error:
        tally.failures += 1
        tally.first = tally.first or repr(error)
        return None


def timed(tally: Tally, deed: Callable[[], Any]) -> None:
    started, failures = time.perf_counter(), tally.failures
    tried(tally, deed)
    if tally.failures == failures:
        tally.times.append(time.perf_counter() - started)


def walk(words: dict[str, Any]) -> dict[str, Any]:
    """Every device does it once, so many at a time; then the numbers."""
    portal: Any = Ours() if words["portal"] == "ours" else OpenNds()
    first, last = words["devices"]
    devices = [Device(number, words) for number in range(first, last + 1)]
    tally = Tally()
    with ThreadPoolExecutor(PREPARING) as pool:
        if words["what"] == "online":
            online = list(pool.map(lambda device: bool(tried(tally, device.online)), devices))
            return {"online": sum(online), "count": len(online)}
        made = list(pool.map(lambda device: tried(tally, lambda: portal.prepare(device, words["what"])), devices))
    prepared, tally = tally, Tally()
    deed, needed = getattr(portal, words["what"]), portal.prepared(words["what"])
    todo = [one for one in zip(devices, made, strict=True) if not needed or one[1] is not None]
    servers, own = whole_cpu_seconds(words["servers"]), time.process_time()
    with ThreadPoolExecutor(words["threads"]) as pool:
        started = time.perf_counter()
        list(pool.map(lambda one: timed(tally, lambda: deed(*one)), todo))
        took = time.perf_counter() - started
    own = time.process_time() - own
    servers = whole_cpu_seconds(words["servers"]) - servers
    times = sorted(tally.times) or [0.0]
    return {
        "rate": len(tally.times) / took,
        "p50": times[len(times) // 2],
        "max": times[-1],
        "server_cpu_ms": servers / max(len(todo), 1) * 1000,
        "driver_cpu_ms": own / max(len(todo), 1) * 1000,
        "count": len(devices),
        "failures": tally.failures + prepared.failures,
        "first_failure": tally.first or prepared.first,
    }


if __name__ == "__main__":
    json.dump(walk(json.loads(sys.argv[1])), sys.stdout)
