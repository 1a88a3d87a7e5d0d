"""What plain HTTP is answered (RFC 9110, RFC 9112): a request's head in, one of a few fixed answers out. No I/O.

302 with ``no-store`` and a short body, whatever is asked of whomever: never 204, 511, 301 or an empty 200, which phones
take for the internet, for a fault, or for ever. Nothing of the request comes back in the answer.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from captive_portal.probes import OTHER, family

MAX_HEAD = 16 * 1024
"""Bytes of request line and headers; phones' probes have less than 1 kB, tests ask with 8 kB."""
MAX_LOCATION = 255
"""Bytes; longer ones are cut by some clients."""
LOOP = "plain=1"
"""The query of our own address once we have sent somebody there from our own name over plain HTTP."""
_REQUEST_LINE = re.compile(rb"([A-Z]{1,20}) (\S+) HTTP/1\.[01]\r?\n")
_HOST = re.compile(rb"\r?\n[Hh][Oo][Ss][Tt]:[ \t]*([^\r\n]*)")
_AUTHORITY = re.compile(r"https?://([^/?#]*)([^?#]*)", re.IGNORECASE)
_TAIL = (
    '<p><a href="{url}">Se connecter au Wi-Fi public</a> <a href="{url}" lang="en">Connect to the public Wi-Fi</a>\n'
)
_SHORT = '<!doctype html><html lang="fr"><meta charset="utf-8"><title>Wi-Fi</title>' + _TAIL
_EXPLAINED = (
    '<!doctype html><html lang="fr"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>Wi-Fi public\u00a0: connexion non chiffrée</title><h1>Votre appareil revient toujours ici</h1>"
    "<p>Cette page n'existe qu'en version chiffrée (https), et quelque chose sur votre appareil la demande sans "
    "chiffrement\u00a0: un proxy, un économiseur de données, un ancien réglage. Désactivez-le le temps de vous "
    "connecter, ou essayez un autre navigateur.</p>"
    '<div lang="en"><h2>Your device keeps coming back here</h2>'
    "<p>This page exists only encrypted (https), and something on your device asks for it without encryption: a proxy, "
    "a data saver, an old setting. Turn it off while you connect, or try another browser.</p></div>" + _TAIL
)


class Kind(StrEnum):
    """The fixed answers."""

    FOUND = "found"
    OWN = "own"
    """Our own name, which is for HTTPS only: led there, with a mark by which we know whoever comes back."""
    LOOP = "loop"
    """Back again over plain HTTP: a page that explains, instead of a loop."""
    GARBAGE = "garbage"
    FAT = "fat"


CODES = {Kind.FOUND: 302, Kind.OWN: 302, Kind.LOOP: 200, Kind.GARBAGE: 400, Kind.FAT: 431}
_REASONS = {200: "OK", 302: "Found", 400: "Bad Request", 431: "Request Header Fields Too Large"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which answer, whether with its body, whether more than the head was sent, and the family of a probe."""

    kind: Kind
    with_body: bool = True
    more: bool = False
    family: str = OTHER


def answers(url: str) -> dict[Kind, bytes]:
    """The whole answers; they never change. *url* is the portal's first page; ValueError when it is too long."""
    marked = f"{url}?{LOOP}"
    if len(marked) > MAX_LOCATION:
        raise ValueError(f"{url}: an address of more than {MAX_LOCATION} bytes does not reach every client")
    leads = {Kind.FOUND: f"Location: {url}\r\n", Kind.OWN: f"Location: {marked}\r\n"}
    return {
        kind: _answer(code, leads.get(kind, ""), (_EXPLAINED if kind is Kind.LOOP else _SHORT).format(url=url))
        for kind, code in CODES.items()
    }


def _answer(code: int, extra: str, page: str) -> bytes:
    body = page.encode()
    head = (
        f"HTTP/1.1 {code} {_REASONS[code]}\r\n{extra}Cache-Control: no-store\r\n"
        f"Content-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


def verdict(received: bytes, own: str) -> Verdict | None:
    r"""What to answer; None while the head is incomplete. *own* is the portal's name, lower case.

    >>> verdict(b"GET /gen_204 HTTP/1.1\r\nHost: www.google.com\r\n\r\n", "wifi.example").family
    'android'
    >>> verdict(b"GET /?plain=1 HTTP/1.1\r\nHost: wifi.example\r\n\r\n", "wifi.example").kind
    <Kind.LOOP: 'loop'>
    """
    end = _end(received)
    if not end:
        return Verdict(Kind.FAT, more=True) if len(received) > MAX_HEAD else None
    line = _REQUEST_LINE.match(received)
    if line is None:
        behind = received.lstrip(b"\r\n")  # empty lines before a request are to be passed over (RFC 9112 section 2.2)
        if behind and behind != received:
            return verdict(behind, own)
        return Verdict(Kind.GARBAGE, more=len(received) > end)
    method, target = line[1], line[2].decode("latin-1")
    host, path, query = _place(target, received[:end])
    more = len(received) > end or method not in {b"GET", b"HEAD"}
    if host == own:
        return Verdict(Kind.LOOP if LOOP in query else Kind.OWN, method != b"HEAD", more)
    return Verdict(Kind.FOUND, method != b"HEAD", more, family(host, path))


def _end(received: bytes) -> int:
    """Where the head ends, 0 when it does not yet; bare line feeds are line ends too (RFC 9112 section 2.2)."""
    for mark in (b"\r\n\r\n", b"\n\n"):
        if (found := received.find(mark)) >= 0:
            return found + len(mark)
    return 0


def _place(target: str, head: bytes) -> tuple[str, str, str]:
    """Host, path and query that are asked for; the target's own host goes before the field (RFC 9112 section 3.2.2)."""
    absolute = _AUTHORITY.match(target)
    if absolute:
        host, path = absolute[1], absolute[2] or "/"
    else:
        found = _HOST.search(head)
        host, path = found[1].decode("latin-1") if found else "", target.partition("?")[0]
    if not host.startswith("["):
        host = host.partition(":")[0]
    return host.strip().rstrip(".").lower(), path, target.partition("?")[2]
