"""The settings file of each process on its machine, and the environment in which a town changes single settings."""

import json
from collections.abc import Mapping
from typing import Any

from parvis.inventory import Site, Town
from parvis.processes import ARCHIVE, COLLECTORS, CONSOLE, EVIDENCE, GATEWAYD, MONITOR, PORTAL, TRAP_PORT, Process
from upkeep import places
from upkeep.delivered import OPENDATA

AVAILABILITY = f"http://127.0.0.1:{MONITOR.port}/availability.json"
"""Where the monitor tells it (docs/19)."""
OFFICER = "dpo"
"""The officer's commands work in the console's folder, which erases their records in time (docs/19)."""
HEADER = "# Generated from the town (upkeep/configuration.py). Single settings are changed by parvis_settings.\n"


def gateway(site: Site) -> dict[str, str]:
    """File name -> text, for the gateway of *site*."""
    here = {"site": site.site, "listen": str(site.gateway.address)}
    socket = {"socket": str(places.RUN / "gatewayd.sock")}
    tls = places.CERTIFICATES
    pages = {
        "certificate": str(tls / "portal.crt"),
        "key": credential(PORTAL, "portal.key"),
        "management_certificate": str(tls / "management.crt"),
        "management_key": credential(PORTAL, "management.key"),
    }
    evidence = {
        "holders": str(places.HOLDERS),
        "choice": str(places.CHOICE),
        "certificate": str(tls / "management.crt"),
        "key": credential(EVIDENCE, "management.key"),
    }
    return {
        f"{EVIDENCE.name}.toml": _file(EVIDENCE, {**here, **evidence}),
        f"{GATEWAYD.name}.toml": _file(GATEWAYD, {**here, **socket, "allowed_users": [PORTAL.user]}),
        f"{PORTAL.name}.toml": _file(PORTAL, {**here, **socket, **pages}),
    }


def centre(town: Town) -> dict[str, str]:
    """File name -> text, for the machine in the centre."""
    console = {
        "bind": str(town.centre.address),
        "certificate": str(places.CERTIFICATES / "console.crt"),
        "key": credential(CONSOLE, "console.key"),
        "authority": str(places.CERTIFICATES / "authority.pem"),
    }
    archive = {"holders": str(places.CEREMONY), "authority": str(places.CERTIFICATES / "authority.pem")}
    published = {"authority": str(places.CERTIFICATES / "authority.pem"), "availability": AVAILABILITY}
    made = {f"{OPENDATA.name}.toml": _file(OPENDATA, published)} if town.open_data else {}
    return made | {
        f"{ARCHIVE.name}.toml": _file(ARCHIVE, archive),
        f"{COLLECTORS.name}.toml": _file(COLLECTORS, {"trap_port": TRAP_PORT}),
        f"{MONITOR.name}.toml": _file(MONITOR, {}),
        f"{CONSOLE.name}.toml": _file(CONSOLE, console),
        f"{OFFICER}.toml": _file(CONSOLE, {}),
    }


def credential(process: Process, name: str) -> str:
    """Where *process* reads the secret *name* that systemd hands it."""
    return str(places.CREDENTIALS / places.unit(process.name) / name)


def _file(process: Process, values: Mapping[str, Any]) -> str:
    common = {"town": str(places.TOWN), "state": str(places.STATE / process.name), "run": str(places.RUN)}
    # JSON's strings, numbers and lists are TOML's.
    return HEADER + "".join(f"{key} = {json.dumps(value)}\n" for key, value in {**common, **values}.items())
