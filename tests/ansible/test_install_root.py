"""From an empty Debian to a running town, twice the same, and back: real machines and playbooks in the twin.

Takes a quarter of an hour, so it has a command of its own: ``script/test-install``. The tests follow one another: each
begins where the one before it has left the machines.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from machines import INSTALLER, Machine, image, playbook, run, until

from actors import Resident
from lab.building import Options
from lab.town import Lab
from parvis.instruments import VERSION
from parvis.processes import ALERTMANAGER_PORT, COLLECTORS, EVIDENCE_TOKEN, MONITOR
from upkeep.delivered import INSTALLED

ROOT = Path(__file__).parents[2]
RELEASE = os.environ.get("PARVIS_INSTALL", "")
DEBIAN = {"bookworm": "12", "trixie": "13"}
SITE, GATEWAY, PREFIX = "maison-services-publics", "gw-msp", "pi-"
VISITOR = f"{GATEWAY}-visitor"
OLDER = "0.1.9"
WITHOUT = frozenset(
    {"portal", "gatewayd", "kea", "collectors", "monitor", "console", "prometheus", "alertmanager", "visitor"}
)
WORST_SCORE = 3.0
pytestmark = [
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(
        RELEASE not in DEBIAN, reason="boots real machines for a quarter of an hour: script/test-install"
    ),
]


@dataclass
class Installation:
    """The twin, two machines in it, and the packages to install."""

    lab: Lab
    folder: Path
    gateway: Machine
    centre: Machine
    packages: dict[str, Path]

    def play(self, book: str, version: str, *words: str, **more: object) -> subprocess.CompletedProcess[str]:
        return playbook(
            f"{PREFIX}centre", ROOT, book, self.variables(version, **more), self.gateway.key, *words,
            town=self.lab.folder / "town", seconds=2400,
        )  # fmt: skip

    def variables(self, version: str, **more: object) -> Path:
        secrets = {file.name: file.read_text() for file in (self.lab.folder / "secrets").rglob("*") if file.is_file()}
        secrets.setdefault(EVIDENCE_TOKEN, "essai-" * 8)
        tls = self.lab.folder / "tls"
        held = {
            "parvis_secrets": secrets,
            "base_admins": [{"name": INSTALLER, "key": self.gateway.key.with_suffix(".pub").read_text().strip()}],
            "certificates_portal_chain": (tls / f"{GATEWAY}.crt").read_text(),
            "certificates_portal_key": (tls / f"{GATEWAY}.key").read_text(),
            "program_package": str(self.packages[version]),
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

    def centre_says(self, url: str, *words: str) -> str:
        return self.lab.exec("centre", ["curl", "-sS", "--max-time", "5", *words, url]).stdout


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("install")
    key = folder / "key"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
    packages = {version: _package(folder, version) for version in (OLDER, VERSION)}
    debian = image(RELEASE, folder, key.with_suffix(".pub").read_text())
    lab = Lab(folder / "lab")
    lab.up(Options(sites=(SITE,), residents=0, prefix=PREFIX, windows=False, without=WITHOUT))
    lab.stop(f"{GATEWAY}.dnsmasq")
    addresses = {"centre": str(lab.town.centre.address), GATEWAY: str(lab.town.sites[0].gateway.address)}
    machines = {
        name: Machine(name, f"{PREFIX}{name}", address, debian, folder / name, key)
        for name, address in addresses.items()
    }
    try:
        for machine in machines.values():
            machine.boot()
        # In the twin the centre also is the operators' router.
        own = machines["centre"].root / "etc/parvis/nftables.d"
        own.mkdir(parents=True)
        (own / "lab.nft").write_text("add rule inet parvis_centre own_forward accept\n")
        yield Installation(lab, folder, machines[GATEWAY], machines["centre"], packages)
    finally:
        for machine in machines.values():
            machine.remove()
        lab.down()


def _package(folder: Path, version: str) -> Path:
    into = folder / f"dist-{version}"
    run(
        ROOT / "script" / "package",
        "--release",
        RELEASE,
        "--into",
        into,
        "--version",
        version,
        "--reuse",
        folder,
        seconds=900,
    )
    return next(into.glob("*.deb"))


def recap(text: str) -> dict[str, dict[str, int]]:
    """What ansible-playbook counted, by machine."""
    found = re.findall(r"^(\S+)\s+: (ok=.*)$", text, re.MULTILINE)
    return {host: {key: int(n) for key, n in re.findall(r"(\w+)=(\d+)", counts)} for host, counts in found}


def tail(done: subprocess.CompletedProcess[str]) -> str:
    return f"{done.stdout[-6000:]}\n{done.stderr[-2000:]}"


def sessions(machine: Machine) -> set[str]:
    """The numbers of those whom the kernel admits."""
    listed = machine.ssh("nft", "--json", "list", "map", "inet", "portal", "auth").stdout
    return set(re.findall(r"\], (\d+)\]", listed))


def test_sec07_an_empty_debian_becomes_a_running_town(town: Installation) -> None:
    done = town.play("site.yml", OLDER)

    assert done.returncode == 0, tail(done)
    for machine in (town.centre, town.gateway):
        assert machine.ssh("systemctl", "is-system-running", check=False).stdout.strip() in {"running", "degraded"}
        assert machine.ssh("systemctl", "--failed", "--plain", "--no-legend").stdout == ""
        restarts = machine.ssh("systemctl", "show", "--property=NRestarts", "parvis-*.service").stdout.split()
        assert set(restarts) <= {"NRestarts=0"}, "a watchdog that is not fed ends a process each minute"


def test_the_second_run_changes_nothing(town: Installation) -> None:
    done = town.play("site.yml", OLDER)

    assert done.returncode == 0, tail(done)
    assert {host: counts["changed"] for host, counts in recap(done.stdout).items()} == {"centre": 0, GATEWAY: 0}, tail(
        done
    )


def test_sec10_every_unit_is_sandboxed_and_only_gatewayd_may_touch_the_network(town: Installation) -> None:
    scores = {}
    for process in INSTALLED:
        machine = town.gateway if process.place == "gateway" else town.centre
        said = machine.ssh("systemd-analyze", "security", f"parvis-{process.name}.service").stdout
        scores[process.name] = float(re.search(r"exposure level for \S+: ([0-9.]+)", said)[1])  # type: ignore[index]
    print(scores)

    assert {name: score for name, score in scores.items() if score > WORST_SCORE} == {}


def test_sec02_what_listens_listens_where_it_must(town: Installation) -> None:
    for machine in (town.gateway, town.centre):
        report = machine.ssh("parvis", "audit", check=False).stdout
        wrong = [line for line in report.splitlines() if line.startswith(("| ✗ | SEC-02", "| ✗ | SEC-04"))]
        assert wrong == [], report


def test_sec04_root_and_passwords_are_refused_and_port_22_is_closed_to_guests(town: Installation) -> None:
    guest = town.lab.exec(
        VISITOR, ["curl", "-sS", "--max-time", "3", f"telnet://{town.lab.town.sites[0].guest.gateway_ipv4}:22"]
    )
    said = town.gateway.ssh("sshd", "-T").stdout

    assert guest.returncode != 0
    assert {"permitrootlogin no", "passwordauthentication no"} <= set(said.splitlines())


def test_a_resident_goes_online_through_the_installed_gateway(town: Installation) -> None:
    phone = town.phone()
    until(phone.is_captive, "plain HTTP is not led to the portal", 60)
    phone.accepts()

    assert phone.is_online()
    phone.leaves()
    assert not phone.is_online()


def test_every_device_is_polled_and_an_alert_is_delivered(town: Installation) -> None:
    devices = sum(1 for site in town.lab.town.sites for _ in site.polled())

    def polled() -> bool:
        page = town.centre_says(f"http://127.0.0.1:{COLLECTORS.port}/metrics")
        return len(re.findall(r"^device_uptime_seconds\{", page, re.MULTILINE)) == devices

    until(polled, "devices are not polled", 180)
    alert = [{"labels": {"alertname": "Essai", "severity": "page", "layer": "site", "town": "cachan", "site": SITE},
              "annotations": {"summary": "essai", "impact": "aucun"}}]  # fmt: skip
    posted = ("-X", "POST", "-H", "Content-Type: application/json", "-d", json.dumps(alert))
    town.centre_says(f"http://127.0.0.1:{ALERTMANAGER_PORT}/api/v2/alerts", *posted)

    until(
        lambda: "Essai" in town.centre_says(f"http://127.0.0.1:{MONITOR.port}/oncall"),
        "the alert is not an incident",
        120,
    )
    pages = "/var/lib/parvis/monitor/pages.jsonl"
    until(lambda: town.centre.ssh("cat", pages, check=False).stdout, "nobody was called", 120)
    assert "site" in town.centre.ssh("cat", pages).stdout.lower()


def test_an_upgrade_keeps_everybody_online(town: Installation) -> None:
    phone = town.phone()
    phone.accepts()
    before = sessions(town.gateway)
    done = town.play("site.yml", VERSION)

    assert done.returncode == 0, tail(done)
    assert VERSION in town.gateway.ssh("parvis", "--version").stdout
    assert sessions(town.gateway) == before
    assert before
    assert phone.is_online()


def test_what_does_not_pass_its_verification_is_put_back(town: Installation) -> None:
    phone = Resident(town.lab, VISITOR)
    before = sessions(town.gateway)
    broken = {"portal": {"https_port": 443}}  # the portal may not bind it
    done = town.play("site.yml", VERSION, "--limit", GATEWAY, "-e", "settle_patience=20", program_settings=broken)

    assert done.returncode != 0
    assert "was put back as it was before this run" in done.stdout, tail(done)
    assert sessions(town.gateway) == before
    assert phone.is_online()


def test_after_a_power_cut_everybody_is_admitted_again(town: Installation) -> None:
    phone = Resident(town.lab, VISITOR)
    town.gateway.cut_power()
    town.lab.exec(GATEWAY, ["nft", "flush", "ruleset"])
    town.gateway.boot()

    until(lambda: town.gateway.ssh("parvis", "doctor", "--brief", check=False).returncode == 0, "not well", 180)
    until(phone.is_online, "who was online is not", 60)
    assert sessions(town.gateway)


def test_removal_leaves_nothing_but_the_sealed_log(town: Installation) -> None:
    sealed = "/var/lib/parvis/evidence/2026-11-30.sealed"
    town.gateway.ssh("install", "-D", "/etc/hostname", sealed)
    refused = town.play("remove.yml", VERSION, "--limit", GATEWAY, "-e", "removal_sure=gw-other")
    done = town.play("remove.yml", VERSION, "--limit", GATEWAY, "-e", f"removal_sure={GATEWAY}")

    assert refused.returncode != 0
    assert done.returncode == 0, tail(done)
    where = ("/etc", "/opt", "/var/lib", "/var/cache", "/usr/bin", "/run")
    left = town.gateway.ssh("find", *where, "-xdev", "-name", "*parvis*", "-not", "-path", "/var/lib/parvis/*").stdout
    ground = (
        "/etc/sysctl.d/60-parvis-hardening.conf",
        "60-parvis",
        "10-parvis",
        "52parvis",
        "parvis.conf",
        "/var/lib/parvis\n",
    )
    assert [line for line in left.splitlines() if not any(word in f"{line}\n" for word in ground)] == []
    assert town.gateway.ssh("find", "/var/lib/parvis", "-type", "f").stdout.strip() == sealed
    assert town.gateway.ssh("nft", "list", "tables").stdout == ""
    assert "parvis-portal" not in town.gateway.ssh("cat", "/etc/passwd").stdout


def test_the_tools_that_build_machines_are_there() -> None:
    assert [name for name in ("mmdebstrap", "systemd-nspawn", "ssh") if shutil.which(name) is None] == []
