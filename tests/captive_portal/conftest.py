"""The twin of one gateway, built once for all root tests of this room."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from door_twin import Resident, Twin, copy_town, remove_stale
from parvis.inventory import load


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    """All processes running; nobody has a lease yet."""
    remove_stale()
    folder = tmp_path_factory.mktemp("door")
    for above in (folder, *folder.parents):
        if above == Path("/tmp"):
            break
        above.chmod(0o755)
    town = load(copy_town(folder / "town", "30min"))
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


@pytest.fixture(scope="module")
def anna(twin: Twin) -> Resident:
    """A resident with a lease."""
    found = twin.resident("c1")
    found.joins()
    return found
