"""Journey (f): a resident walks from the library to the sports complex; the database between them comes and goes."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors import LIBRARY, SPORTS, Resident, eventually, scrape
from lab import network
from lab.building import Options
from lab.debian import POSTGRESQL_PORT, postgresql_programs
from lab.town import Lab
from parvis.inventory import DEMO_TOWN
from parvis.processes import PORTAL
from tests_support import copy_town

pytestmark = [pytest.mark.root, pytest.mark.slow]
WITHOUT = frozenset({"prometheus", "alertmanager", "collectors", "monitor", "visitor"})
"""The visitor accepts each minute, and what it leaves to be told would be counted too."""
GATEWAYS = {LIBRARY: "gw-biblio", SPORTS: "gw-lagrange"}
PEOPLE = 2


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two sites that share a PostgreSQL in the machine room and know devices again for a month."""
    town = copy_town(DEMO_TOWN, tmp_path_factory.mktemp("shared") / "town")
    file = town / "town.yml"
    before = file.read_text("utf-8")
    file.write_text(before.replace("  session: 12h\n", "  session: 12h\n  remember: 30d\n"), "utf-8")
    assert file.read_text("utf-8") != before
    lab = Lab(tmp_path_factory.mktemp("lab") / "lab")
    options = Options(town, (LIBRARY, SPORTS), PEOPLE, "psh-", WITHOUT, windows=False, shared=True)
    lab.up(options)
    try:
        yield lab
    finally:
        lab.down()


@pytest.fixture
def town(shared: Lab) -> Lab:
    """The database runs, everybody has told everything, nobody is online or remembered."""
    if not shared.process("postgresql").alive:
        shared.start("postgresql")
    for site in GATEWAYS:
        for number in range(1, PEOPLE + 1):
            phone = at_home(shared, f"{site}/{number}")
            if phone.is_online():
                phone.leaves()
    settled(shared)
    return shared


def settled(town: Lab) -> None:
    """Every gateway reaches the database and has nothing left to tell."""
    for site in GATEWAYS:
        eventually(lambda site=site: value(town, site, "up") == 1, f"{site} shares", 40)  # type: ignore[misc]
        eventually(lambda site=site: value(town, site, "backlog") == 0, f"{site} told all")  # type: ignore[misc]


def value(town: Lab, site: str, name: str) -> float:
    address = str(town.town.site(site).gateway.address)
    lines = scrape(town, address, PORTAL.port).splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"portal_shared_{name} "))


def appears_as(town: Lab, name: str, mac: str) -> Resident:
    """The phone *name* joins its site's Wi-Fi under the address *mac*."""
    resident = town.resident(name)
    town.stop(resident.alias)
    for words in (("down",), ("address", mac), ("up",)):
        network.run("ip", "-n", resident.namespace, "link", "set", "dev", "wlan0", *words)
    town.start(resident.alias)
    return Resident(town, name)


def at_home(town: Lab, name: str) -> Resident:
    """The phone *name* under its own address again."""
    own = town.resident(name)
    shown = json.loads(network.run("ip", "-n", own.namespace, "-json", "link", "show", "dev", "wlan0"))
    if shown[0]["address"] == own.mac.text:
        return Resident(town, name)
    return appears_as(town, name, own.mac.text)


def walks(town: Lab, who: str, to: str) -> Resident:
    """Whoever is *who* at one site appears at another, where the phone *to* lends its radio."""
    return appears_as(town, to, town.resident(who).mac.text)


def test_accepted_at_the_library_is_online_at_the_sports_complex_without_a_tap(town: Lab) -> None:
    stranger = Resident(town, f"{SPORTS}/2")
    Resident(town, f"{LIBRARY}/1").accepts()

    there = walks(town, f"{LIBRARY}/1", f"{SPORTS}/1")

    eventually(there.is_online, "online at the sports complex")
    assert there.api()["captive"] is False
    assert stranger.is_captive()


def test_leaving_at_the_sports_complex_ends_it_at_the_library_too(town: Lab) -> None:
    at_library = Resident(town, f"{LIBRARY}/1").accepts()
    there = walks(town, f"{LIBRARY}/1", f"{SPORTS}/1")
    eventually(there.is_online, "online at the sports complex")

    there.leaves()

    eventually(at_library.is_captive, "captive at the library again")
    town.restart("gw-biblio-r1")
    eventually(at_library.is_captive, "captive after joining anew")
    assert at_library.api()["captive"] is True


def test_without_the_database_each_site_admits_its_own_and_afterwards_everybody_is_known_everywhere(
    town: Lab,
) -> None:
    town.stop("postgresql")
    one, other = Resident(town, f"{LIBRARY}/1").accepts(), Resident(town, f"{SPORTS}/2").accepts()
    assert one.is_online()
    assert other.is_online()
    eventually(lambda: value(town, LIBRARY, "up") == 0, "the library notices")
    eventually(lambda: value(town, LIBRARY, "backlog") == 1, "it counts what waits")

    town.start("postgresql")
    settled(town)

    eventually(walks(town, f"{LIBRARY}/1", f"{SPORTS}/1").is_online, "the library's resident at the sports complex")
    eventually(walks(town, f"{SPORTS}/2", f"{LIBRARY}/2").is_online, "and the other way round")


def test_a_portal_killed_before_it_could_tell_tells_after_its_restart(town: Lab) -> None:
    town.stop("postgresql")
    one = Resident(town, f"{LIBRARY}/1").accepts()
    town.stop(f"{GATEWAYS[LIBRARY]}.portal", signal.SIGKILL)
    assert one.is_online()

    town.start(f"{GATEWAYS[LIBRARY]}.portal")
    town.start("postgresql")
    settled(town)

    eventually(walks(town, f"{LIBRARY}/1", f"{SPORTS}/1").is_online, "online at the sports complex")


def test_the_database_holds_no_address_and_asks_for_a_password(town: Lab) -> None:
    one = Resident(town, f"{LIBRARY}/1").accepts()
    settled(town)

    dump = dumped(town)

    assert f"\t{LIBRARY}\t" in dump
    mac = town.resident(one.name).mac.text
    assert mac not in dump.lower()
    assert mac.replace(":", "") not in dump.lower()
    refused = town.exec("centre", [*dump_command(town), "--no-password"])
    assert "no password supplied" in refused.stderr


def dump_command(town: Lab) -> list[str]:
    address = str(town.town.centre.ipv4.network_address + 1)
    programs = postgresql_programs()
    assert programs is not None
    return [str(programs / "pg_dump"), "-h", address, "-p", str(POSTGRESQL_PORT), "-U", "parvis", "parvis"]


def dumped(town: Lab) -> str:
    password = Path(town.folder / "secrets" / "portal" / "shared-database").read_text("utf-8")
    done = town.exec("centre", ["env", f"PGPASSWORD={password}", *dump_command(town)])
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_of_it_is_said_in_logs(town: Lab) -> None:
    said = "".join(town.log(f"{gateway}.portal") for gateway in GATEWAYS.values())

    assert "the shared database does not answer" in said
    for resident in town.plan.residents:
        assert resident.mac.text not in said
    assert os.fspath(town.folder / "secrets") not in said
