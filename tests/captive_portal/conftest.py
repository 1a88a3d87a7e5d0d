"""What several tests of this room begin with: a gateway's twin, a PostgreSQL, sites that share it, a policy."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import postgres
import pytest
from cheroot.server import HTTPServer
from door_twin import Resident, Twin, running
from house import House
from policed import build  # noqa: F401 a fixture
from shared_town import DAY, SharedTown, Site
from staff import Office, office

from parvis.inventory import Town

HTTPServer.expiration_interval = 0.02
"""Seconds that a server of a test may take to notice that it should end; in production half a second is soon enough."""


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Cluster]:
    """A PostgreSQL with one database, ``parvis``; tests empty it."""
    with postgres.cluster() as made:
        yield made


@pytest.fixture
def house(town: Town, tmp_path: Path) -> Iterator[House]:
    """A portal ready to be visited, its doorkeeper at work."""
    made = House(town, tmp_path)
    with made.doorkeeper:
        yield made


@pytest.fixture
def shared(tmp_path: Path, server: postgres.Cluster) -> Iterator[SharedTown]:
    """A town without sites yet, over an empty database."""
    if not server.running:
        server.start()
    server.empty()
    with ExitStack() as stack:
        yield SharedTown(tmp_path, server, stack)


@pytest.fixture
def library(shared: SharedTown) -> Site:
    """A first site."""
    return shared.site("bibliotheque")


@pytest.fixture
def sports(shared: SharedTown) -> Site:
    """Another; its clock is a day and a half late."""
    return shared.site("leo-lagrange", wall=1_767_970_800.0 - 1.5 * DAY)


@pytest.fixture
def here(town: Town, tmp_path: Path) -> Iterator[Office]:
    """The staff console of a town, with one site that answers."""
    with office(town, tmp_path) as made:
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
    with running(Twin, session, ipv6=not without_ipv6) as made:
        yield made


@pytest.fixture(scope="module")
def anna(twin: Twin) -> Resident:
    """A resident with a lease."""
    found = twin.resident("c1")
    found.joins()
    return found
