"""A gateway whose faults can be chosen."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from door_twin import PREFIX, copy_town, remove_stale
from storm import SESSION_SECONDS, Storm

from parvis.inventory import load


@pytest.fixture(scope="module")
def storm() -> Iterator[Storm]:
    """All processes running; nobody has a lease yet."""
    remove_stale()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    folder.chmod(0o755)
    town = load(copy_town(folder / "town", f"{SESSION_SECONDS}s"))
    made = Storm(town, town.site("maison-services-publics"), folder)
    try:
        made.build()
        made.prepare()
        made.start_internet()
        made.revive()
        yield made
    finally:
        made.tear_down()
        shutil.rmtree(folder)
