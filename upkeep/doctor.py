"""What is wrong on this machine, in words, with the fix: looks at everything a machine of the town is made of."""

import json
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from pydantic_settings import SettingsConfigDict

from parvis.diagnosis import Diagnosis
from parvis.inventory import Town, examine
from parvis.processes import COLLECTORS, Process
from parvis.settings import ProcessSettings, SettingsError, load
from upkeep import places, samples, settle
from upkeep.delivered import INSTALLED
from upkeep.machine import ask
from upkeep.order import RULES_FILE, sign
from upkeep.units import NEEDS

FULL, NEARLY_FULL = 0.97, 0.90
MONTH_SECONDS, WEEKS_SECONDS = 30 * 86400, 14 * 86400
ANSWER_SECONDS = 5.0
SYSCTLS = Path("/etc/sysctl.d")
_TABLE = re.compile(r"^table (\w+ \w+)", re.MULTILINE)

Look = Callable[[], Iterator[Diagnosis]]


def diagnoses() -> Iterator[Diagnosis]:
    """Everything looked at, in the order in which to mend it."""
    town = _town()
    for look in (disks, clock, town_folder, secrets, certificates, rules, kernel, units, health, machine):
        yield from look()
    for entry in sorted(entry_points(group="parvis.doctors"), key=lambda entry: entry.name):
        yield from entry.load()(town)


def _town() -> Town | None:
    return examine(places.TOWN)[0] if places.TOWN.is_dir() else None


def installed() -> list[Process]:
    """The processes of ours that this machine runs."""
    return [process for process in INSTALLED if places.settings(process.name).is_file() and sign(process).is_file()]


def disks() -> Iterator[Diagnosis]:
    """Whether there is room: a full disk refuses acceptances."""
    seen = set()
    for folder in (Path("/"), places.STATE, Path("/var/log"), Path("/tmp")):  # noqa: S108 looked at, not used
        if not folder.exists() or (device := folder.stat().st_dev) in seen:
            continue
        seen.add(device)
        usage, inodes = shutil.disk_usage(folder), os.statvfs(folder)
        used = max(usage.used / usage.total, 1 - inodes.f_favail / inodes.f_files if inodes.f_files else 0.0)
        about = f"disk of {folder}"
        if used >= FULL:
            fix = "journalctl --vacuum-size=500M; apt-get clean; then look with du -xh / | sort -h | tail"
            yield Diagnosis("wrong", about, f"{used:.0%} full: acceptances are refused", fix)
        elif used >= NEARLY_FULL:
            yield Diagnosis("look", about, f"{used:.0%} full", "make room before it is: du -xh / | sort -h | tail")
        else:
            yield Diagnosis("ok", about, f"{used:.0%} used")


def clock() -> Iterator[Diagnosis]:
    """Whether the clock is set by time servers: logs and lawful requests live by it."""
    told = ask("timedatectl", "show", "--property=NTPSynchronized,CanNTP").text
    if "NTPSynchronized=yes" in told:
        yield Diagnosis("ok", "clock", "set by time servers")
    elif ask("systemd-detect-virt", "--container").code == 0:
        yield Diagnosis("ok", "clock", "the host's: this is a container")
    else:
        fix = "chronyc sources; are the servers of base_ntp_servers reachable?"
        yield Diagnosis("look", "clock", "not set by any time server", fix)


def town_folder() -> Iterator[Diagnosis]:
    """Whether the town's description has faults: nothing starts on a broken one."""
    if not places.TOWN.is_dir():
        yield Diagnosis("wrong", "town", f"{places.TOWN} is missing", "run the play again, or parvis restore")
        return
    _, faults = examine(places.TOWN)
    for fault in faults:
        yield Diagnosis("wrong", "town", str(fault), "correct it in the town's git, run the play again")
    if not faults:
        yield Diagnosis("ok", "town", f"{places.TOWN} has no fault")


def secrets() -> Iterator[Diagnosis]:
    """Whether each secret a unit is handed is there, not empty, and root's alone."""
    for process in installed():
        unit = places.UNITS / places.unit(process.name)
        named = [*unit.parent.glob(f"{unit.name}.d/*.conf"), unit]
        lines = "".join(file.read_text() for file in named if file.exists())
        for name, path in re.findall(r"^LoadCredential=([^:\n]+):(\S+)$", lines, re.MULTILINE):
            yield _secret(process.name, name, Path(path))


def _secret(process: str, name: str, path: Path) -> Diagnosis:
    about = f"secret {name}"
    if not path.is_file() or not path.stat().st_size:
        return Diagnosis(
            "wrong", about, f"missing or empty; {process} cannot start", f"deliver it: {path}, or run the play"
        )
    mode, owner = stat.S_IMODE(path.stat().st_mode), path.stat().st_uid
    if mode & 0o077 or owner:
        return Diagnosis("wrong", about, "others than root may read it", f"chown root: {path}; chmod 400 {path}")
    return Diagnosis("ok", about, "there, root's alone")


