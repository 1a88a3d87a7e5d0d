"""The recorder: what the watch sees becomes samples, roll-ups, spells and outages, across restarts and silences."""

import shutil
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from monitor_actors import Listener, empty_history

from monitor.collectors import Heard
from monitor.exposition import Figure
from monitor.findings import State
from monitor.history.blocks import FIVE_MINUTES, rolled
from monitor.history.recorder import HISTORY_FILE, Recorder
from monitor.history.series import FUNNEL_STEPS, of_portal, of_probes, of_traffic
from monitor.instruments import MonitorMetrics
from monitor.observations import Outcome, Sample
from monitor.scrapes import Scrape
from monitor.settings import MonitorSettings
from monitor.sites import views
from monitor.sla.commands import sla
from monitor.sla.outages import Cause
from monitor.watch import Picture
from parvis.inventory import Town

SITE, UPLINK = "leo-lagrange", "fibre-lagrange"
BEHIND = ["gw-lagrange", "sw-lagrange", "ap-lagrange-gymnase", "ap-lagrange-tribune"]


class Scribe:
    """A recorder whose clock is the listener's; nothing runs by itself."""

    def __init__(self, listener: Listener, state: Path) -> None:
        self.listener = listener
        self.state = state
        self.echo, self.octets = 0.012, 0.0
        if not (state / HISTORY_FILE).exists():
            shutil.copy(empty_history(), state / HISTORY_FILE)
        self.starts()

    def carries(self, megabits: float, minutes: int) -> "Scribe":
        labels = {"device": "sw-lagrange", "port": "25"}
        for _ in range(minutes):
            self.octets += megabits * 1e6 / 8 * 60
            figures = (Figure("port_receive_bytes_total", labels, self.octets),)
            self.recorder.scrapes.collectors = Scrape(self.listener.now, figures, b"", "")
            self.sees(3)
        return self

    def starts(self) -> "Scribe":
        town = self.listener.town
        settings = MonitorSettings(state=self.state, probe_interval=20, probe_timeout=2)
        self.metrics = MonitorMetrics(town.town)
        self.recorder = Recorder(town, settings, self.metrics, lambda: self.listener.now)
        return self

    def sees(self, rounds: int = 1, *, silent: Iterable[str] = (), lossy: Iterable[str] = ()) -> "Scribe":
        silent, heard = list(silent), self.listener
        for _ in range(rounds):
            heard.hears(silent=silent, lossy=lossy)
            heard.now += 15
            outcomes = [
                Outcome(f.target.name, f.target.name not in silent, 0.0, 0.01, None, self.echo) for f in heard.findings
            ]
            samples = (Sample("ap-lagrange-gymnase", up=True, succeeded_at=heard.now - 3, clients=7),)
            sites = views(heard.town, heard.findings, samples)
            found = Picture(heard.now, heard.findings, sites, Heard(heard.now, samples), outcomes)
            self.seen = found
            self.recorder.note(found)
        return self

    def outages(self) -> list[tuple[float, float | None]]:
        found = self.recorder.register.outages(0, 1e12)
        return [(one.detected_at, one.verified_at) for one in found]


@pytest.fixture
def scribe(listener: Listener, tmp_path: Path) -> Scribe:
    listener.now = 1_764_000_000.0
    return Scribe(listener, tmp_path)


def test_fib03_an_outage_begins_with_the_first_missing_echo_and_ends_when_it_is_seen_to_work(scribe: Scribe) -> None:
    scribe.sees(5)
    began = scribe.listener.now + 5
    scribe.sees(6, silent=[UPLINK, *BEHIND])
    confirmed = scribe.recorder.register.under_way()[UPLINK].confirmed_at
    scribe.sees(4)
    detected, verified = scribe.outages()[0]

    assert len(scribe.outages()) == 1
    assert detected == began
    assert confirmed == began + 40
    assert verified == began + 6 * 20 + 20


def test_an_outage_goes_on_over_a_restart_and_is_the_same_one(scribe: Scribe) -> None:
    scribe.sees(3).sees(5, silent=[UPLINK, *BEHIND])
    scribe.starts().sees(5, silent=[UPLINK, *BEHIND])
    under_way = scribe.recorder.register.under_way()
    scribe.sees(4)

    assert list(under_way) == [UPLINK]
    assert len(scribe.outages()) == 1
    assert scribe.outages()[0][1] is not None


def test_fib04_a_link_that_loses_a_twentieth_is_a_partial_outage_of_its_own(scribe: Scribe) -> None:
    scribe.sees(3).sees(5, lossy=[UPLINK])
    partial = scribe.recorder.register.under_way()[UPLINK]
    scribe.sees(10, silent=[UPLINK, *BEHIND]).sees(5)  # where echoes get lost, a few missing ones are no cut yet
    found = scribe.recorder.register.outages(0, 1e12)

    assert partial.partial
    assert [one.partial for one in found] == [True, False]
    assert all(one.verified_at for one in found)


