"""A small strict server of InfluxDB's v2 write API: Debian has no InfluxDB 2, and VictoriaMetrics refuses nothing.

It answers what it is told to, checks every line, and keeps what it took.
"""

import gzip
import re
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Self

LINE = re.compile(r"^[a-z][a-z0-9_]*(,[^ =,]+=(\\.|[^ ,\\])+)* value=(-?[0-9.e+-]+|[0-9]+u) [0-9]+$")
Answer = tuple[int, dict[str, str]]


class InfluxServer:
    """``answer(lines)`` says status and headers; by default 400 when a line is none, else 204."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.posts: list[tuple[str, dict[str, str], int]] = []
        self.answer: Callable[[list[str]], Answer] = self.strict
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                text = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
                lines = text.decode().removesuffix("\n").split("\n")
                server.posts.append((self.path, dict(self.headers), len(lines)))
                status, headers = server.answer(lines)
                if status == 204:
                    server.taken += lines
                self.send_response(status)
                for name, value in {"Content-Length": "0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_words: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, daemon=True)

    @staticmethod
    def strict(lines: list[str]) -> Answer:
        return (204, {}) if all(LINE.match(line) for line in lines) else (400, {})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
