"""What the collectors answer is checked before it is believed, and forgotten when it is old."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.collectors import CollectorsSilent, Heard, believable, fetch, samples
from monitor.observations import Sample

LINE = {
    "device": "ap-1",
    "site": "site",
    "kind": "access_point",
    "up": True,
    "reason": None,
    "last_success": 1_000_000.0,
    "age_seconds": 12.5,
    "profile": "ubiquiti",
    "clients": 7,
}


@contextmanager
def collectors(status: int, body: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"


def test_a_device_becomes_a_sample_dated_by_its_age() -> None:
    with collectors(200, json.dumps([LINE]).encode()) as url:
        found = samples(fetch(url, 2), at=1_000_012.5)

    assert found == (Sample("ap-1", up=True, reason="", succeeded_at=1_000_000.0, clients=7),)


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", "body"),
        (b"{}", "body"),
        (b"[{}]", "0.device"),
        (json.dumps([{**LINE, "clients": -1}]).encode(), "0.clients"),
        (json.dumps([{**LINE, "age_seconds": "soon"}]).encode(), "0.age_seconds"),
        (json.dumps([{**LINE, "up": "perhaps"}]).encode(), "0.up"),
    ],
)
def test_anything_else_is_silence_and_says_where(body: bytes, where: str) -> None:
    with pytest.raises(CollectorsSilent, match=f"devices.json: {where}"):
        samples(body, at=0.0)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    found: object = None
    with suppress(CollectorsSilent):
        found = samples(body, at=0.0)

    assert found is None or json.loads(body) == []


def test_an_error_page_is_silence() -> None:
    with collectors(500, b"[]") as url, pytest.raises(CollectorsSilent, match="answered 500"):
        fetch(url, 2)


def test_nobody_there_is_silence() -> None:
    with pytest.raises(CollectorsSilent, match="refused"):
        fetch("http://127.0.0.1:9", 2)


def test_old_successes_and_old_failures_are_not_believed() -> None:
    fresh = Sample("fresh", up=True, succeeded_at=900.0)
    old = Sample("old", up=True, succeeded_at=700.0)
    never = Sample("never", up=True)
    failed = Sample("failed", up=False)
    everything = (fresh, old, never, failed)

    assert believable(Heard(990.0, everything), now=1000.0, max_age=180) == [fresh, failed]
    assert believable(Heard(990.0, everything, wrong="refused"), now=1000.0, max_age=180) == [fresh]
    assert believable(Heard(800.0, everything), now=1000.0, max_age=180) == [fresh]
