"""What roles/proxy has nginx show, and what it does not: the wall over TLS, never the doors for machines."""

import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.client import HTTPSConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import trustme
from jinja2 import Environment, StrictUndefined

TEMPLATE = Path(__file__).parents[2] / "ansible" / "roles" / "proxy" / "templates" / "nginx.conf.j2"
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="this machine has no nginx")


class Monitor(BaseHTTPRequestHandler):
    """Says what it was asked."""

    def do_GET(self) -> None:
        words = f"{self.command} {self.path} {self.headers['X-Forwarded-Proto']}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(words)))
        self.end_headers()
        self.wfile.write(words)

    do_POST = do_GET  # noqa: N815 http.server's name

    def log_message(self, *_: object) -> None:
        pass


def free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HTTPSConnection]:
    folder, authority, port = tmp_path_factory.mktemp("proxy"), trustme.CA(), free()
    made = authority.issue_cert("127.0.0.1")
    made.private_key_and_cert_chain_pem.write_to_path(str(folder / "both.pem"))
    monitor = HTTPServer(("127.0.0.1", 0), Monitor)
    threading.Thread(target=monitor.serve_forever, daemon=True).start()
    facts = {
        "parvis_address": "127.0.0.1",
        "parvis_ports": {"proxy": port},
        "parvis_monitor_port": monitor.server_port,
    }
    text = Environment(undefined=StrictUndefined, autoescape=False).from_string(TEMPLATE.read_text()).render(facts)
    for own in ("/etc/parvis/tls/console.crt", "/etc/parvis/secrets/console.key"):
        assert own in text
        text = text.replace(own, str(folder / "both.pem"))
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    text = text.replace("/run/nginx.pid", str(folder / "pid")).replace("http {\n", f"http {{\n{temporary}")
    (folder / "nginx.conf").write_text(text.replace("user www-data;\n", "user root;\n"))
    server = subprocess.Popen([str(NGINX), "-c", folder / "nginx.conf", "-e", "stderr", "-g", "daemon off;"])
    context = ssl.create_default_context()
    authority.configure_trust(context)
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and server.poll() is None:
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield HTTPSConnection("127.0.0.1", port, timeout=30, context=context)
    finally:
        server.terminate()
        server.wait(30)
        monitor.shutdown()


def ask(proxy: HTTPSConnection, path: str, method: str = "GET") -> tuple[int, str]:
    proxy.request(method, path)
    answer = proxy.getresponse()
    return answer.status, answer.read().decode()


def test_the_wall_and_what_staff_send_go_through(proxy: HTTPSConnection) -> None:
    assert ask(proxy, "/wall?lang=en") == (200, "GET /wall?lang=en https")
    assert ask(proxy, "/a/signed", "POST") == (200, "POST /a/signed https")


@pytest.mark.parametrize("path", ["/alertmanager", "//alertmanager", "/%61lertmanager?x=1", "/x/../visits"])
def test_what_machines_tell_the_monitor_does_not_come_in_from_outside(proxy: HTTPSConnection, path: str) -> None:
    assert ask(proxy, path, "POST")[0] == 404
