"""Debian's prometheus-snmp-exporter beside us, told to poll the same agent with the module of the same name.

Debian ships it without its snmp.yml; what stands here for a module is made from ours, in the form the version wants
(0.23 moved the logins out of the modules). That the names are upstream's, the tests say by themselves.
"""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import yaml

from collectors.foreign import Group, Object, modules

TYPES = {"info": "EnumAsInfo", "text": "DisplayString", "address": "PhysAddress48", "float": "Float"}


def configuration(name: str, community: str, *, apart: bool) -> dict[str, Any]:
    """snmp.yml with one module; *apart*: the logins stand beside the modules."""
    groups = modules()[name].groups.values()
    walked = [{"walk": [group.oid], "get": []} if group.index or group.lookups else _got(group) for group in groups]
    module: dict[str, Any] = {
        "walk": [oid for part in walked for oid in part["walk"]],
        "get": [oid for part in walked for oid in part["get"]],
        "metrics": [_metric(group, name, shown) for group in groups for name, shown in group.everything.items()],
    }
    module["walk"] += [
        shown.oid for group in groups for shown in group.lookups.values() if shown.oid and not _walked(shown, module)
    ]
    login = {"version": 2, "community": community} if apart else {"version": 2, "auth": {"community": community}}
    return {"auths": {"test": login}, "modules": {name: module}} if apart else {name: {**module, **login}}


def _walked(shown: Object, module: dict[str, Any]) -> bool:
    return any(f"{shown.oid}.".startswith(f"{oid}.") for oid in module["walk"])


def _got(group: Group) -> dict[str, list[str]]:
    return {"walk": [], "get": [f"{group.oid}.{shown.arc}.0" for shown in group.everything.values()]}


def _metric(group: Group, name: str, shown: Object) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": name,
        "oid": shown.oid or f"{group.oid}.{shown.arc}",
        "type": TYPES.get(shown.kind, shown.kind),
        "help": name,
    }
    if shown.names:
        made["enum_values"] = {int(number): word for number, word in shown.names.items()}
    index = group.index or "row"
    if group.index or group.lookups:
        made["indexes"] = [{"labelname": index, "type": "gauge"}]
        made["lookups"] = [
            {"labels": [index], "labelname": label, "oid": at.oid or f"{group.oid}.{at.arc}", "type": "DisplayString"}
            for label, at in group.lookups.items()
        ]
        if not group.index:
            made["lookups"].append({"labels": [], "labelname": index})
    return made


@contextmanager
def exporter(name: str, community: str, folder: Path) -> Iterator[str]:
    """The URL under which the exporter answers for *name*; it lacks only the target."""
    program = shutil.which("prometheus-snmp-exporter")
    if program is None:
        pytest.fail("this test runs the peer: install it with apt-get install prometheus-snmp-exporter")
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"version (\d+)\.(\d+)", told.stdout + told.stderr)
    assert found, told
    apart = (int(found[1]), int(found[2])) >= (0, 23)
    (folder / "snmp.yml").write_text(yaml.safe_dump(configuration(name, community, apart=apart)))
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        port = opened.getsockname()[1]
    command = [program, f"--config.file={folder / 'snmp.yml'}", f"--web.listen-address=127.0.0.1:{port}"]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            wait(f"http://127.0.0.1:{port}/", folder / "log")
            yield f"http://127.0.0.1:{port}/snmp?module={name}{'&auth=test' if apart else ''}"
        finally:
            process.terminate()


def wait(url: str, log: Path) -> None:
    for _ in range(200):
        try:
            with urlopen(url, timeout=1):
                return
        except (URLError, ConnectionError):
            time.sleep(0.05)
    pytest.fail(f"{url} does not answer: {log.read_text()[-2000:]}")
