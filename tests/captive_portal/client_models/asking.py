"""The models' hands: plain sockets. A Phone asks from a resident's namespace, with nothing but what it leased."""

import re
import socket
import ssl
import struct
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlencode, urljoin, urlsplit

from door_twin import Inside

from client_models.seeing import Seen

TIMEOUT_SECONDS = 5.0
A, AAAA = 1, 28
MOST_HOPS = 5
DNS_TRIES = 5


class Asking(ABC):
    """A Web over sockets; subclasses say how names are resolved and connections made."""

    trust: ssl.SSLContext

    @abstractmethod
    def resolve(self, name: str) -> list[str]:
        """The addresses of *name*, in the order in which they are tried; none: there is no such name."""

    @abstractmethod
    def connect(self, address: str, port: int) -> socket.socket:
        """A connected socket; OSError."""

    def get(self, url: str, **headers: str) -> Seen:
        return self.ask("GET", url, headers)

    def ask(self, method: str, url: str, headers: dict[str, str], form: dict[str, str] | None = None) -> Seen:
        """One request on a connection of its own."""
        parts = urlsplit(url)
        body = urlencode(form).encode() if form is not None else b""
        fields = {"Host": parts.netloc, "Connection": "close"}
        if form is not None:
            fields |= {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
        return self._exchange(parts.scheme, parts.hostname or "", parts.port, "\r\n".join(lines).encode() + body)

    def _exchange(self, scheme: str, host: str, port: int | None, sent: bytes) -> Seen:
        addresses = self.resolve(host)
        seen = Seen(fault="name")
        for address in addresses:
            try:
                with self.connect(address, port or {"http": 80, "https": 443}[scheme]) as plain:
                    if scheme == "http":
                        return _read(plain, sent)
                    with self.trust.wrap_socket(plain, server_hostname=host) as secure:
                        return _read(secure, sent)
            except ssl.SSLError:
                seen = Seen(fault="tls")
            except TimeoutError:
                seen = Seen(fault="timeout")
            except ConnectionRefusedError:
                seen = Seen(fault="refused")
            except (OSError, ValueError):
                seen = Seen(fault="reset")
        return seen

    def signs_in(self, page: str) -> Seen:
        """As the narrowest sign-in window: pages and one form, no script, no cookie, no second window."""
        seen, url = self._opens(page)
        action = re.search(r'<form[^>]*action="([^"]*accept)"', seen.body)
        token = re.search(r'name="token" value="([^"]+)"', seen.body)
        assert action, (url, seen.status, seen.body[:300])
        assert token, (url, seen.body[:300])
        seen = self.ask("POST", urljoin(url, action[1]), {}, {"token": token[1]})
        assert seen.status == 303, (seen.status, seen.body[:300])
        return self._opens(urljoin(url, seen.location))[0]

    def leaves(self, portal: str) -> None:
        """Press the button of the status page."""
        seen, url = self._opens(urljoin(portal, "/fr/status"))
        form = seen.body[seen.body.index("/leave") :]
        token = re.search(r'name="token" value="([^"]+)"', form)
        assert token
        left = self.ask("POST", urljoin(url, "/fr/leave"), {}, {"token": token[1]})
        assert left.status == 303, left

    def _opens(self, url: str) -> tuple[Seen, str]:
        for _ in range(MOST_HOPS):
            seen = self.get(url, Accept="text/html,*/*;q=0.8", Accept_Language="fr")
            if seen.status not in {301, 302, 303, 307, 308}:
                return seen, url
            url = urljoin(url, seen.location)
        raise AssertionError(f"redirected in circles: {url}")


def _read(connection: socket.socket, sent: bytes) -> Seen:
    connection.sendall(sent)
    said = b""
    while chunk := connection.recv(65536):
        said += chunk
    if not said:
        raise ConnectionResetError
    head, _, body = said.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Seen(int(first.split()[1]), headers, body.decode("utf-8", "replace"))


@dataclass
class Phone(Asking):
    """A device in *namespace* that asks names of *resolver*, as its lease says; *families* as it prefers them."""

    namespace: str
    resolver: str
    trust: ssl.SSLContext
    families: tuple[int, ...] = (AAAA, A)

    def resolve(self, name: str) -> list[str]:
        return [address for kind in self.families for address in self._addresses(name, kind)]

    def connect(self, address: str, port: int) -> socket.socket:
        with Inside(self.namespace):
            return socket.create_connection((address, port), TIMEOUT_SECONDS)

    def _addresses(self, name: str, kind: int) -> list[str]:
        with Inside(self.namespace):
            channel = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with channel:
            channel.settimeout(1.0)
            for _ in range(DNS_TRIES):  # resolvers try again; before acceptance questions have a budget
                channel.sendto(question(name, kind), (self.resolver, 53))
                with suppress(TimeoutError):
                    return answers(channel.recv(4096), kind)
        return []


@dataclass
class Scripted(Asking):
    """Names that all lead to one honest little server, wherever they say they are."""

    port: int
    secure_port: int
    trust: ssl.SSLContext
    names: dict[str, list[str]] = field(default_factory=dict)

    def resolve(self, name: str) -> list[str]:
        return self.names.get(name, ["192.0.2.1"])

    def connect(self, address: str, port: int) -> socket.socket:
        del address
        return socket.create_connection(("127.0.0.1", self.secure_port if port == 443 else self.port), TIMEOUT_SECONDS)


def question(name: str, kind: int) -> bytes:
    """A DNS query (RFC 1035)."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">6H", 4711, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">2H", kind, 1)


def answers(said: bytes, kind: int) -> list[str]:
    """The addresses of *kind* in a DNS answer; names before them are skipped."""
    _, _, questions, count, _, _ = struct.unpack_from(">6H", said)
    at = 12
    for _ in range(questions):
        at = _after_name(said, at) + 4
    found = []
    for _ in range(count):
        at = _after_name(said, at)
        is_kind, _, _, length = struct.unpack_from(">2HIH", said, at)
        at += 10
        if is_kind == kind:
            packed = said[at : at + length]
            found.append(str(IPv4Address(packed) if kind == A else IPv6Address(packed)))
        at += length
    return found


def _after_name(said: bytes, at: int) -> int:
    while said[at]:
        if said[at] & 0xC0:
            return at + 2
        at += said[at] + 1
    return at + 1
