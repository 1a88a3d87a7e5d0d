"""What roles/certificates has lego do, on a real ACME authority (Caddy's) and a real name server (Knot, RFC 2136)."""

import base64
import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from jinja2 import Environment, StrictUndefined

TEMPLATES = Path(__file__).parents[2] / "ansible" / "roles" / "certificates" / "templates"
PROGRAMS = ("lego", "caddy", "knotd", "openssl")
SPACE, PORT, HOST = "pacme", 14000, "wifi.cachan.example"
SEARCHED = f"{os.environ['PATH']}:/usr/sbin"
lacking = [name for name in PROGRAMS if shutil.which(name, path=SEARCHED) is None]
pytestmark = [
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.skipif(bool(lacking), reason=f"not installed: {', '.join(lacking)}"),
]

CADDYFILE = f"""
{{
    admin off
    skip_install_trust
    auto_https disable_redirects
    storage file_system FOLDER/caddy
}}
https://127.0.0.1:{PORT} {{
    tls internal
    acme_server
}}
"""
KNOT = """
server:
    rundir: FOLDER/knot
    listen: 127.0.0.1@53
database:
    storage: FOLDER/knot
key:
  - id: lego
    algorithm: hmac-sha256
    secret: SECRET
acl:
  - id: updates
    key: lego
    action: update
zone:
  - domain: cachan.example
    storage: FOLDER
    file: zone
    acl: updates
"""
ZONE = """
cachan.example. 60 SOA ns.cachan.example. hostmaster.cachan.example. 1 60 60 3600 60
cachan.example. 60 NS ns.cachan.example.
ns.cachan.example. 60 A 127.0.0.1
wifi.cachan.example. 60 A 10.11.0.1
"""


@dataclass
class Gateway:
    """Where the unit's commands run: a network namespace with an authority and a name server, folders of its own."""

    folder: Path
    environment: dict[str, str]

    def fetches(self) -> subprocess.CompletedProcess[str]:
        """What systemd does when the timer has it start the unit."""
        text = rendered("parvis-certificates.service.j2").replace("\\\n", "")
        for place in ("/etc/parvis", "/var/lib/parvis-certificates"):
            assert place in text
            text = text.replace(place, f"{self.folder}{place}")
        commands = re.findall(r"^ExecStart=(.+)$", text, re.MULTILINE)
        assert len(commands) == 2
        for command in commands:
            done = self.run(*shlex.split(command))
            if done.returncode:
                break
        return done

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        inside = ("ip", "netns", "exec", SPACE, *words)
        return subprocess.run(
            inside, capture_output=True, text=True, timeout=110, check=False, env=os.environ | self.environment
        )

    def certificate(self, *asked: str) -> str:
        """What openssl says of the portal's certificate."""
        file = self.folder / "etc/parvis/tls/portal.crt"
        words = ["openssl", "x509", "-noout", *asked, "-in", str(file)]
        return subprocess.run(words, capture_output=True, text=True, check=True, timeout=30).stdout


def rendered(name: str) -> str:
    facts = {
        "parvis_portal_host": HOST,
        "certificates_acme_server": f"https://127.0.0.1:{PORT}/acme/local/directory",
        "certificates_acme_email": "wifi@cachan.example",
        "certificates_acme_dns": "rfc2136",
        "parvis_sandbox": "",
    }
    return (
        Environment(undefined=StrictUndefined, autoescape=False)
        .from_string((TEMPLATES / name).read_text())
        .render(facts)
    )


def answers(port: int) -> None:
    deadline = time.monotonic() + 60
    probe = ("ip", "netns", "exec", SPACE, "bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port}")
    while subprocess.run(probe, capture_output=True, check=False, timeout=30).returncode:
        assert time.monotonic() < deadline, f"nobody answers at port {port}"
        time.sleep(0.2)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    secret = base64.b64encode(os.urandom(32)).decode()
    for name in ("knot", "caddy", "etc/parvis/tls", "etc/parvis/secrets", "var/lib/parvis-certificates"):
        (tmp_path / name).mkdir(parents=True)
    for name, text in (("Caddyfile", CADDYFILE), ("knot.conf", KNOT), ("zone", ZONE)):
        (tmp_path / name).write_text(text.replace("FOLDER", str(tmp_path)).replace("SECRET", secret))
    resolver = Path("/etc/netns") / SPACE
    resolver.mkdir(parents=True)
    (resolver / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, resolver)
        subprocess.run(["ip", "netns", "add", SPACE], check=True, timeout=30)
        stack.callback(subprocess.run, ["ip", "netns", "delete", SPACE], check=True, timeout=30)
        subprocess.run(["ip", "-n", SPACE, "link", "set", "lo", "up"], check=True, timeout=30)
        for words in (["knotd", "-c", tmp_path / "knot.conf"], ["caddy", "run", "--config", tmp_path / "Caddyfile"]):
            log = stack.enter_context((tmp_path / f"{words[0]}.log").open("wb"))
            environment = os.environ | {"PATH": SEARCHED, "HOME": str(tmp_path)}
            argv = ["ip", "netns", "exec", SPACE, *words]
            process = subprocess.Popen(argv, stdout=log, stderr=log, env=environment)
            stack.callback(process.wait, 30)
            stack.callback(process.terminate)
        answers(53)
        answers(PORT)
        wanted = {
            "RFC2136_NAMESERVER": "127.0.0.1:53",
            "RFC2136_TSIG_ALGORITHM": "hmac-sha256.",
            "RFC2136_TSIG_KEY": "lego",
            "RFC2136_TSIG_SECRET": secret,
            "LEGO_CA_CERTIFICATES": str(tmp_path / "caddy/pki/authorities/local/root.crt"),
        }
        yield Gateway(tmp_path, wanted)


def test_sec05_a_certificate_is_fetched_by_dns_and_renewed_before_it_ends(gateway: Gateway) -> None:
    first = gateway.fetches()
    assert first.returncode == 0, first.stdout + first.stderr
    before = gateway.certificate("-serial")

    # This authority's certificates live half a day, so each visit of the timer finds one that ends within 30 days.
    again = gateway.fetches()

    assert again.returncode == 0, again.stdout + again.stderr
    assert gateway.certificate("-serial") != before
    assert f"DNS:{HOST}" in gateway.certificate("-ext", "subjectAltName")
    chain = (gateway.folder / "etc/parvis/tls/portal.crt").read_text()
    assert chain.count("BEGIN CERTIFICATE") >= 2, "a phone behind the gate cannot fetch what is missing"
    key = gateway.folder / "etc/parvis/secrets/portal.key"
    assert oct(key.stat().st_mode)[-4:] == "0400"
    public = subprocess.run(
        ["openssl", "pkey", "-pubout", "-in", key], capture_output=True, text=True, check=True
    ).stdout
    assert public == gateway.certificate("-pubkey")


def test_a_name_server_that_refuses_leaves_the_certificate_that_is_there(gateway: Gateway) -> None:
    (gateway.folder / "etc/parvis/tls/portal.crt").write_text("the one before")
    gateway.environment["RFC2136_TSIG_SECRET"] = base64.b64encode(b"another").decode()

    assert gateway.fetches().returncode != 0
    assert (gateway.folder / "etc/parvis/tls/portal.crt").read_text() == "the one before"
