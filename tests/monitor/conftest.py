"""What the monitor's tests share."""

import pytest
from monitor_actors import Listener

from monitor.findings import Policy
from parvis.inventory import Town


@pytest.fixture
def listener(town: Town) -> Listener:
    """Three rounds to go down, two to come back."""
    return Listener(town, Policy(fail_after=3, recover_after=2))
