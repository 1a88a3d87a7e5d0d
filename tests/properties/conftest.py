"""A gateway whose faults can be chosen."""

from collections.abc import Iterator

import pytest
from door_twin import running
from storm import SESSION_SECONDS, Storm


@pytest.fixture(scope="module")
def storm() -> Iterator[Storm]:
    """All processes running; nobody has a lease yet."""
    with running(Storm, f"{SESSION_SECONDS}s", prepare=Storm.prepare) as made:
        yield made
