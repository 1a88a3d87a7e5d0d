"""The whole town in namespaces, built once for all journeys."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from actors import SHORT_SESSION_SECONDS, SPORTS, Resident, eventually
from lab.building import Options
from lab.rooms import Pace
from lab.town import Lab
from parvis.inventory import DEMO_TOWN
from tests_support import copy_town


@pytest.fixture(scope="session")
def journey_town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo town, but sessions at the sports complex are short."""
    folder = copy_town(DEMO_TOWN, tmp_path_factory.mktemp("journey") / "town")
    policy = f"portal: {{host: wifi.cachan.example, terms_version: 2.0.0, session: {SHORT_SESSION_SECONDS}s, "
    policy += "rate_down: 20 Mbit/s, rate_up: 10 Mbit/s}\n"
    with (folder / "sites" / f"{SPORTS}.yml").open("a", encoding="utf-8") as file:
        file.write(policy)
    return folder


@pytest.fixture(scope="session")
def twin(journey_town: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Every site, two residents each, all our processes, Prometheus and Alertmanager."""
    lab = Lab(tmp_path_factory.mktemp("twin") / "lab")
    pace = Pace(poll=2.0, probe=0.5, alerts=0.05)
    seconds = lab.up(Options(town=journey_town, prefix="pj-", windows=False, pace=pace))
    print(f"\nthe town is up after {seconds:.1f} s")
    try:
        yield lab
    finally:
        lab.down()


@pytest.fixture
def resident(twin: Lab) -> Callable[[str], Resident]:
    """``resident("leo-lagrange/1")``: that phone, captive again whatever a former test did."""

    def ready(name: str) -> Resident:
        phone = Resident(twin, name)
        if phone.is_online():
            phone.leaves()
        eventually(phone.is_captive, f"{name} is captive")
        return phone

    return ready
