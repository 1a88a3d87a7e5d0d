"""HTTP that is over in time as a whole: a time-out of a socket does not end a peer that says a letter a minute."""

import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Timer
from urllib.parse import urlsplit


class Cut:
    """After *seconds* the sockets that were handed to it are shut, and whoever reads from them reads an end."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.over = False
        self._sockets: list[socket.socket] = []
        self._timer = Timer(seconds, self._cut)
        self._timer.daemon = True

    def hold(self, channel: socket.socket) -> None:
        """Shut this one too when time is over, whatever has become of the object: TLS takes it over."""
        self._sockets.append(channel.dup())
        if self.over:
            self._cut()

    def _cut(self) -> None:
        self.over = True
        for channel in list(self._sockets):
            with suppress(OSError):
                channel.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def running(self) -> Iterator["Cut"]:
        """While time runs; TimeoutError once it is over, whatever was made of the end that was read."""
        self._timer.start()
        try:
            yield self
        except (OSError, http.client.HTTPException) as error:
            if self.over:
                raise TimeoutError(f"not done in {self.seconds:g} s") from error
            raise
        finally:
            self._timer.cancel()
            for channel in self._sockets:
                channel.close()
        if self.over:
            raise TimeoutError(f"not done in {self.seconds:g} s")


def exchanged(
    url: str,
    seconds: float,
    *,
    method: str = "GET",
    body: str | None = None,
    headers: dict[str, str] | None = None,
    most: int,
) -> tuple[int, bytes]:
    """Status and body (its first *most* bytes) of one plain HTTP exchange; OSError or HTTPException when there is none.

    A body that ends before its length is none.
    """
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.netloc, timeout=seconds)
    path = place.path + (f"?{place.query}" if place.query else "")
    with Cut(seconds).running() as cut:
        try:
            connection.connect()
            cut.hold(connection.sock)
            connection.request(method, path, body, {**(headers or {}), "Connection": "close"})
            response = connection.getresponse()
            found = response.read(most)
        finally:
            connection.close()
    if response.length and len(found) < most:
        raise http.client.IncompleteRead(found, response.length)
    return response.status, found
