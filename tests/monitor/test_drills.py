"""Drills: the same decisions as in production, in virtual time; each cause one call, to who is on duty, in time."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from monitor_actors import empty_book

from monitor.drills.commands import drill as drill_command
from monitor.drills.noise import disturbances, noisy
from monitor.drills.play import Call, Played, play
from monitor.drills.report import judged, total
from monitor.drills.world import DEEDS, drill_town
from parvis.drills import Drill, drills
from parvis.inventory import Town

CUT = "fibre-cut-class-a-at-night"
OF_THE_PLAYER = {"announce", "clock-step", "prometheus-off", "prometheus-on", "channel-off"}
REPRESENTATIVE = (
    CUT,
    "fibre-cut-by-day",
    "slow-flapping-link",
    "whole-town-cut",
    "monitor-isolated-for-a-moment",
    "mains-cut-with-battery",
    "switch-dead-then-fibre-cut",
    "dirty-optic",
    "dns-dead-everywhere",
    "dhcp-pool-full",
    "fibre-cut-then-prometheus-dead",
    "work-overruns",
    "four-faults-at-once",
)


def test_there_are_more_than_forty_and_each_can_be_played() -> None:
    steps = {step.do for one in drills().values() for step in one.steps}

    assert len(drills()) >= 40
    assert steps <= {*DEEDS, *OF_THE_PLAYER}
    assert sum(not one.calls for one in drills().values()) >= 10, "what must stay silent is drilled as well"
    assert {one.within for one in drills().values()} <= {float(n) for n in range(10, 181)}


@pytest.mark.slow
@pytest.mark.parametrize("name", REPRESENTATIVE)
def test_the_drill_calls_whom_it_must_once_in_time_and_nobody_else(town: Town, tmp_path: Path, name: str) -> None:
    one = drills()[name]
    shutil.copy(empty_book(), tmp_path)
    verdict = judged(one, play(one, drill_town(town), tmp_path))

    assert verdict.wrong == ()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 5, 10])
@pytest.mark.parametrize("name", ["mains-cut-with-battery", "mains-cut-with-weak-battery"])
def test_the_mains_speaks_before_what_falls_silent_with_it(town: Town, tmp_path: Path, name: str, seed: int) -> None:
    """Whenever the polls fall."""
    one = drills()[name]
    shutil.copy(empty_book(), tmp_path)
    verdict = judged(one, play(one, drill_town(town), tmp_path, seed))

    assert verdict.wrong == ()


def test_the_report_tells_what_went_wrong() -> None:
    wanted = Drill.model_validate(
        {
            "name": "x",
            "title": "x y z",
            "steps": [{"do": "cut-fibre"}],
            "calls": {"LienCoupe@a": 10, "LienCoupe@b": 0},
            "within": 60,
            "words": "Fibre",
        }
    )
    calls = [Call("LienCoupe@a", 1, 100.0, "agent-1", ""), Call("VilleCoupee@", 2, 20.0, "agent-2", "")]
    verdict = judged(wanted, Played(calls, {1: "LienCoupe@a", 2: "VilleCoupee@", 3: "BorneMuette@a"}, {}, "agent-1"))

    assert (verdict.missed, verdict.false, verdict.loud) == (
        ("LienCoupe@b",),
        ("VilleCoupee@",),
        ("VilleCoupee@", "BorneMuette@a"),
    )
    assert verdict.wrong == (
        "nobody was called for LienCoupe@b",
        "somebody was called for VilleCoupee@",
        "an incident was opened for BorneMuette@a",
        "LienCoupe@a after 90 s",
        "agent-2 was called, agent-1 is on duty",
        "no message says 'Fibre': ['', '']",
    )
    found = total([verdict])
    assert (found.recall, found.precision, found.calls_per_cause, found.median) == (0.5, 0.5, 2.0, 90.0)


@pytest.mark.slow
def test_two_days_of_ordinary_noise_call_nobody(town: Town, tmp_path: Path) -> None:
    shutil.copy(empty_book(), tmp_path)
    found = noisy(drill_town(town), tmp_path, days=2, seed=7)

    assert found.events >= 40
    assert found.played.rounds > 300
    assert [call.cause for call in found.played.calls] == []


def test_noise_is_the_same_for_the_same_seed(town: Town) -> None:
    from random import Random  # noqa: PLC0415

    one, again, other = (disturbances(town, 3, Random(seed)) for seed in (1, 1, 2))
    assert one == again != other


@pytest.mark.slow
def test_the_command_prints_what_was_measured_and_says_when_a_drill_failed() -> None:
    done = CliRunner().invoke(drill_command, ["micro-cut", "monitor-isolated"])

    assert done.exit_code == 0, done.output
    assert "recall 1.000  precision 1.000  calls per cause 1.00" in done.output
    assert "2 drills, 0 failed; 1 causes, 1 calls" in done.output


def test_the_command_lists_the_drills_and_refuses_others() -> None:
    assert CUT in CliRunner().invoke(drill_command, []).output
    refused = CliRunner().invoke(drill_command, ["fibre-cut-class-a"])
    assert refused.exit_code == 2
    assert "no drill is called fibre-cut-class-a" in " ".join(refused.output.split())