def test_fib04_a_link_that_lets_through_far_less_than_was_sold_is_a_partial_outage(scribe: Scribe) -> None:
    start = FIVE_MINUTES.slot_of(scribe.listener.now) - 6 * 3600
    for number in range(48):
        scribe.recorder.history.write(start + number * FIVE_MINUTES.slot, {f"rtt/{UPLINK}": rolled([4.0, 5.0])})
    scribe.recorder.history.tidy(scribe.listener.now)
    scribe.carries(40, minutes=15)
    quiet = scribe.outages()
    scribe.echo = 0.2
    began = scribe.listener.now
    scribe.carries(40, minutes=15)
    found = scribe.recorder.register.under_way()[UPLINK]
    scribe.echo = 0.012
    scribe.carries(40, minutes=15)

    assert quiet == [], "little traffic and no queue is no outage"
    assert found.partial
    assert found.evidence is not None
    assert found.evidence["delivered_mbits"] == "40"
    assert began - 600 <= found.detected_at < began + 300
    (detected, verified), *others = scribe.outages()
    assert others == []
    assert verified is not None
    assert verified > detected + 900


def test_fib04_each_silence_of_a_link_that_flaps_is_an_outage(scribe: Scribe) -> None:
    scribe.sees(3)
    for _ in range(5):
        scribe.sees(4, silent=[UPLINK, *BEHIND]).sees(3)

    assert scribe.listener.reason(UPLINK).value == "flapping"
    assert len(scribe.outages()) == 5
    assert all(verified is not None for _, verified in scribe.outages())


def test_fib07_an_isolated_monitor_begins_no_outage_and_leaves_a_gap(scribe: Scribe) -> None:
    everything = [finding.target.name for finding in scribe.sees(3).listener.findings]
    before = scribe.listener.now
    scribe.sees(20, silent=everything).sees(4)
    spells = scribe.recorder.register.spells(UPLINK, 0, 1e12)

    assert scribe.outages() == []
    assert [spell.state for spell in spells] == ["up", "up"]
    assert spells[0].seen_at < before + 120
    assert spells[1].starts_at > before + 300


def test_fib04_the_evidence_is_kept_with_the_outage(scribe: Scribe) -> None:
    labels = {"device": "sw-lagrange", "port": "25"}
    light = (Figure("optical_state", labels | {"state": "no_light"}, 1.0),)
    scribe.recorder.scrapes.collectors = Scrape(scribe.listener.now + 50, light, b"", "")
    scribe.sees(3).sees(5, silent=[UPLINK, *BEHIND])
    found = scribe.recorder.register.under_way()[UPLINK]

    assert found.cause is Cause.OPERATOR
    assert found.evidence is not None
    assert found.evidence["optics"] == "no_light"
    assert found.evidence["others_down"] == "0/3"
    assert found.evidence["gw-lagrange"] == State.UNREACHABLE.value


def test_fib05_how_much_of_what_the_contract_allows_is_used_is_shown(scribe: Scribe) -> None:
    site = scribe.listener.town.site("maison-services-publics")
    now, register = scribe.listener.now, scribe.recorder.register
    number = register.begin(site.uplink.name, now - 7200, now - 7200, partial=False, cause=Cause.OPERATOR, evidence={})
    register.change(number, verified_at=now)
    scribe.sees(20)
    line = site.uplink.line
    assert line is not None
    assert line.sla is not None
    assert line.sla.ims_year is not None
    shown = {
        name: scribe.metrics.registry.get_sample_value(
            "uplink_allowance_used_ratio", {"town": "cachan", "site": name, "uplink": uplink}
        )
        for name, uplink in ((site.site, site.uplink.name), (SITE, UPLINK))
    }

    assert shown[site.site] == pytest.approx(7200 / line.sla.ims_year, rel=0.05)
    assert shown[SITE] is None, "nothing of the kind is promised there"


def test_what_is_counted_between_two_scrapes_is_not_lost_to_a_step_that_has_its_samples(scribe: Scribe) -> None:
    scribe.sees(2)
    labels = {"device": "sw-lagrange", "port": "25"}
    for octets in (0.0, 3e9):
        figures = (Figure("port_receive_bytes_total", labels, octets),)
        scribe.recorder.scrapes.collectors = Scrape(scribe.listener.now, figures, b"", "")
        scribe.listener.now += 5  # the same step as before: its samples are there already
        scribe.recorder.note(replace(scribe.seen, at=scribe.listener.now))
        scribe.sees(3)

    assert scribe.recorder.ring.samples(f"in/{UPLINK}", 0, 1e12)


