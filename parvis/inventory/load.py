"""Read a town folder: town.yml and sites/*.yml. Every fault at once, or the town."""

from ipaddress import ip_network
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from parvis.inventory.checks import all_faults, suggestion
from parvis.inventory.model import Site, Town, TownFile
from parvis.inventory.portal_files import FOLDERS, texts
from parvis.inventory.yaml_lines import Document, Fault, Path_, read

Model = TypeVar("Model", bound=BaseModel)

MAX_SITES = 500
TAGS = {"v1", "v2c", "v3", "file", "smtp", "ovh", "gsm", "apprise"}
"""What pydantic puts into a path to say which kind of credential or channel it took."""


class InventoryError(Exception):
    """The description of the town has faults; *faults* has them all, located. The person who edits it must act."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


def load(folder: Path) -> Town:
    """The town described in *folder*; InventoryError with every fault found."""
    town, faults = examine(folder)
    if town is None:
        raise InventoryError(faults)
    return town


def examine(folder: Path, *, thorough: bool = False) -> tuple[Town | None, list[Fault]]:
    """The town, or None and everything that is wrong with its files; see :func:`all_faults` for *thorough*."""
    faults: list[Fault] = []
    town_file = _read_as(TownFile, folder / "town.yml", "town.yml", faults)
    paths = sorted((folder / "sites").glob("*.yml"))
    if not paths or len(paths) > MAX_SITES:
        found = "no site" if not paths else f"{len(paths)} sites"
        faults.append(
            Fault("sites/", 1, "", f"{found} found", f"describe 1 to {MAX_SITES} sites, each in sites/NAME.yml")
        )
        return None, faults
    documents: dict[str, Document] = {}
    sites: list[Site] = []
    for path in paths:
        site = _read_as(Site, path, f"sites/{path.name}", faults)
        if site is not None:
            sites.append(site[0])
            documents[site[0].site] = site[1]
            faults += _misnamed(path, *site)
    if town_file is None:
        return None, sorted(faults)
    own, calendars, events = (texts(folder / name, faults) for name in FOLDERS)
    ordered = tuple(sorted(sites, key=lambda s: s.site))
    known = {**dict(town_file[0]), "portal_files": own, "calendars": calendars, "events": events}
    town = Town.model_construct(**known, sites=ordered)

    def locate(site: Site | None, where: Path_, message: str, fix: str) -> Fault:
        document = documents[site.site] if site else town_file[1]
        return document.fault(where, message, fix)

    faults += all_faults(town, locate, thorough=thorough)
    return (None, sorted(set(faults))) if faults else (town, [])


def _misnamed(path: Path, site: Site, document: Document) -> list[Fault]:
    if path.stem == site.site:
        return []
    return [document.fault(("site",), f"site {site.site} stands in {path.name}", f"rename the file to {site.site}.yml")]


def _read_as(model: type[Model], path: Path, shown_as: str, faults: list[Fault]) -> tuple[Model, Document] | None:
    document, found = read(path, shown_as)
    faults += found
    if document is None or found:
        return None
    try:
        return model.model_validate(document.data), document
    except ValidationError as error:
        faults += _without_echoes(
            [_located(document, model, one) for one in error.errors() if not _lacks_faulty_ones(one)]
        )
        return None


def _without_echoes(faults: list[Fault]) -> list[Fault]:
    """Leave out "title is missing" where "titel" was found to mean title: one mistake, one fault."""
    meant = {
        (fault.path.rpartition(".")[0], fault.fix.removeprefix("did you mean ").removesuffix("?"))
        for fault in faults
        if fault.message == "unknown key"
    }
    return [f for f in faults if f.message != "is missing" or (*f.path.rpartition(".")[::2],) not in meant]


def _lacks_faulty_ones(detail: Any) -> bool:
    """Whether a list is only called too short because what stands in it was found faulty, and told."""
    return bool(detail["type"] == "too_short" and len(detail["input"]) > detail["ctx"]["actual_length"])


def _located(document: Document, model: type[BaseModel], detail: Any) -> Fault:
    path: Path_ = tuple(part for part in detail["loc"] if part not in TAGS)
    if detail["type"] == "extra_forbidden":
        return document.fault(path, "unknown key", suggestion(str(path[-1]), _keys_at(model, detail["loc"][:-1])))
    message = str(detail["msg"]).removeprefix("Value error, ")
    if detail["type"] == "missing":
        return document.fault(path, "is missing", "add it")
    message, _, fix = message.partition("; ")
    given = detail.get("input")
    if str(detail["type"]).endswith("_network"):
        fix = _network_hint(str(given))
    if not fix and isinstance(given, str | int | float):
        message = f"{message} (found {given!r})"
    return document.fault(path, message[:1].lower() + message[1:], fix)


def _network_hint(given: str) -> str:
    """What the writer of a network probably meant.

    >>> _network_hint("10.14.0.1/22")
    '10.14.0.1/22 has host bits set: did you mean 10.14.0.0/22?'
    """
    try:
        return f"{given} has host bits set: did you mean {ip_network(given, strict=False)}?"
    except ValueError:
        return "write an address and a length, such as 10.14.0.0/22"


def _keys_at(model: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    """The keys allowed at *path* of *model*, read from its JSON schema."""
    schema = model.model_json_schema(by_alias=True)
    node: dict[str, Any] = schema
    for part in path:
        node = _resolve(schema, node, str(part))
        node = node.get("items", {}) if isinstance(part, int) else node.get("properties", {}).get(part, node)
    return list(_resolve(schema, node, "").get("properties", {}))


def _resolve(schema: dict[str, Any], node: dict[str, Any], choice: str) -> dict[str, Any]:
    mapping = node.get("discriminator", {}).get("mapping", {})
    reference = mapping.get(choice) or node.get("$ref")
    for option in node.get("anyOf", ()):
        reference = reference or option.get("$ref")
    if reference is None:
        return node
    found: dict[str, Any] = schema["$defs"][reference.rsplit("/", 1)[-1]]
    return found
