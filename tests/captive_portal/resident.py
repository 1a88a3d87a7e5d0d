"""A device of a resident in a network namespace: it joins, asks, accepts and leaves with the real programs."""

import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


def sh(*argv: str, check: bool = True, timeout: float = 30) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, check=False)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(argv)}: {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def wait_for(true: Callable[[], bool], what: str, seconds: float = 60) -> float:
    """Seconds until *true*; AssertionError when it takes too long."""
    started = time.monotonic()
    while not true():
        assert time.monotonic() - started < seconds, f"no {what} after {seconds} s"
        time.sleep(0.05)
    return time.monotonic() - started


@dataclass
class Resident:
    """A device of a resident, in its own namespace."""

    namespace: str
    mac: str
    folder: Path
    certificate: Path
    host: str
    ipv4: str = ""
    hostname: str = ""

    def run(self, *argv: str, check: bool = True, timeout: float = 30) -> str:
        return sh("ip", "netns", "exec", self.namespace, *argv, check=check, timeout=timeout)

    def joins(self, *, ipv6: bool = True) -> dict[str, str]:
        """Join the Wi-Fi: an IPv6 address by SLAAC, and udhcpc's environment after the lease, which it has applied."""
        self.run("ip", "link", "set", "eth0", "down")
        self.run("ip", "link", "set", "eth0", "up")
        lease = self._lease()
        if ipv6:
            wait_for(
                lambda: "2001:db8:11:" in self.run("ip", "-6", "addr", "show", "dev", "eth0", "-tentative"), "SLAAC"
            )
        return lease

    def _lease(self) -> dict[str, str]:
        found = self.folder / f"{self.namespace}.lease"
        script = self.folder / "udhcpc.sh"
        script.write_text(
            "#!/bin/sh\n"
            '[ "$1" = bound ] || exit 0\n'
            "ip addr flush dev eth0 scope global\n"
            'ip addr add "$ip/$mask" dev eth0\n'
            'ip route replace default via "$router"\n'
            f'env > "{found}.$interface.new" && mv "{found}.$interface.new" "{found}"\n'
        )
        script.chmod(0o755)
        called = ("-x", f"hostname:{self.hostname}") if self.hostname else ()
        self.run(
            "udhcpc", "-i", "eth0", "-n", "-q", "-f", "-t", "5", "-T", "1", "-O", "114", "-s", str(script), *called
        )
        lease = dict(line.split("=", 1) for line in found.read_text().splitlines() if "=" in line)
        self.ipv4 = lease["ip"]
        return lease

    def curl(self, *argv: str, check: bool = True) -> str:
        resolve = [word for port in (80, 443) for word in ("--resolve", f"{self.host}:{port}:10.11.0.1")]
        return self.run(
            "curl", "-sS", "--max-time", "5", *resolve, "--cacert", str(self.certificate), *argv, check=check
        )

    def code(self, *argv: str) -> str:
        return self.curl("-o", "/dev/null", "-w", "%{http_code} %{redirect_url}", *argv, check=False).strip()

    def api(self, *argv: str) -> dict[str, object]:
        said = self.curl("-H", "Accept: application/captive+json", *argv, f"https://{self.host}/api/captive")
        answer: dict[str, object] = json.loads(said)
        return answer

    def token(self, path: str = "/fr/", purpose: str = "accept", *argv: str) -> str:
        page = self.curl(*argv, f"https://{self.host}{path}")
        form = page.split(f"/{purpose}", 1)[1]
        return form.split('name="token" value="', 1)[1].split('"', 1)[0]

    def accepts(self, *argv: str) -> str:
        token = self.token("/fr/", "accept", *argv)
        return self.code(*argv, "-d", f"token={token}", f"https://{self.host}/fr/accept")

    def leaves(self) -> str:
        token = self.token("/fr/status", "leave")
        return self.code("-d", f"token={token}", f"https://{self.host}/fr/leave")

    def reaches(self, address: str) -> bool:
        """Whether a plain page of the internet itself comes back."""
        url = f"http://[{address}]/" if ":" in address else f"http://{address}/"
        return self.curl("--max-time", "2", url, check=False).strip() == "the internet"
