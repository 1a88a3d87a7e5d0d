"""The drills the twin can play, in the twin: real fibres, real probes, real Prometheus and Alertmanager."""

import pytest

from lab.drills import play, playable
from lab.town import Lab
from parvis.drills import Drill

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.mark.parametrize("drill", playable(), ids=lambda drill: drill.name)
def test_a_drill_in_the_twin_calls_whom_it_must_and_nobody_else(twin: Lab, drill: Drill) -> None:
    found = play(twin, drill)

    assert found.wrong == ()
    assert (found.seconds is None) == (not drill.calls)
