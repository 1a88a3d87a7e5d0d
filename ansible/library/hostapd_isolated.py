#!/usr/bin/python
"""Isolates the devices of one wireless network in hostapd's configuration: ``ap_isolate=1`` where its name stands.

A file may hold several networks (``bss=``), each with options of its own; only those of the given name are touched.
"""

import os
import tempfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: hostapd_isolated
short_description: Isolate the devices of one network in a hostapd.conf
description: Writes ap_isolate=1 for every network of this name, and tells the interfaces and bridges it is on.
options:
  path: {description: The file., type: path, required: true}
  network: {description: The network's name (SSID)., type: str, required: true}
"""

ISOLATED = "ap_isolate=1"


def value(section: list[str], key: str) -> str | None:
    """The last word on *key* in *section*, as hostapd reads it.

    >>> value(["ap_isolate=0", "#ap_isolate=2", "ap_isolate=1"], "ap_isolate"), value([], "bridge")
    ('1', None)
    """
    found = [line.partition("=")[2] for line in section if line.startswith(f"{key}=")]
    return found[-1] if found else None


def name(section: list[str]) -> str | None:
    """The network's name, written plainly (``ssid=``) or quoted (``ssid2="..."``).

    >>> name(["ssid=Cachan-WiFi"]), name(['ssid2="Cachan-WiFi"'])
    ('Cachan-WiFi', 'Cachan-WiFi')
    """
    quoted = value(section, "ssid2")
    return quoted.removeprefix('"').removesuffix('"') if quoted else value(section, "ssid")


def sections(lines: list[str]) -> list[list[str]]:
    """The lines of the first network, which are the radio's too, and of each that ``bss=`` begins."""
    found: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("bss="):
            found.append([])
        found[-1].append(line)
    return found


def isolated(text: str, network: str) -> tuple[str, list[dict[str, str]], list[str]]:
    r"""*text* with *network* isolated; its interfaces and their bridges; the names of all networks.

    >>> isolated("interface=wlan0\nssid=a\nap_isolate=0\nbss=wlan1\nssid=b\n", "a")[0].split()
    ['interface=wlan0', 'ssid=a', 'ap_isolate=1', 'bss=wlan1', 'ssid=b']
    """
    parts = sections(text.splitlines())
    interfaces = []
    for part in parts:
        if name(part) != network:
            continue
        interfaces.append(
            {"name": value(part, "bss") or value(part, "interface") or "", "bridge": value(part, "bridge") or ""}
        )
        if value(part, "ap_isolate") != "1":
            part[:] = [line for line in part if not line.startswith("ap_isolate=")]
            part.insert(1 + max(at for at, line in enumerate(part) if line.startswith(("ssid=", "ssid2="))), ISOLATED)
    after = "".join(f"{line}\n" for part in parts for line in part)
    return after, interfaces, [found for part in parts if (found := name(part))]


def main() -> None:
    """Read, change, write beside and rename."""
    module = AnsibleModule(
        {"path": {"type": "path", "required": True}, "network": {"type": "str", "required": True}},
        supports_check_mode=True,
    )
    path, network = Path(module.params["path"]), module.params["network"]
    try:
        before = path.read_text("utf-8")
    except OSError as error:
        module.fail_json(msg=f"{path} cannot be read ({error.strerror}): is this an access point with hostapd?")
    after, interfaces, names = isolated(before, network)
    if not interfaces:
        module.fail_json(msg=f"{path}: no network is called {network}; there are {', '.join(names) or 'none'}")
    changed = after != before
    if changed and not module.check_mode:
        put(module, path, after)
    # Not the file: it may hold other networks' passwords.
    shown = "".join(f"{path}: {one['name']} ({network}): {ISOLATED}\n" for one in interfaces if changed)
    module.exit_json(changed=changed, interfaces=interfaces, diff={"prepared": shown})


def put(module: AnsibleModule, path: Path, text: str) -> None:
    """Write *text* beside *path*, make it durable, rename it; owner and mode stay."""
    number, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(number, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    module.atomic_move(beside, str(path))


if __name__ == "__main__":
    main()
