"""Two open-data portals, small and strict: what they were not promised they refuse; they remember what they took."""

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

KEY = "push-key-5d41402a"
API_KEY = "api-key-7d793037"
DATASET = "5e1f20058b4c414d3f94460d"


@dataclass
class Portals:
    """Opendatasoft's push API and data.gouv.fr's upload API on one port. *faults*: answers to give first."""

    faults: list[int] = field(default_factory=list)
    records: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    """data.gouv.fr's resources by identifier."""
    requests: int = 0
    refusals: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        portals = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                portals.answer(self, b"")

            def do_POST(self) -> None:
                portals.answer(self, self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()

    def answer(self, asked: BaseHTTPRequestHandler, body: bytes) -> None:
        self.requests += 1
        code, said = self._judged(asked, body)
        data = json.dumps(said).encode()
        asked.send_response(code)
        asked.send_header("Content-Type", "application/json")
        asked.send_header("Content-Length", str(len(data)))
        asked.end_headers()
        asked.wfile.write(data)

    def _judged(self, asked: BaseHTTPRequestHandler, body: bytes) -> tuple[int, Any]:
        if self.faults:
            return self.faults.pop(0), {"status": "error"}
        parts = urlsplit(asked.path)
        if parts.path.startswith("/api/push/1.0/"):
            return self._push(asked, parts.path, parse_qs(parts.query), body)
        if parts.path.startswith(f"/api/1/datasets/{DATASET}/"):
            return self._data_gouv(asked, parts.path.removeprefix(f"/api/1/datasets/{DATASET}/"), body)
        return self._no(404, parts.path)

    def _no(self, code: int, why: str) -> tuple[int, Any]:
        self.refusals.append(why)
        return code, {"message": why}

    def _push(
        self, asked: BaseHTTPRequestHandler, path: str, query: dict[str, list[str]], body: bytes
    ) -> tuple[int, Any]:
        found = re.fullmatch(r"/api/push/1\.0/([a-z0-9_@-]+/[a-z0-9_-]+)/push/", path)
        if asked.command != "POST" or found is None:
            return self._no(404, path)
        if query != {"pushkey": [KEY]}:
            return self._no(401, "the push key is wrong")
        rows = json.loads(body)
        if not isinstance(rows, list) or len(rows) > 500 or not all(isinstance(row, dict) for row in rows):
            return self._no(400, "no list of records")
        self.records.setdefault(found[1], []).extend(rows)
        return 200, {"status": "ok"}

    def _data_gouv(self, asked: BaseHTTPRequestHandler, rest: str, body: bytes) -> tuple[int, Any]:
        if asked.command == "GET" and not rest:
            return 200, {"id": DATASET, "resources": list(self.files.values())}
        if asked.headers.get("X-API-KEY") != API_KEY:
            return self._no(401, "the API key is wrong")
        found = re.fullmatch(r"(?:resources/([0-9a-f-]+)/)?upload/", rest)
        sent = re.search(rb'name="file"; filename="([^"]+)"\r\n(?:[^\r]+\r\n)*\r\n(.*)\r\n--', body, re.DOTALL)
        if asked.command != "POST" or found is None or sent is None or (found[1] and found[1] not in self.files):
            return self._no(404, rest)
        number = found[1] or str(uuid4())
        digest = hashlib.sha1(sent[2]).hexdigest()
        self.files[number] = {"id": number, "title": sent[1].decode(), "checksum": {"type": "sha1", "value": digest}}
        return 201, {"success": True, **self.files[number]}
