"""A bundle for whoever helps from outside: built from a list of what may leave, so that nothing else can.

No address of a resident, no name, number or address of a person, no secret: of logs only named fields with harmless
values, of settings only known keys, of the town only shapes and numbers.
"""

import io
import json
import platform
import re
import tarfile
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from parvis.instruments import VERSION
from parvis.inventory import Town, examine
from parvis.settings import load
from upkeep import doctor, places
from upkeep.machine import ask

LOG_FIELDS = ("timestamp", "level", "process", "event")
"""What of a log line leaves: when, how serious, who, and the sentence, which is a constant of the code."""
SETTINGS = frozenset(
    {"site", "port", "https_port", "http_port", "management_port", "poll_interval", "log_level", "trap_port"}
)
LINES = 2000
ANSWER_SECONDS = 5.0
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)")
_HELD = re.compile(r"(\bmap|\belements =) \{[^{}]*\}")
_SENTENCE = re.compile(r"[A-Za-z][A-Za-z0-9 ,.;:'()%-]{0,200}")


def bundle() -> bytes:
    """The bundle, a gzipped tar; every file of it is one function below."""
    town = examine(places.TOWN)[0] if places.TOWN.is_dir() else None
    files = {
        "machine.json": machine(),
        "town.json": shape(town),
        "doctor.jsonl": "".join(f"{json.dumps(asdict(one), ensure_ascii=False)}\n" for one in doctor.diagnoses()),
        "rules.txt": rules(ask("nft", "--stateless", "--terse", "list", "ruleset").text),
        "units.txt": ask(
            "systemctl", "list-units", "--all", "--no-pager", "parvis-*", "kea-*", "nftables.service"
        ).text,
    }
    for process in doctor.installed():
        files[f"{process.name}/log.jsonl"] = log(journal(places.unit(process.name)))
        files[f"{process.name}/settings.json"] = settings(places.settings(process.name).read_text())
        files[f"{process.name}/metrics.txt"] = metrics(process.name, process.port)
    return packed(files)


def packed(files: Mapping[str, str]) -> bytes:
    """A gzipped tar of *files*."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as made:
        for name, text in files.items():
            about, content = tarfile.TarInfo(f"parvis-support/{name}"), text.encode()
            about.size = len(content)
            made.addfile(about, io.BytesIO(content))
    return buffer.getvalue()


def machine() -> str:
    """What runs, on what."""
    system = Path("/etc/os-release").read_text().splitlines()
    about = {
        "parvis": VERSION,
        "python": platform.python_version(),
        "kernel": platform.release(),
        "debian": next((line for line in system if line.startswith("PRETTY_NAME")), ""),
        "processors": int(ask("nproc", "--all").text or 0),
    }
    return json.dumps(about, indent=1) + "\n"


def shape(town: Town | None) -> str:
    """How many of what the town has: no name, no address."""
    if town is None:
        return "{}\n"
    sites = [
        {
            "kind": site.kind,
            "ipv6": site.guest.ipv6 is not None,
            "guests": site.guest.ipv4.prefixlen,
            "vendors": sorted(str(getattr(device, "vendor", "ups")) for device in site.polled()),
        }
        for site in town.sites
    ]
    return json.dumps({"sites": sites, "people": len(town.people), "channels": len(town.channels)}, indent=1) + "\n"


def rules(text: str) -> str:
    """The ruleset without what its sets and maps hold; nft's own --terse leaves the maps within rules.

    >>> rules("snat ip to ip saddr map { 10.11.0.5 : 198.51.100.2 . 1024-1081 } comment")
    'snat ip to ip saddr map { (left out) } comment'
    """
    return _HELD.sub(r"\1 { (left out) }", text)


def journal(unit: str) -> Iterable[str]:
    """The last lines of *unit*'s log."""
    return ask("journalctl", "--unit", unit, "--output", "cat", "--no-pager", "--lines", str(LINES)).text.splitlines()


def log(lines: Iterable[str]) -> str:
    r"""Of our own structured lines the named fields; a line that is not ours does not leave.

    >>> log(['{"event": "started", "level": "info", "mac": "02:00:00:00:00:01"}', "a traceback with anything in it"])
    '{"level": "info", "event": "started"}\n'
    """
    made = []
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            kept = {name: _harmless(entry[name]) for name in LOG_FIELDS if name in entry}
            made.append(f"{json.dumps(kept)}\n")
    return "".join(made)


def _harmless(value: Any) -> Any:
    """A number, or a sentence without anything that could be an address."""
    if isinstance(value, int | float):
        return value
    text = str(value)
    harmless = _MOMENT.fullmatch(text) or (_SENTENCE.fullmatch(text) and not looks_personal(text))
    return text if harmless else "(left out)"


def looks_personal(text: str) -> bool:
    """Whether *text* holds something like a hardware, IP or e-mail address, or a telephone number.

    >>> [looks_personal(each) for each in ("02:00:5e:00:53:01", "2001:db8::1", "10.11.0.7", "a@b.example", "started")]
    [True, True, True, True, False]
    """
    return bool(
        re.search(
            r"[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}|\b\d+\.\d+\.\d+\.\d+\b|[0-9a-f]*:[0-9a-f]*:|@|\+?\d{9,}",
            text,
            re.IGNORECASE,
        )
    )


def settings(text: str) -> str:
    """Of a settings file the keys that say how a process runs, not where or with which secret."""
    read = tomllib.loads(text)
    return json.dumps({key: value for key, value in read.items() if key in SETTINGS}, indent=1) + "\n"


def metrics(name: str, port: int) -> str:
    """What the process shows Prometheus: no series is about a person, but labels with an address are left out."""
    known = load(doctor.ProcessSettingsOnly, places.settings(name))
    try:
        with urlopen(f"http://{known.listen}:{known.port or port}/metrics", timeout=ANSWER_SECONDS) as answer:
            text: str = answer.read().decode()
    except OSError:
        return ""
    return "".join(line for line in text.splitlines(keepends=True) if line.startswith("#") or not looks_personal(line))
