"""A telephone to be called: answers SIP (RFC 3261) on UDP, listens to RTP (RFC 3550), presses keys (RFC 4733)."""

import random
import re
import socket
import struct
import threading
import time
from typing import Self

PCMA, EVENT = 8, 101
SILENCE = 0xD5
ENOUGH_PACKETS = 50
"""A second of speech."""


class Telephone:
    """Picks up, or is busy, or lets it ring; once it has heard a second of speech it presses *key*, if any."""

    def __init__(self, *, key: str = "", busy: bool = False, picks_up: bool = True) -> None:
        self.key, self.busy, self.picks_up = key, busy, picks_up
        self.dialled: list[str] = []
        self.heard = 0
        """Packets of speech."""
        self._signals, self._sound = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for one in (self._signals, self._sound):
            one.bind(("127.0.0.1", 0))
            one.settimeout(0.2)
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._answer, self._listen)]

    @property
    def port(self) -> int:
        """Where it is called."""
        return int(self._signals.getsockname()[1])

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()
        self._signals.close()
        self._sound.close()

    def _answer(self) -> None:
        while not self._ended.is_set():
            try:
                data, peer = self._signals.recvfrom(65536)
            except TimeoutError:
                continue
            request = data.decode("utf-8", "replace")
            method = request.partition(" ")[0]
            if method == "INVITE":
                self.dialled.append(re.match(r"INVITE sip:([^@]+)@", request)[1])  # type: ignore[index]
                self._invited(request, peer)
            elif method in {"BYE", "CANCEL"}:
                self._reply(request, peer, "200 OK")

    def _invited(self, request: str, peer: tuple[str, int]) -> None:
        if self.busy:
            self._reply(request, peer, "486 Busy Here")
            return
        self._reply(request, peer, "180 Ringing")
        if self.picks_up:
            port = self._sound.getsockname()[1]
            offer = [
                "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0",
                f"m=audio {port} RTP/AVP {PCMA} {EVENT}", f"a=rtpmap:{PCMA} PCMA/8000",
                f"a=rtpmap:{EVENT} telephone-event/8000", "a=sendrecv", "",
            ]  # fmt: skip
            self._reply(request, peer, "200 OK", "\r\n".join(offer))

    def _reply(self, request: str, peer: tuple[str, int], status: str, body: str = "") -> None:
        kept = [line for line in request.split("\r\n") if re.match(r"(?i)(via|from|call-id|cseq):", line)]
        to = next(line for line in request.split("\r\n") if line.lower().startswith("to:"))
        to += "" if ";tag=" in to else ";tag=1"
        contact = f"Contact: <sip:phone@127.0.0.1:{self.port}>"
        more = [contact, *(["Content-Type: application/sdp"] if body else []), f"Content-Length: {len(body)}"]
        self._signals.sendto("\r\n".join([f"SIP/2.0 {status}", *kept, to, *more, "", body]).encode(), peer)

    def _listen(self) -> None:
        while not self._ended.is_set():
            try:
                packet, peer = self._sound.recvfrom(4096)
            except TimeoutError:
                continue
            spoken = packet[1] & 0x7F == PCMA and any(abs(one - SILENCE) > 2 for one in packet[12:])
            self.heard += spoken
            if spoken and self.heard == ENOUGH_PACKETS and self.key:
                self._press(peer)

    def _press(self, peer: tuple[str, int]) -> None:
        begun, source = random.getrandbits(31), random.getrandbits(31)
        for number in range(8):
            end = 0x80 if number >= 5 else 0
            head = struct.pack("!BBHII", 0x80, EVENT | (0x80 if number == 0 else 0), number + 1, begun, source)
            event = struct.pack("!BBH", int(self.key), end | 10, min(number + 1, 6) * 160)
            self._sound.sendto(head + event, peer)
            time.sleep(0.02)
