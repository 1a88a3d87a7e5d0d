"""The twin of one gateway, built once for all root tests of this room."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import postgres
import pytest
from door_twin import PREFIX, Resident, Twin, copy_town, remove_stale

from parvis.inventory import load


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Cluster]:
    """A PostgreSQL with one database, ``parvis``; tests empty it."""
    with postgres.cluster() as made:
        yield made


@pytest.fixture(scope="module")
def session() -> str:
    """How long a session lasts in the twin; a module may say otherwise."""
    return "30min"


@pytest.fixture(scope="module")
def without_ipv6() -> bool:
    """Whether the twin's site has no IPv6; a module may say so."""
    return False


@pytest.fixture(scope="module")
def twin(session: str, without_ipv6: bool) -> Iterator[Twin]:
    """All processes running; nobody has a lease yet."""
    remove_stale()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))  # pytest's own folders are closed to other users
    folder.chmod(0o755)
    town = load(copy_town(folder / "town", session, ipv6=not without_ipv6))
    made = Twin(town, town.site("maison-services-publics"), folder)
    try:
        made.build()
        made.start_internet()
        made.start_kea()
        made.start_dnsmasq()
        made.start_gatewayd()
        made.start_portal()
        yield made
    finally:
        made.tear_down()
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def anna(twin: Twin) -> Resident:
    """A resident with a lease."""
    found = twin.resident("c1")
    found.joins()
    return found
