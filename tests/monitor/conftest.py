"""What the monitor's tests share."""

from pathlib import Path

import pytest
from monitor_actors import Desk, Listener

from monitor.findings import Policy
from parvis.inventory import Town


@pytest.fixture
def listener(town: Town) -> Listener:
    """Three rounds to go down, two to come back."""
    return Listener(town, Policy(fail_after=3, recover_after=2))


@pytest.fixture
def desk(town: Town, tmp_path: Path) -> Desk:
    return Desk(town, tmp_path)
