"""The floor of ``script/bench portal``: granian as the portal runs it, and a WSGI page that does nothing but go out.

Usage: bare_page.py ADDRESS PORT CERTIFICATE KEY FILE; FILE is the page, already in gzip.
"""

import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from captive_portal.portal import server

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def page(body: bytes) -> App:
    """An application that answers *body* to everything."""
    headers = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Encoding", "gzip"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]

    def application(_: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", headers)
        return [body]

    return application


def main() -> None:
    address, port, certificate, key, file = sys.argv[1:]
    made = server("bare_page", address, int(port), certificate, key)
    made.serve(target_loader=partial(page, Path(file).read_bytes()), wrap_loader=False)


if __name__ == "__main__":
    main()
