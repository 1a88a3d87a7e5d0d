"""How a machine of the town is hardened (hardening.yml): what the roles set and ``parvis audit`` looks for."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from parvis.inventory import Site

FILE = Path(__file__).with_name("hardening.yml")
SYSCTL_HEADER = (
    "# Generated (upkeep/hardening.yml): ANSSI-BP-028 R9, R11, R12, R14, with a gateway's written exceptions.\n"
)


@cache
def rules() -> dict[str, Any]:
    """The file's sections: sysctl, ssh, files, packages, services, exceptions."""
    read: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    return read


@dataclass(frozen=True, slots=True)
class Setting:
    """One kernel setting, in sysctl.d(5)'s spelling; *optional*: not every kernel or container has it."""

    name: str
    value: str
    optional: bool


def kernel_settings() -> list[Setting]:
    """What every machine sets."""
    return [
        Setting(name.lstrip("-"), str(value), name.startswith(("-", "kernel", "fs")))
        for name, value in rules()["sysctl"].items()
    ]


def sysctl_text() -> str:
    """The file for /etc/sysctl.d."""
    lines = (f"{'-' if one.optional else ''}{one.name} = {one.value}\n" for one in kernel_settings())
    return SYSCTL_HEADER + "".join(lines)


def ssh_text(address: str) -> str:
    """Sshd's own file, listening on the management *address* alone."""
    lines = "".join(f"{key} {value}\n" for key, value in rules()["ssh"].items())
    return f"# Generated (upkeep/hardening.yml): ANSSI's recommendations for OpenSSH.\nListenAddress {address}\n{lines}"


def exceptions(site: Site | None) -> dict[str, str]:
    """Where a machine departs from the rules, and why; *site*: a gateway's."""
    listed: dict[str, str] = rules()["exceptions"] if site else {}
    return listed
