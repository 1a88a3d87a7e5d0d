"""An installation for the tests to follow: the twin, two real machines in it, the packages, and Ansible's playbooks."""

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from machines import INSTALLER, OFFERED, Machine, image, playbook, run, until

from actors import Resident
from lab.building import Options
from lab.town import Lab
from parvis.instruments import VERSION
from parvis.inventory import load
from upkeep.delivered import INFLUX_TOKEN, SHARED_DATABASE, everything

ROOT = Path(__file__).parents[2]
RELEASE = os.environ.get("PARVIS_INSTALL", "")
DEBIAN = {"bookworm": "12", "trixie": "13"}
SITE, GATEWAY, PREFIX = "maison-services-publics", "gw-msp", "pi-"
VISITOR = f"{GATEWAY}-visitor"
OLDER = "0.1.9"
WITHOUT = frozenset(
    {"portal", "gatewayd", "kea", "collectors", "monitor", "console", "prometheus", "alertmanager", "visitor"}
)
SERIES = "http://127.0.0.1:8428"
"""Where what stands for the town's InfluxDB answers in the centre: Debian's VictoriaMetrics, which takes its lines."""
OPENED = {
    "database_shared": True,
    "proxy_wall": True,
    "influx_url": SERIES,
    "influx_org": "Ville de Cachan",
    "influx_bucket": "wifi",
}
"""What a town may leave out, on."""
KEPT = os.environ.get("PARVIS_INSTALL_KEEP", "")
"""A folder that keeps image and libraries for the next time."""
FOLLOWING = [
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(RELEASE not in DEBIAN, reason="boots real machines for half an hour: script/test-install"),
]
"""The marks of the tests that follow one another, each from where the one before it has left the machines."""


@dataclass
class Installation:
    """The twin, two machines in it, and the packages to install. *chosen*: what the plays are told from now on.

    *series*: what stands for the town's InfluxDB. *colleagues*: administrators beside the one who runs the plays.
    """

    lab: Lab
    folder: Path
    gateway: Machine
    centre: Machine
    packages: dict[str, Path]
    series: subprocess.Popen[bytes]
    colleagues: list[str] = field(default_factory=list)
    chosen: dict[str, object] = field(default_factory=lambda: dict(OPENED))

    @property
    def identity(self) -> Path:
        """The private half of the key for which backups are encrypted; on none of the machines."""
        return self.folder / "identity.txt"

    def play(self, book: str, version: str, *words: str, **more: object) -> subprocess.CompletedProcess[str]:
        return playbook(
            f"{PREFIX}centre", ROOT, book, self.variables(version, **more), self.gateway.key, *words,
            town=self.lab.folder / "town", seconds=2400,
        )  # fmt: skip

    def play_until(
        self, task: str, strike: Callable[[], object], version: str, *words: str
    ) -> subprocess.CompletedProcess[str]:
        """Play site.yml, and *strike* as soon as *task* of it has begun."""
        log = self.gateway.key.parent / "ansible.log"
        log.touch()
        known, done = log.stat().st_size, []
        playing = threading.Thread(target=lambda: done.append(self.play("site.yml", version, *words)))
        playing.start()

        def begun() -> bool:
            return not playing.is_alive() or f"TASK [{task}]" in log.read_bytes()[known:].decode(errors="replace")

        try:
            until(begun, f"no task {task}", 1800)
            strike()
        finally:
            playing.join()
        return done[0]

    def variables(self, version: str, **more: object) -> Path:
        told = {file.name: file.read_text() for file in (self.lab.folder / "secrets").rglob("*") if file.is_file()}
        wanted = [*everything(load(self.lab.folder / "town")), SHARED_DATABASE, INFLUX_TOKEN]
        key = self.gateway.key.with_suffix(".pub").read_text().strip()
        tls = self.lab.folder / "tls"
        held = {
            "parvis_secrets": {name: f"essai-{name}-" * 3 for name in wanted} | told,
            "base_admins": [{"name": name, "key": key} for name in (INSTALLER, *self.colleagues)],
            "certificates_portal_chain": (tls / f"{GATEWAY}.crt").read_text(),
            "certificates_portal_key": (tls / f"{GATEWAY}.key").read_text(),
            "program_package": str(self.packages[version]),
            **self.chosen,
            **more,
        }
        file = self.folder / "variables.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(held))
        return file

    def phone(self) -> Resident:
        """A phone with a lease."""
        resolver = Path(f"/etc/netns/{PREFIX}{VISITOR}/resolv.conf")
        words = (f"PARVIS_LEASE={self.folder / 'lease'}", f"PARVIS_RESOLVER={resolver}")
        script = self.lab.folder / "lease.sh"
        script.write_text((ROOT / "lab" / "lease.sh").read_text())
        script.chmod(0o755)
        asking = ("udhcpc", "-f", "-q", "-n", "-i", "wlan0", "-s", str(script), "-O", "114", "-t", "20", "-T", "1")
        assert self.lab.exec(VISITOR, ["env", *words, *asking], timeout_seconds=60).returncode == 0
        return Resident(self.lab, VISITOR)

    def open_from(self, where: str, address: str, ports: Iterable[int]) -> set[int]:
        """The TCP ports of *address* that take a connection from the namespace of *where*."""
        one = f'timeout 3 bash -c "exec 3<>/dev/tcp/{address}/$p" 2>/dev/null && echo $p'
        script = f"for p in {' '.join(map(str, ports))}; do ({one}) & done; wait"
        return set(map(int, self.lab.exec(where, ["bash", "-c", script]).stdout.split()))

    def centre_says(self, url: str, *words: str) -> str:
        return self.lab.exec("centre", ["curl", "-sS", "--max-time", "5", *words, url]).stdout