def certificates() -> Iterator[Diagnosis]:
    """Whether certificates are valid, and for how long."""
    for file in sorted([*places.CERTIFICATES.glob("*.crt"), *places.CERTIFICATES.glob("*.pem")]):
        about = f"certificate {file.name}"
        ends = ask("openssl", "x509", "-noout", "-enddate", "-in", str(file)).text.strip().removeprefix("notAfter=")
        if not ends:
            yield Diagnosis("wrong", about, f"{file} is no certificate", "deliver it again: the play, tag certificates")
        elif ask("openssl", "x509", "-noout", "-checkend", "0", "-in", str(file)).code:
            fix = "ansible-playbook site.yml --tags certificates; by ACME: journalctl -u parvis-certificates"
            yield Diagnosis("wrong", about, f"ended {ends}: phones say the page is not safe", fix)
        elif ask("openssl", "x509", "-noout", "-checkend", str(WEEKS_SECONDS), "-in", str(file)).code:
            yield Diagnosis("look", about, f"ends {ends}", "renew it: ansible-playbook site.yml --tags certificates")
        else:
            yield Diagnosis("ok", about, f"until {ends}")


def rules() -> Iterator[Diagnosis]:
    """Whether the kernel has the tables of the rules file: without them the gate is open or shut to everybody."""
    if not RULES_FILE.exists() or not places.CONFIGURATION.is_dir():
        return
    there = set(_TABLE.findall(ask("nft", "list", "tables").text))
    for table in dict.fromkeys(_TABLE.findall(RULES_FILE.read_text())):
        if table in there:
            yield Diagnosis("ok", f"nft table {table}", "loaded")
        else:
            yield Diagnosis(
                "wrong", f"nft table {table}", "not loaded", f"nft -f {RULES_FILE}; gatewayd fills it again"
            )


def kernel() -> Iterator[Diagnosis]:
    """Whether the kernel settings written by the play are in force."""
    away = []
    for file in sorted(SYSCTLS.glob("*-parvis-*.conf")):
        for line in file.read_text().splitlines():
            name, separator, value = line.lstrip("-").partition(" = ")
            path = Path("/proc/sys") / name
            if (
                separator
                and not line.startswith(("#", "-"))
                and path.exists()
                and path.read_text().split() != value.split()
            ):
                away.append(f"{name} is {path.read_text().strip()}, not {value}")
    for words in away:
        yield Diagnosis("wrong", "kernel settings", words, "systemctl restart systemd-sysctl")
    if not away and list(SYSCTLS.glob("*-parvis-*.conf")):
        yield Diagnosis("ok", "kernel settings", "in force")


def units() -> Iterator[Diagnosis]:
    """Whether each unit runs, on the files that are there, and will at the next start of the machine."""
    for seen in settle.look():
        name = seen.part.unit
        if not seen.wanted:
            yield Diagnosis("look", name, "was switched off and has not been stopped", "parvis settle")
        elif not seen.active:
            result = ask("systemctl", "show", "--property=Result,NRestarts", name).text.split()
            words = f"does not run ({', '.join(result)})"
            yield Diagnosis("wrong", name, words, f"journalctl -u {name} -n 50; then parvis settle")
        elif not seen.enabled:
            yield Diagnosis("look", name, "runs, but will not after a reboot", "parvis settle")
        elif seen.now != seen.then:
            yield Diagnosis("look", name, "runs on older files than those on disk", "parvis settle")
        else:
            yield Diagnosis("ok", name, "runs")


def health() -> Iterator[Diagnosis]:
    """What each process of ours says of itself."""
    for process in installed():
        try:
            settings = load(ProcessSettingsOnly, places.settings(process.name))
        except SettingsError as error:
            yield Diagnosis("wrong", process.name, str(error), "correct program_settings, run the play again")
            continue
        address = f"http://{settings.listen}:{settings.port or process.port}"
        yield _healthy(process, f"{address}/healthz")
        if process is COLLECTORS:
            yield from samples.diagnoses(address)


class ProcessSettingsOnly(ProcessSettings):
    """What every process knows; what its room adds is not ours to judge."""

    model_config = SettingsConfigDict(extra="ignore")


def _healthy(process: Process, url: str) -> Diagnosis:
    title = NEEDS[process.name].title if process.name in NEEDS else process.name
    try:
        with urlopen(url, timeout=ANSWER_SECONDS):  # noqa: S310 our own address
            return Diagnosis("ok", process.name, f"{title}: well")
    except HTTPError as error:
        wrong = json.loads(error.read() or b"{}").get("wrong", {})
        words = "; ".join(f"{part}: {said}" for part, said in wrong.items()) or f"answers {error.code}"
        return Diagnosis("wrong", process.name, words, f"journalctl -u {places.unit(process.name)} -n 50")
    except (URLError, OSError) as error:
        words = f"does not answer at {url}: {getattr(error, 'reason', error)}"
        return Diagnosis("wrong", process.name, words, f"systemctl status {places.unit(process.name)}")


def machine() -> Iterator[Diagnosis]:
    """What the machine itself says: failed units, a reboot that waits."""
    failed = [
        line.split()[0] for line in ask("systemctl", "--failed", "--plain", "--no-legend").text.splitlines() if line
    ]
    for name in failed:
        yield Diagnosis("look", name, "has failed", f"systemctl status {name}; systemctl reset-failed {name}")
    if Path("/run/reboot-required").exists():
        yield Diagnosis("look", "reboot", "an update wants the machine to start again", "reboot; sessions go on")
