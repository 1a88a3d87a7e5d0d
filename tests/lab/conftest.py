"""A lab of the tests' own, beside any that runs: another prefix, another folder, one site, one resident."""

from collections.abc import Iterator

import pytest

from lab.building import Options
from lab.town import Lab


@pytest.fixture(scope="session")
def small() -> Options:
    return Options(sites=("maison-services-publics",), residents=1, prefix="pl-", windows=False)


@pytest.fixture(scope="module")
def lab(small: Options, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    twin = Lab(tmp_path_factory.mktemp("twin") / "lab")
    twin.up(small)
    yield twin
    twin.down()
