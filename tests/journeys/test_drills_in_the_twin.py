"""Drills in the twin: real fibres, real probes, real Prometheus and Alertmanager.

One that calls, one that must not; a single cut fibre is a journey of its own, and ``parvis lab drill --all`` plays all.
"""

import pytest

from lab.drills import chosen, play
from lab.town import Lab
from parvis.drills import Drill

pytestmark = [pytest.mark.root, pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.mark.parametrize("drill", chosen(("whole-town-cut", "ap-hung"), everything=False), ids=lambda drill: drill.name)
def test_a_drill_in_the_twin_calls_whom_it_must_and_nobody_else(twin: Lab, drill: Drill) -> None:
    found = play(twin, drill)

    assert found.wrong == ()
    assert (found.seconds is None) == (not drill.calls)
