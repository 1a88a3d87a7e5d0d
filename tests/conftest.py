"""What every test may use: a private copy of the demo town, and its YAML as text to break."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

from parvis.inventory import DEMO_TOWN, Town, load
from tests_support import Edit, copy_town

# A busy machine is slow; how long an example takes proves nothing.
settings.register_profile("parvis", deadline=None)
settings.load_profile("parvis")


@pytest.fixture(scope="session")
def town() -> Town:
    return load(DEMO_TOWN)


@pytest.fixture
def town_folder(tmp_path: Path) -> Path:
    """A copy of the demo town to change."""
    return copy_town(DEMO_TOWN, tmp_path / "town")


@pytest.fixture
def edit(town_folder: Path) -> Edit:
    """``edit("town.yml", old, new)`` in the copy; the old text must be there."""

    def change(name: str, old: str, new: str) -> None:
        path = town_folder / name
        text = path.read_text("utf-8")
        assert old in text, f"{old!r} is not in {name}"
        path.write_text(text.replace(old, new, 1), "utf-8")

    return change


JOURNEYS = Path(__file__).with_name("journeys")
PATIENCE = Path(__file__).with_name("patience.txt")


def patient() -> set[Path]:
    """The files of tests that take long."""
    lines = PATIENCE.read_text("utf-8").splitlines()
    found = {PATIENCE.parents[1] / line for line in lines if not line.startswith("#")}
    assert all(file.exists() for file in found), f"{PATIENCE.name} names a file that is not there"
    return found


def pytest_configure() -> None:
    """Told to stop, it ends as by Ctrl-C: what was built is taken down. A lot's shell has SIGINT ignored."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the patient; root tests without root are skipped, saying so (script/test refuses to run them then).

    Journeys come last: their town, once built, works on until the end, and takes a core that others would lack.
    """
    items.sort(key=lambda item: JOURNEYS in item.path.parents)
    files = patient()
    for item in items:
        if item.path in files:
            item.add_marker(pytest.mark.patient)
    if os.geteuid() == 0:
        return
    for item in items:
        if item.get_closest_marker("root"):
            item.add_marker(pytest.mark.skip(reason="needs root: network namespaces"))
