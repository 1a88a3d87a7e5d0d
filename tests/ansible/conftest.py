"""One installation for all tests that follow one another on it."""

from collections.abc import Iterator

import pytest
from installation import Installation, built, ended


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = built(tmp_path_factory.mktemp("install"))
    yield made
    ended(made)
