"""What of the town's folder a gateway is given: it stands where the public goes, and may be stolen.

Not there: who is on call and how they are reached, announced work, what a line costs and whom to call about it, the
calendars, and of other sites the devices that are known. What is left is a town that ``parvis check`` takes.
"""

import json
from pathlib import Path
from typing import Any

from parvis.inventory.yaml_lines import read

FOLDERS = ("portal",)
"""Handed over as they are: logo, terms, texts."""
NOT_OF_TOWN = ("channels", "maintenance", "outside_watch")
NOT_OF_LINES = ("line", "hotline")
NOT_OF_OTHERS = ("known_devices", "visitor")


def shared(folder: Path) -> dict[str, bytes]:
    """Path below *folder* -> content, the same for all gateways."""
    made = {"town.yml": written(of_town(data(folder / "town.yml")))}
    made |= {f"sites/{file.name}": written(of_site(data(file), own=False)) for file in _sites(folder)}
    kept = (file for name in FOLDERS for file in sorted((folder / name).rglob("*")) if file.is_file())
    return made | {file.relative_to(folder).as_posix(): file.read_bytes() for file in kept}


def own(folder: Path, site: str) -> dict[str, bytes]:
    """Path below *folder* -> content, for the gateway of *site* alone."""
    return {f"sites/{site}.yml": written(of_site(data(folder / "sites" / f"{site}.yml"), own=True))}


def of_town(town: dict[str, Any]) -> dict[str, Any]:
    """town.yml without the people: on a gateway nobody but the town's own contact is on call."""
    kept = {name: value for name, value in town.items() if name not in NOT_OF_TOWN}
    somebody = {"name": "centre", "title": "centre", **town["contact"]}
    rota = {"starts": "2026-01-05T08:00", "turn": "7d", "order": [somebody["name"]]}
    return kept | {"people": [somebody], "rota": rota}


def of_site(site: dict[str, Any], *, own: bool) -> dict[str, Any]:
    """A site's file; *own*: for its own gateway."""
    dropped = () if own else NOT_OF_OTHERS
    kept = {name: value for name, value in site.items() if name not in dropped}
    return kept | {"uplink": {name: value for name, value in site["uplink"].items() if name not in NOT_OF_LINES}}


def written(content: dict[str, Any]) -> bytes:
    """JSON, which is YAML too: no text becomes a number on the way."""
    return f"{json.dumps(content, ensure_ascii=False, indent=1)}\n".encode()


def data(file: Path) -> dict[str, Any]:
    """What the town's own reader makes of *file*, which it has found without fault before."""
    document, _ = read(file, file.name)
    found: dict[str, Any] = document.data if document else {}
    return found


def _sites(folder: Path) -> list[Path]:
    return sorted((folder / "sites").glob("*.yml"))
