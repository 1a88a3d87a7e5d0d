"""HTTP and HTTPS to somebody outside the town, by urllib: redirects and proxies too; over in time as a whole."""

import http.client
import urllib.request
from typing import Any

from monitor.within import Cut


def asked(url: str, seconds: float, *, method: str = "GET", most: int = 10_000) -> bytes:
    """The first *most* bytes of what *url* answers within *seconds*; OSError or HTTPException when it does not."""
    if not url.startswith(("http://", "https://")):
        raise ValueError("not http")
    request = urllib.request.Request(url, method=method, data=b"" if method == "POST" else None)  # noqa: S310 see above
    with Cut(seconds).running() as cut:
        opener = urllib.request.build_opener(_Plain(cut), _Secure(cut))
        with opener.open(request, timeout=seconds) as answer:
            found: bytes = answer.read(most)
    return found


def _held(cut: Cut) -> tuple[type[http.client.HTTPConnection], type[http.client.HTTPSConnection]]:
    class Plain(http.client.HTTPConnection):
        def connect(self) -> None:
            super().connect()
            cut.hold(self.sock)

    class Secure(http.client.HTTPSConnection, Plain):
        """Its connect begins with the one above: TLS is shaken hands on within the time."""

    return Plain, Secure


class _Plain(urllib.request.HTTPHandler):
    def __init__(self, cut: Cut) -> None:
        super().__init__()
        self._made = _held(cut)[0]

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        answer: Any = self.do_open(self._made, req)
        found: http.client.HTTPResponse = answer
        return found


class _Secure(urllib.request.HTTPSHandler):
    def __init__(self, cut: Cut) -> None:
        super().__init__()
        self._made = _held(cut)[1]

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        answer: Any = self.do_open(self._made, req)
        found: http.client.HTTPResponse = answer
        return found
