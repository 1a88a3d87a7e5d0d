"""A gateway's sealed files and keys, for the archive: read, never changed. Plain WSGI behind TLS and a bearer token."""

import hmac
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from parvis.endpoint import WsgiApp

LARGEST_PART = 4 * 1024 * 1024
ENDINGS = (".sealed", ".key")
Answer = tuple[str, str, bytes]
"""Status, content type, body."""


class Counter:
    """A gateway's counter: what waits here for the archive."""

    def __init__(self, folders: Iterable[Path], token: str, note: Callable[[str], None]) -> None:
        self._folders, self._token, self._note = tuple(folders), token, note

    def app(self) -> WsgiApp:
        """The WSGI application."""

        def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            status, kind, body = self._answer(environ)
            self._note("done" if status.startswith("2") else "refused")
            start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
            return [body]

        return answer

    def _answer(self, environ: dict[str, Any]) -> Answer:
        shown = environ.get("HTTP_AUTHORIZATION", "").encode("utf-8", "replace")
        if not hmac.compare_digest(shown, f"Bearer {self._token}".encode()):
            return _words("401 Unauthorized", "the bearer token is not the one this gateway knows")
        if environ.get("REQUEST_METHOD") != "GET":
            return _words("405 Method Not Allowed", "here is only read")
        path = environ.get("PATH_INFO", "/")
        if path == "/":
            listed = {one.name: one.stat().st_size for one in self._files()}
            return "200 OK", "application/json", json.dumps(listed).encode()
        found = next((one for one in self._files() if one.name == path[1:]), None)
        if found is None:
            return _words("404 Not Found", "no such sealed file")
        after = parse_qs(environ.get("QUERY_STRING", "")).get("from", ["0"])[0]
        if not after.isascii() or not after.isdecimal() or len(after) > 12:  # noqa: PLR2004 no file is longer
            return _words("400 Bad Request", "from is a whole number")
        with found.open("rb") as file:
            file.seek(int(after))
            return "200 OK", "application/octet-stream", file.read(LARGEST_PART)

    def _files(self) -> list[Path]:
        return [one for folder in self._folders for one in sorted(folder.iterdir()) if one.suffix in ENDINGS]


def _words(status: str, words: str) -> Answer:
    return status, "text/plain; charset=utf-8", words.encode()