def built(folder: Path) -> Installation:
    """Build packages, an image and the twin; two machines boot on the image."""
    kept = Path(KEPT) if KEPT else folder
    kept.mkdir(parents=True, exist_ok=True)
    key, complete = kept / "key", kept / f"{RELEASE}.complete"
    if not key.exists():
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
    packages = {version: package(folder, version, kept) for version in (OLDER, VERSION)}
    if not (complete.exists() and complete.read_text() == OFFERED):
        shutil.rmtree(kept / RELEASE, ignore_errors=True)
        image(RELEASE, kept, key.with_suffix(".pub").read_text())
        complete.write_text(OFFERED)
    return booted(folder, kept / RELEASE, packages, key)


def booted(folder: Path, debian: Path, packages: dict[str, Path], key: Path) -> Installation:
    """The twin without what the machines will run, and the machines, on the image *debian*."""
    lab = Lab(folder / "lab")
    lab.up(Options(sites=(SITE,), residents=0, prefix=PREFIX, windows=False, without=WITHOUT))
    lab.stop(f"{GATEWAY}.dnsmasq")
    addresses = {"centre": str(lab.town.centre.address), GATEWAY: str(lab.town.sites[0].gateway.address)}
    machines = {
        name: Machine(name, f"{PREFIX}{name}", address, debian, folder / name, key)
        for name, address in addresses.items()
    }
    made = Installation(lab, folder, machines[GATEWAY], machines["centre"], packages, series(folder))
    run("age-keygen", "-o", made.identity)
    made.chosen["backups_recipient"] = run("age-keygen", "-y", made.identity).stdout.strip()
    try:
        for machine in machines.values():
            machine.boot()
    except BaseException:
        ended(made)
        raise
    # In the twin the centre also is the operators' router.
    own = made.centre.root / "etc/parvis/nftables.d"
    own.mkdir(parents=True)
    (own / "lab.nft").write_text("add rule inet parvis_centre own_forward accept\n")
    return made


def series(folder: Path) -> subprocess.Popen[bytes]:
    """What takes the collectors' samples, in the centre."""
    data, address = folder / "series", SERIES.removeprefix("http://")
    inside = ("ip", "netns", "exec", f"{PREFIX}centre", "victoria-metrics")
    with (folder / "series.log").open("wb") as log:
        return subprocess.Popen(
            [*inside, f"-storageDataPath={data}", f"-httpListenAddr={address}", "-memory.allowedBytes=64MB"],
            stdout=log, stderr=log,
        )  # fmt: skip


def ended(town: Installation) -> None:
    """Remove machines and twin."""
    town.series.terminate()
    town.series.wait(30)
    for machine in (town.gateway, town.centre):
        machine.remove()
    town.lab.down()


def package(folder: Path, version: str, kept: Path) -> Path:
    """The Debian package of this checkout, called *version*; its libraries stay in *kept*, and so does itself.

    It is made anew when anything is not committed.
    """
    commit = run("git", "-C", ROOT, "rev-parse", "--short", "HEAD").stdout.strip()
    clean = not run("git", "-C", ROOT, "status", "--porcelain").stdout
    into = (kept if clean else folder) / f"dist-{RELEASE}-{version}-{commit}"
    if made := [file for file in into.glob("*.deb") if (into / "SHA256SUMS").exists()]:
        return made[0]
    words = ("--release", RELEASE, "--into", into, "--version", version, "--reuse", kept)
    run(ROOT / "script" / "package", *words, seconds=1800)
    return next(into.glob("*.deb"))


def recap(text: str) -> dict[str, dict[str, int]]:
    """What ansible-playbook counted, by machine."""
    found = re.findall(r"^(\S+)\s+: (ok=.*)$", text, re.MULTILINE)
    return {host: {key: int(n) for key, n in re.findall(r"(\w+)=(\d+)", counts)} for host, counts in found}


def tail(done: subprocess.CompletedProcess[str]) -> str:
    return f"{done.stdout[-6000:]}\n{done.stderr[-2000:]}"


def version(machine: Machine) -> str:
    """The version of Parvis that is installed there."""
    return machine.ssh("dpkg-query", "--show", "--showformat=${Version}", "parvis").stdout.partition("+")[0]


def sessions(machine: Machine) -> set[int]:
    """The numbers of those whom the kernel admits."""
    told = json.loads(machine.ssh("nft", "--json", "list", "map", "inet", "portal", "auth").stdout)["nftables"]
    listed = next(one["map"] for one in told if "map" in one)
    return {number for _, number in listed.get("elem", [])}


def well(machine: Machine) -> bool:
    """Wait until the doctor finds nothing wrong."""
    said: list[str] = []

    def is_so() -> bool:
        done = machine.ssh("parvis", "doctor", "--brief", check=False)
        said[:] = [done.stdout + done.stderr]
        return done.returncode == 0

    try:
        return until(is_so, f"{machine.name} is not well", 240)
    except AssertionError as error:
        raise AssertionError(f"{error}: {said}") from error
