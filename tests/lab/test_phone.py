"""The DHCP client's script does what a phone does, and writes only the two files it is given."""

import subprocess
from pathlib import Path

import pytest

from lab.debian import LEASE_SCRIPT


@pytest.fixture
def lease(tmp_path: Path) -> "Phone":
    return Phone(tmp_path)


class Phone:
    def __init__(self, folder: Path) -> None:
        self.lease, self.resolver, self.commands = folder / "lease", folder / "resolv.conf", folder / "commands"
        tools = folder / "bin"
        tools.mkdir()
        (tools / "ip").write_text(f'#!/bin/sh\necho "$@" >> {self.commands}\n')
        (tools / "ip").chmod(0o755)
        self.environment = {
            "PATH": f"{tools}:/usr/bin:/bin",
            "PARVIS_LEASE": str(self.lease),
            "PARVIS_RESOLVER": str(self.resolver),
            "interface": "wlan0",
        }

    def hears(self, event: str, **told: str) -> list[str]:
        subprocess.run(["sh", str(LEASE_SCRIPT), event], env={**self.environment, **told}, check=True)
        return self.commands.read_text().splitlines() if self.commands.exists() else []


def test_a_lease_becomes_address_route_resolver_and_the_portals_address(lease: Phone) -> None:
    url = "https://wifi.cachan.example/api/captive"
    told = {"ip": "10.11.0.9", "mask": "22", "router": "10.11.0.1 10.11.0.2", "dns": "10.11.0.1", "lease": "3600"}

    commands = lease.hears("bound", **told, opt114=url.encode().hex())

    assert "-4 address replace 10.11.0.9/22 broadcast + dev wlan0" in commands
    assert [line for line in commands if "route" in line] == ["-4 route replace default via 10.11.0.1 dev wlan0"]
    assert lease.resolver.read_text() == "nameserver 10.11.0.1\n"
    assert f"opt114={url.encode().hex()}\n" in lease.lease.read_text()


def test_losing_the_lease_takes_the_address_back(lease: Phone) -> None:
    lease.lease.write_text("ip=10.11.0.9\n")

    commands = lease.hears("deconfig")

    assert "-4 address flush dev wlan0" in commands
    assert lease.lease.read_text() == ""
