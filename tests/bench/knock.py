"""Residents at the portal's door, as fast as they can or at a rate. Runs in the gateway's namespace; prints JSON.

Usage: knock.py '{"what": "accept", "devices": [1, 1000], "threads": 16, "address": "10.64.0.1", "seconds": 5, …}'.
What: accept (sign a form and post it, each device once), splash (the first page), api (RFC 8908), leave. Each device
makes its own connection, as phones do; where "kept" is true it keeps it. "ready" makes so many connections a thread
before the clock starts, and who will accept over one has the first page by then. Times are seconds from request to
answer.
"""

import json
import random
import re
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gate import KEY, address_of, mac_of, whole_cpu_seconds

from captive_portal.clock import moment
from captive_portal.forms import Signer
from parvis.addresses import MacAddress

HOST = "wifi.cachan.example"
PROBED = "connectivitycheck.gstatic.com"
SIGNER = Signer(KEY.encode())
GOOD = {"accept": b" 303", "leave": b" 303", "splash": b" 200", "api": b" 200", "redirect": b" 302"}
PATHS = {"splash": "/fr/", "api": "/api/captive", "redirect": "/generate_204"}


@dataclass
class Tally:
    """What happened."""

    times: list[float] = field(default_factory=list)
    failures: int = 0
    first: str = ""


def request(what: str, device: int, terms: str = "") -> bytes:
    """The bytes of one request; *terms*: the digest of those that are accepted."""
    if what in PATHS:
        accept = "application/captive+json" if what == "api" else "text/html"
        host = PROBED if what == "redirect" else HOST
        return (
            f"GET {PATHS[what]} HTTP/1.1\r\nHost: {host}\r\nAccept: {accept}\r\nAccept-Encoding: gzip\r\n\r\n".encode()
        )
    token = SIGNER.token(MacAddress(mac_of(device)), "accept" if what == "accept" else "leave", moment(), terms)
    body = f"token={token}"
    return (
        f"POST /fr/{what} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


class Knocker:
    """Connections to the portal, one thread's."""

    def __init__(self, words: dict[str, Any], tally: Tally) -> None:
        self._words, self._tally = words, tally
        self._context = ssl.create_default_context(cafile=words.get("certificate"))
        self.kept: dict[int, socket.socket] = {}

    def connect(self, device: int) -> socket.socket:
        plain = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        plain.settimeout(20)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.bind((address_of(device), 0))
        plain.connect((self._words["address"], self._words["port"]))
        if self._words["what"] == "redirect":
            return plain
        return self._context.wrap_socket(plain, server_hostname=HOST)

    def make_ready(self, device: int) -> None:
        """Make *device*'s connection before the clock starts, and read the page whose form it will post."""
        channel = self.kept[device] = self.connect(device)
        if self._words["what"] == "accept":
            channel.sendall(request("splash", device))
            whole(channel)

    def ask(self, device: int, *, keep: bool) -> None:
        sent = request(self._words["what"], device, self._words.get("terms", ""))
        started = time.perf_counter()
        try:
            channel = self.kept.pop(device, None) or self.connect(device)
            channel.sendall(sent)
            answer = whole(channel)
        except OSError as error:
            self.failed(repr(error))
            return
        self._tally.times.append(time.perf_counter() - started)
        if GOOD[self._words["what"]] not in answer[:20] or b"again=1" in answer:
            self.failed(answer[:300].decode("latin-1"))
        if keep:
            self.kept[device] = channel
        else:
            channel.close()

    def failed(self, words: str) -> None:
        self._tally.failures += 1
        self._tally.first = self._tally.first or words


def whole(channel: socket.socket) -> bytes:
    """One answer, to its last byte."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        more = channel.recv(1 << 16)
        if not more:
            return answer
        answer += more
    head, _, body = answer.partition(b"\r\n\r\n")
    lowered = head.lower()
    length = int(lowered.partition(b"content-length:")[2].split()[0]) if b"content-length:" in lowered else 0
    while len(body) < length:
        more = channel.recv(1 << 16)
        if not more:
            break
        body += more
    return head + b"\r\n\r\n" + body


def turns(words: dict[str, Any]) -> Iterator[int]:
    """The devices whose turn it is: each once, or at random for some seconds, at a rate where there is one."""
    first, last = words["devices"]
    if "seconds" not in words:
        yield from range(first, last + 1)
        return
    started, done = time.monotonic(), 0
    while (now := time.monotonic() - started) < words["seconds"]:
        if words.get("rate") and done > now * words["rate"]:
            time.sleep(done / words["rate"] - now)
        done += 1
        yield random.randint(first, last)


def work(words: dict[str, Any], queue: Iterator[int], lock: threading.Lock, tally: Tally, ready: Any) -> None:
    knocker = Knocker(words, tally)
    mine: list[int] = []
    if words.get("ready"):
        with lock:
            mine = [n for _, n in zip(range(words["ready"]), queue, strict=False)]
        for one in mine:
            knocker.make_ready(one)
    ready.wait()
    device: int | None
    while True:
        if words.get("ready"):
            device = mine.pop() if mine else None
        else:
            with lock:
                device = next(queue, None)
        if device is None:
            return
        knocker.ask(device, keep=bool(words.get("kept")))


def terms_in_force(words: dict[str, Any]) -> str:
    """The digest of the French terms, as their page tells it."""
    with Knocker(words, Tally()).connect(1) as channel:
        channel.sendall(f"GET /fr/cgu HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        found: bytes = re.findall(rb"\b[0-9a-f]{64}\b", whole(channel))[0]
        return found.decode()


def knock(words: dict[str, Any]) -> dict[str, Any]:
    """Do it; the tally as numbers."""
    if words["what"] == "accept":
        words["terms"] = terms_in_force(words)
    tally, lock, queue = Tally(), threading.Lock(), turns(words)
    ready = threading.Barrier(words["threads"] + 1)
    threads = [threading.Thread(target=work, args=(words, queue, lock, tally, ready)) for _ in range(words["threads"])]
    for thread in threads:
        thread.start()
    ready.wait()
    servers = whole_cpu_seconds(words["servers"])
    started, cpu = time.perf_counter(), time.process_time()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - started
    servers = whole_cpu_seconds(words["servers"]) - servers
    times = sorted(tally.times) or [0.0]
    return {
        "rate": len(tally.times) / took,
        "p50": times[len(times) // 2],
        "p99": times[int(len(times) * 0.99)],
        "max": times[-1],
        "count": len(tally.times),
        "failures": tally.failures,
        "first_failure": tally.first,
        "cpu_ms": servers / max(len(tally.times), 1) * 1000,
        "driver_cpu": (time.process_time() - cpu) / took,
    }


if __name__ == "__main__":
    json.dump(knock(json.loads(sys.argv[1])), sys.stdout)
