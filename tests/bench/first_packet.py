"""From the acceptance to the first forwarded packet, seen by a resident's phone. Runs inside its namespace.

Usage: first_packet.py CA_FILE PORTAL_HOST ECHO_ADDRESS ROUNDS. Each round: leave if online, load the splash page (the
floor: what one request costs), then send a datagram every half millisecond while the form is posted on the same
connection; the first echo's time, less the moment the post began, is the figure. Prints JSON, seconds.
"""

import http.client
import json
import socket
import ssl
import sys
import threading
import time
from urllib.parse import urlencode

from actors import Forms

EVERY_SECONDS = 0.0005
PATIENCE_SECONDS = 5.0


class Sender(threading.Thread):
    """Sends datagrams until stopped; notes when the first echo came."""

    def __init__(self, address: str) -> None:
        super().__init__(daemon=True)
        self.first = 0.0
        self.sent = 0
        self._stopped = threading.Event()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._address = (address, 7)

    def run(self) -> None:
        while not self._stopped.is_set():
            for act in (lambda: self._socket.sendto(b"?", self._address), self._listen):
                try:
                    act()
                except OSError:  # refused by ICMP, or nothing there yet
                    continue
            self.sent += 1
            time.sleep(EVERY_SECONDS)

    def _listen(self) -> None:
        if self._socket.recv(10) and not self.first:
            self.first = time.perf_counter()

    def stop(self) -> None:
        self._stopped.set()
        self.join()
        self._socket.close()


class Phone:
    """One kept TLS connection to the portal."""

    def __init__(self, ca: str, host: str) -> None:
        self._host = host
        self._connection = http.client.HTTPSConnection(host, context=ssl.create_default_context(cafile=ca), timeout=10)

    def get(self, path: str) -> tuple[int, str, str]:
        return self._ask("GET", path, None)

    def post(self, path: str, fields: dict[str, str]) -> tuple[int, str, str]:
        return self._ask("POST", path, urlencode(fields))

    def _ask(self, method: str, path: str, body: str | None) -> tuple[int, str, str]:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read().decode(), answer.getheader("Location", "")


def form(page: str, action: str) -> tuple[str, dict[str, str]]:
    forms = Forms()
    forms.feed(page)
    return next(found for found in forms.found if action in found[0])


def one(phone: Phone, echo: str) -> dict[str, float]:
    _, page, _ = phone.get("/status")
    if 'action="/leave"' in page:
        phone.post(*form(page, "leave"))
    begun = time.perf_counter()
    _, page, _ = phone.get("/")
    splash = time.perf_counter() - begun
    action, fields = form(page, "accept")
    sender = Sender(echo)
    sender.start()
    time.sleep(0.01)
    too_early = sender.first
    posted = time.perf_counter()
    status, _, _ = phone.post(action, fields)
    answered = time.perf_counter()
    while not sender.first and time.perf_counter() - posted < PATIENCE_SECONDS:
        time.sleep(EVERY_SECONDS)
    sender.stop()
    if status != http.HTTPStatus.SEE_OTHER or too_early or not sender.first:
        raise SystemExit(f"the round is void: status {status}, early echo {too_early}, first echo {sender.first}")
    return {"splash": splash, "post_answered": answered - posted, "first_packet": sender.first - posted}


def main() -> None:
    ca, host, echo, rounds = sys.argv[1:5]
    phone = Phone(ca, host)
    json.dump([one(phone, echo) for _ in range(int(rounds))], sys.stdout)


if __name__ == "__main__":
    main()
