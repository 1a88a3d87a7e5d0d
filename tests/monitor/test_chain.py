"""What the drills take Prometheus and Alertmanager for: no kinder than they are."""

from datetime import datetime
from pathlib import Path

import pytest
from monitor_actors import Desk

from monitor.checks import Verdict
from monitor.drills.chain import Chain
from monitor.incidents import Alert
from parvis.alerts import alerts
from parvis.inventory import Town

SITE, SUBJECT = "leo-lagrange", {"LienCoupe": "fibre-lagrange", "CommutateurMuet": "sw-lagrange"}
DARK: set[tuple[str, str]] = set()


def verdict(name: str, desk: Desk) -> dict[str, Verdict]:
    rule, now = alerts()[name], desk.clock()
    alert = Alert(name, SITE, SUBJECT.get(name, ""), "page", rule.layer, f"{name} !", "", "", 1.0, rule.cause)
    return {alert.identity: Verdict(alert, wrong=True, firing=True, since=1.0, until=now)}


class Told:
    """A chain that is told the same for a while."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.chain = Chain(desk.engine)

    def lasts(self, seconds: float, *names: str, well: set[tuple[str, str]] = DARK) -> "Told":
        for _ in range(round(seconds / 5)):
            self.desk.passes(5, step=5)
            said = {i: v for name in names for i, v in verdict(name, self.desk).items()}
            self.chain.step(said, well, self.desk.clock())
        return self


@pytest.fixture
def told(town: Town, tmp_path: Path) -> Told:
    return Told(Desk(town, tmp_path, now=datetime(2026, 6, 3, 23)))  # noqa: DTZ001 any evening


def test_what_can_no_longer_be_known_ends_after_its_keep_unless_its_rule_holds_it(told: Told) -> None:
    told.lasts(60, "LienCoupe").lasts(60, "PareFeuAbsent").lasts(900)

    states = dict(zip([row["key"] for row in told.desk.incidents()], told.desk.states(), strict=True))
    assert states == {f"{SITE}/uplink": "open"}, "what the cut link explains is told by nobody"
    told.lasts(60, well={("uplink_up", SITE)})
    told.lasts(300, well={("uplink_up", SITE)})
    assert told.desk.states() == ["resolved"]


def test_what_no_rule_holds_ends_after_its_keep(told: Told) -> None:
    told.lasts(60, "PareFeuAbsent").lasts(240)
    assert told.desk.states() == ["open"]

    told.lasts(120)
    assert told.desk.states() == ["resolved"]


def test_what_a_graver_alert_inhibits_is_not_over(told: Told) -> None:
    told.lasts(60, "CommutateurMuet").lasts(60, "CommutateurMuet", "LienCoupe")

    assert told.desk.states() == ["open"]
    assert len(told.desk.incidents()) == 1
