"""What must not be there: found by looking at all the code and all the data's shapes, not at one page."""

import ast
import re
from pathlib import Path

import yaml

from captive_portal.opendata.datasets import datasets
from parvis.data_inventory import data_inventory
from parvis.inventory import DEMO_TOWN, load

ROOT = Path(__file__).parents[2]
ROOMS = ("parvis", "captive_portal", "collectors", "monitor", "dashboards")
CLIENTS_THAT_ARE_NOT_CONNECTED = re.compile(
    r"probe.?request|unassociated|rogue.?client|nearby|neighbou?ring.?client", re.IGNORECASE
)
HELD = re.compile(
    r"user_?agent|referr?er|url|hostname|dns|sni|payload|cookie|header|email|surname|first_?name", re.IGNORECASE
)
LOCATION = re.compile(r"(^|_)(ap|bssid|radio|access_point|roam)", re.IGNORECASE)


def test_pri01_no_list_of_devices_that_are_not_connected_is_asked_for() -> None:
    """Every OID and every address that a connector asks for stands in a profile."""
    asked = [
        f"{path.name}: {text}"
        for path in (ROOT / "collectors/profiles").rglob("*.yml")
        for text in path.read_text("utf-8").splitlines()
        if CLIENTS_THAT_ARE_NOT_CONNECTED.search(text.partition("#")[0])
    ]

    assert asked == []


def test_pri01_the_collectors_ask_by_snmp_alone() -> None:
    """No controller's web API, where lists of everybody nearby can be had; InfluxDB is written to, not asked."""
    clients = re.compile(r"^\s*(?:import|from) (?:requests|urllib\.request|http\.client|aiohttp|httpx)\b", re.MULTILINE)
    sources = {path: path.read_text("utf-8") for path in (ROOT / "collectors").rglob("*.py")}

    assert [str(path) for path, text in sources.items() if clients.search(text)] == []
    assert clients.search("from urllib.request import urlopen")


def test_pri01_nothing_listens_in_monitor_mode() -> None:
    sources = {path: path.read_text("utf-8") for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    wrong = re.compile(r"Dot11|monitor=True|IEEE802_11_RADIO|radiotap|rfmon", re.IGNORECASE)

    assert [str(path) for path, text in sources.items() if wrong.search(text)] == []


def test_pri06_no_table_about_residents_has_a_place_for_an_access_point() -> None:
    columns = [
        f"{table}.{column}"
        for kind in data_inventory().of("wifi").values()
        for table, names in kind.tables.items()
        for column in names
        if LOCATION.search(column)
    ]

    assert columns == []
    assert LOCATION.search("ap_name")
    assert LOCATION.search("last_bssid")


def test_pri06_pri07_no_stored_column_can_hold_a_way_a_browser_or_a_name() -> None:
    """Of every table that the portal declares, by the names of its columns."""
    found = []
    for path in (ROOT / "captive_portal").rglob("store*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Column" and node.args:
                name = node.args[0]
                if isinstance(name, ast.Constant) and (
                    HELD.search(str(name.value)) or LOCATION.search(str(name.value))
                ):
                    found.append(f"{path.name}: {name.value}")

    assert found == []


def test_pri07_no_dataset_crosses_a_site_with_a_language_or_a_device() -> None:
    fields = {name for dataset in datasets().values() for name in dataset.fields_}
    crossed = re.compile(r"langue|navigateur|browser|modele|marque|type_appareil|systeme")

    assert [name for name in fields if crossed.search(name)] == []


def test_cgu09_nothing_is_filtered_by_default() -> None:
    """No name is blocked in the resolver's file, and no ruleset looks into what residents do."""
    from captive_portal import dhcp, ruleset  # noqa: PLC0415 named beside what is asked of them

    town = load(DEMO_TOWN)
    for site in town.sites:
        names = dhcp.dnsmasq(town, site)
        assert [
            line for line in names.splitlines() if re.match(r"address=/(?!wifi\.)|server=/.*/$|local=/[^/]*\.fr/", line)
        ] == []
        text = ruleset.text(town, site)
        assert "string" not in text.replace("string type", "")
        assert "queue" not in text


def test_gdp04_nothing_that_ships_names_a_service_of_somebody_else() -> None:
    """What is on by default reaches the town's own machines; a town that wants more writes it into its own files."""
    said = yaml.safe_load((DEMO_TOWN / "town.yml").read_text("utf-8"))
    services = re.compile(
        r"googleapis|gstatic|cloudflare|amazonaws|azure|twilio|sendgrid|sentry\.io|analytics|recaptcha", re.IGNORECASE
    )
    pages = [
        path
        for room in ROOMS
        for ending in ("html", "css", "js")
        for path in (ROOT / room).rglob(f"*.{ending}")
        if services.search(path.read_text("utf-8"))
    ]

    assert pages == []
    assert {channel["kind"] for channel in said["channels"]} == {"file"}
    assert "opendatasoft" not in said["open_data"]
