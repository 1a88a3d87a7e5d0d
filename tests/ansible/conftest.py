"""What the tests here share: one installation for all that follow one another on it, and Ansible's collections."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from installation import Installation, built, ended
from machines import run

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = built(tmp_path_factory.mktemp("install"))
    yield made
    ended(made)


@pytest.fixture(scope="session")
def collections() -> None:
    """Those of roles, beside the playbooks; script/test and script/deploy have fetched them already."""
    run("bash", "-c", f"source {ROOT / 'script/setup.sh'}; install_collections", seconds=100)
