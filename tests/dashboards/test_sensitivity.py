"""What a fault moves: the panels that declare it and no others, for everything the drills and the twin can break."""

from collections.abc import Mapping

import pytest
from panel_answers import Answer, answers, same
from played_faults import AILMENTS, SITE
from played_town import FAIR
from playing import FAULTS, Play

from dashboards.catalogue import BOARDS
from dashboards.grafana.annotations import ANNOTATIONS
from dashboards.panel import Fault
from lab.agents import faults as twin
from parvis.drills import drills

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

Quiet = dict[tuple[str, int], list[Answer]]
SEEN_AS: Mapping[str, tuple[Fault, ...]] = {
    "announce": ("work-announced",),
    "certificate": ("certificate-ending",),
    "channel-off": ("phone-dead",),
    "clock-step": ("clock-off",),
    "collectors-off": ("collectors-dead",),
    "cut-fibre": ("fibre-cut",),
    "device-off": ("ap-silent", "switch-silent", "fibre-cut"),
    "dim": ("dirty-optic",),
    "dns-off": ("dns-dead",),
    "fail-step": ("visitor-refused", "store-broken"),
    "internet-off": ("internet-cut",),
    "flap": ("link-flaps",),
    "isolate": ("centre-isolated",),
    "loss": ("link-loses",),
    "mains-off": ("mains-cut", "fibre-cut"),
    "mute": ("gateway-silent",),
    "no-snmp": ("agent-silent",),
    "pool": ("pool-full",),
    "prometheus-off": ("beat-lost",),
    "rogue": ("rogue-dhcp",),
    "ruleset-off": ("rules-flushed",),
    "stop": ("portal-dead", "gatewayd-dead"),
    "zombie": ("ap-deserted",),
    "disk": (),
    "evidence-unwritten": (),
}
"""What each deed of parvis/drills.yml is here. A gateway that hangs looks like its fibre, but for the message's words;
a battery that is empty too. A dead Prometheus draws nothing: what is left of it is the age of its last beat. A disk
that is full and a legal log that is not written are figures of the machine's, told by their alerts."""
NO_FAULT = {
    "people",
    "restore",
    "device-on",
    "start",
    "heal-step",
    "internet-on",
    "reconnect",
    "collectors-on",
    "mains-on",
}
NO_FAULT |= {"prometheus-on"}
OF_EQUIPMENT = {"dirty-optic", "no-light", "dead-radio", "zombie", "reboot", "mains-cut", "dead-fan", "dead-supply"}
"""The twin's faults of a device truly in trouble; the others are of what it answers: tests/collectors has them."""


@pytest.fixture(scope="module")
def quiet(play: Play) -> Quiet:
    """What every panel shows while nothing is wrong."""
    return {
        (board.uid, panel.id): answers(play.prometheus, panel, {}, play.shown())
        for board in BOARDS
        for panel in board.panels
    }


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_moves_the_panels_that_declare_it_and_no_others(play: Play, quiet: Quiet, fault: str) -> None:
    wrong = []
    for board in BOARDS:
        for panel in board.panels:
            broken = answers(play.prometheus, panel, {}, play.shown(fault))
            moves = not same(quiet[board.uid, panel.id], broken)
            if moves != (fault in panel.moved_by):
                wrong.append(f"{board.uid} {panel.id} {panel.title.fr}: {'moves' if moves else 'stays'}")

    assert wrong == []


def test_every_fault_is_seen_somewhere() -> None:
    seen = {fault for board in BOARDS for panel in board.panels for fault in panel.moved_by}

    assert seen == set(FAULTS)


def test_whatever_a_drill_breaks_is_played_here() -> None:
    deeds = {step.do for drill in drills().values() for step in drill.steps}

    assert deeds - NO_FAULT == set(SEEN_AS)
    assert {fault for seen in SEEN_AS.values() for fault in seen} <= set(FAULTS)


def test_whatever_the_twin_can_do_to_equipment_is_played_here() -> None:
    assert set(twin.FAULTS) >= OF_EQUIPMENT
    assert {ailment.fault for _, ailment in AILMENTS.values()} == OF_EQUIPMENT


def test_what_fires_is_drawn_across_the_boards(play: Play) -> None:
    shown = play.shown("fibre-cut")
    drawn = {
        row["metric"]["alertname"]
        for one in ANNOTATIONS
        if "ALERTS" in one.expr
        for row in play.prometheus.ask("query", query=one.expr, time=shown.ends)["result"]
    }

    assert drawn == {"LienCoupe", "LienSature"}


@pytest.mark.parametrize(("fault", "sites"), [("", set()), ("work-announced", {SITE})])
def test_announced_work_is_drawn_across_the_boards(play: Play, fault: str, sites: set[str]) -> None:
    (works,) = (one for one in ANNOTATIONS if "maintenance_active" in one.expr)
    found = play.prometheus.ask("query", query=works.expr, time=play.shown(fault).ends)["result"]

    assert {row["metric"]["site"] for row in found} == sites


def test_an_event_of_the_town_is_marked_by_its_name(play: Play) -> None:
    (events,) = (one for one in ANNOTATIONS if "town_event_info" in one.expr)
    (row,) = play.prometheus.ask("query", query=events.expr, time=play.shown().ends)["result"]

    assert (row["metric"]["event"], row["metric"]["site"]) == (FAIR, SITE)
