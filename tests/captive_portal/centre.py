"""The staff console at the town's centre, in its own process, and staff who use it with curl and a cookie jar."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pyotp
import trustme
from door_twin import PARVIS, PORTAL_UID, Twin
from resident import wait_for
from staffed_twin import TOKEN

from parvis.processes import CONSOLE, CONSOLE_HTTPS_PORT

CONSOLE_UID = 61023
PLACE = "10.90.0.1"
PASSWORD = "correct horse battery"


@dataclass
class Authority:
    """The town's own certificate authority, for staff: the sites' management addresses and the console."""

    folder: Path
    authority: trustme.CA = field(default_factory=trustme.CA)

    def issue(self, name: str, address: str, owner: int) -> tuple[Path, Path]:
        """Certificate chain and key of *address*; only *owner* may read the key."""
        made = self.authority.issue_cert(address)
        chain, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        chain.write_bytes(b"".join(part.bytes() for part in made.cert_chain_pems))
        made.private_key_pem.write_to_path(str(key))
        key.chmod(0o600)
        os.chown(key, owner, owner)
        return chain, key

    @property
    def file(self) -> Path:
        path = self.folder / "staff-ca.pem"
        self.authority.cert_pem.write_to_path(str(path))
        return path

    def for_portal(self, twin: Twin) -> dict[str, object]:
        """The portal's settings for its management API."""
        certificate, key = self.issue("management", str(twin.site.gateway.address), PORTAL_UID)
        return {"management_certificate": str(certificate), "management_key": str(key)}


@dataclass
class Centre:
    """The console's process in the internet's namespace, from where the sites' management networks are reached."""

    twin: Twin
    authority: Authority
    seen: list[str] = field(default_factory=list)
    """Every page that staff were shown."""

    @property
    def settings(self) -> Path:
        return self.twin.folder / "console.toml"

    def starts(self) -> None:
        state, secrets = self.twin.folder / "console", self.twin.folder / "console-secrets"
        for folder in (state, secrets):
            folder.mkdir()
            os.chown(folder, CONSOLE_UID, CONSOLE_UID)
        (secrets / "management-token").write_text(TOKEN)
        certificate, key = self.authority.issue("console", PLACE, CONSOLE_UID)
        told = {
            "town": self.twin.folder / "town",
            "state": state,
            "secrets": secrets,
            "certificate": certificate,
            "key": key,
            "authority": self.authority.file,
            "bind": PLACE,
            "listen": PLACE,
            "log_level": "debug",
        }
        self.settings.write_text("".join(f'{name} = "{value}"\n' for name, value in told.items()))
        sites, uplink = str(self.twin.site.management.ipv4), str(self.twin.site.uplink.address)
        self.twin.within("inet", "ip", "route", "change", sites, "via", uplink, "src", PLACE)
        self.twin.start("console", "inet", *self._command)
        wait_for(lambda: "Nom" in self._curl("/entrer", check=False), "console")

    @property
    def _command(self) -> tuple[str, ...]:
        user = ("setpriv", f"--reuid={CONSOLE_UID}", f"--regid={CONSOLE_UID}", "--clear-groups", "--bounding-set=-all")
        return (*user, sys.executable, PARVIS, "console", "--settings", str(self.settings))

    def account(self, role: str) -> "Agent":
        """Somebody with an account of *role*, signed in."""
        argv = (*self._command, "account", "add", role, "--role", role, "--password-stdin")
        done = subprocess.run(argv, input=PASSWORD, capture_output=True, text=True, check=True)
        agent = Agent(self, self.twin.folder / f"{role}.cookies")
        code = pyotp.TOTP(done.stdout.rpartition(": ")[2].strip()).now()
        agent.post("/entrer", "/entrer", name=role, password=PASSWORD, code=code)
        agent.post("/secret", "/secret")
        assert "Sessions" in agent.get("/")
        return agent

    def _curl(self, path: str, *argv: str, check: bool = True) -> str:
        shown = ("--cacert", str(self.authority.file), "--max-time", "8", "-sS")
        said = self.twin.within(
            "inet", "curl", *shown, *argv, f"https://{PLACE}:{CONSOLE_HTTPS_PORT}{path}", check=check
        )
        self.seen.append(said)
        return said

    def pages_for_machines(self) -> list[tuple[str, bytes]]:
        """Its metrics and its health."""
        url = f"http://{PLACE}:{CONSOLE.port}"
        found = {page: self.twin.within("inet", "curl", "-sS", f"{url}/{page}") for page in ("metrics", "healthz")}
        return [(f"console {page}", text.encode()) for page, text in found.items()]


@dataclass
class Agent:
    """One of the staff, with a browser that keeps cookies."""

    centre: Centre
    jar: Path

    def get(self, path: str) -> str:
        return self.centre._curl(path, "-b", str(self.jar), "-c", str(self.jar))

    def post(self, page: str, path: str, **data: str) -> str:
        """Send a form of *page* to *path*; the page to which that leads."""
        token = re.search(r'name="token" value="([^"]+)"', self.get(page))
        assert token, f"no form on {page}"
        words = [
            word
            for name, text in {**data, "token": token[1]}.items()
            for word in ("--data-urlencode", f"{name}={text}")
        ]
        return self.centre._curl(path, "-L", "-b", str(self.jar), "-c", str(self.jar), *words)