def test_the_rings_five_minutes_are_written_once_they_are_over(scribe: Scribe) -> None:
    scribe.sees(40, silent=["ap-msp-etage"])
    read = scribe.recorder.history.read(
        [f"rtt/{UPLINK}", "loss/ap-msp-etage", "clients/ap-lagrange-gymnase"], 0, 1e12, FIVE_MINUTES
    )

    assert [round(block.middle) for _, block in read[f"rtt/{UPLINK}"]] == [12, 12]
    assert {block.mean for _, block in read["loss/ap-msp-etage"]} == {100.0}
    assert [block.top for _, block in read["clients/ap-lagrange-gymnase"]] == [7.0, 7.0]
    assert scribe.recorder.ring.samples(f"rtt/{UPLINK}", 0, 1e12)[-1][1] == pytest.approx(12)


def test_an_echo_that_was_not_sent_is_no_loss() -> None:
    assert of_probes([Outcome("a", None)], []) == {}
    assert of_probes([Outcome("a", answered=False)], []) == {"loss/a": 100.0}


def test_traffic_is_the_uplink_port_s_and_a_counter_that_fell_says_nothing(town: Town) -> None:
    labels = {"device": "sw-msp", "port": "25"}
    before = [Figure("port_receive_bytes_total", labels, 1e9)]

    seen = of_traffic(town, before, [Figure("port_receive_bytes_total", labels, 1e9 + 75e6)], 60)
    assert seen == {"in/fibre-msp": 10.0}
    assert of_traffic(town, before, [Figure("port_receive_bytes_total", labels, 5.0)], 60) == {}
    assert of_traffic(town, before, [Figure("port_receive_bytes_total", labels | {"port": "1"}, 2e9)], 60) == {}


def test_the_funnel_counts_what_came_since_the_last_reading() -> None:
    def counted(value: float) -> list[Figure]:
        return [Figure("portal_funnel_total", {"step": step}, value) for step in FUNNEL_STEPS]

    assert of_portal("msp", [], counted(9)) == {}
    assert of_portal("msp", counted(9), counted(12))["funnel/msp/page"] == 3
    assert of_portal("msp", counted(9), counted(2))["funnel/msp/page"] == 2, "a portal that has started again"


def test_fib01_fib05_s35_the_command_line_gives_an_outage_its_ticket_its_cause_and_its_report(
    scribe: Scribe, tmp_path: Path
) -> None:
    scribe.sees(3).sees(5, silent=[UPLINK, *BEHIND]).sees(5)
    settings = tmp_path / "monitor.toml"
    settings.write_text(f'state = "{tmp_path}"\n')

    def run(*words: str) -> str:
        done = CliRunner().invoke(sla, [*words, "--settings", str(settings)])
        return done.output

    assert "fibre-lagrange" in run("outages", "--month", "2025-11")
    assert "signalled 24/11/2025 17:30, ticket INC-4711" in run("signal", "1", "INC-4711", "--at", "2025-11-24T17:30")
    assert "restored would come before signalled" in run("restored", "1", "--at", "2025-11-24T17:00")
    assert "outage 1: opérateur" in run("cause", "1", "operator", "--note", "Fibre coupée rue de la Paix")
    assert "2 h do not count" in run(
        "freeze", "1", "--from", "2025-11-24T18:00", "--until", "2025-11-24T20:00", "--why", "site fermé"
    )
    assert "there is no outage 9; see: parvis sla outages" in run("ticket", "9")
    sheet = run("ticket", "1")
    for words in ("FTTH-PRO-2023-008", "OO-A1B2-C3G7", "INC-4711", "Gardien du complexe", "PON, LOS", "+33 1 99"):
        assert words in sheet
    made = run("report", "2025-11", "--link", UPLINK, "--into", str(tmp_path / "out"))
    assert "1 outage(s)" in made
    html = (tmp_path / "out/sla-fibre-lagrange-2025-11.html").read_text()
    assert "Fibre coupée rue de la Paix" in html
    assert "Disponibilité vécue" in html
    assert (tmp_path / "out/sla-fibre-lagrange-2025-11.pdf").read_bytes().startswith(b"%PDF")
    assert "INC-4711" in (tmp_path / "out/sla-fibre-lagrange-2025-11.csv").read_text("utf-8-sig")


def test_the_usual_crowd_of_an_hour_is_shown_by_local_day_and_hour(scribe: Scribe) -> None:
    for _ in range(3):
        scribe.sees()
        scribe.listener.now += 3600
    scribe.starts().sees()
    shown = {
        (sample.labels["weekday"], sample.labels["hour"]): sample.value
        for family in scribe.recorder._metrics.registry.collect()
        if family.name == "town_clients_typical"
        for sample in family.samples
    }

    assert shown
    assert set(shown.values()) == {7.0}
    began = datetime.fromtimestamp(1_764_000_000, ZoneInfo("Europe/Paris"))
    assert (str(began.isoweekday()), f"{began.hour:02d}") in shown
