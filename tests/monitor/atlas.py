"""An actor: the monitor's application with a day of history behind it, no loop running, the clock the test's."""

import shutil
import time
import zlib
from math import sin
from pathlib import Path
from typing import Any

from monitor_actors import Desk, Listener, empty_history

from monitor.collectors import Heard
from monitor.exposition import figures, named
from monitor.findings import Policy
from monitor.history.blocks import Block
from monitor.history.recorder import HISTORY_FILE, Recorder
from monitor.history.series import FUNNEL_STEPS, OF_COLLECTORS, OF_PORTAL, Values
from monitor.observations import Outcome, Sample
from monitor.scrapes import Scrape
from monitor.signals import WANTED_OF_GATEWAY
from monitor.sites import views
from monitor.watch import Picture
from monitor.web.pages import Places
from parvis.inventory import Town

DAY = 86400
SLOTS = 288
COLLECTED = """
device_info{town="cachan",device="ap-lagrange-gymnase",vendor="Ubiquiti",model="U6-Pro",version="6.6.77"} 1
device_uptime_seconds{town="cachan",site="leo-lagrange",device="ap-lagrange-gymnase"} 864000
wifi_radio_channel{town="cachan",site="leo-lagrange",device="ap-lagrange-gymnase",radio="wifi0",band="2.4"} 6
wifi_radio_channel{town="cachan",site="leo-lagrange",device="ap-lagrange-gymnase",radio="wifi1",band="5"} 44
wifi_radio_clients{town="cachan",site="leo-lagrange",device="ap-lagrange-gymnase",radio="wifi1",band="5"} 9
wifi_radio_channel_utilization_ratio{device="ap-lagrange-gymnase",radio="wifi1",band="5",part="total"} 0.31
snmp_poll_duration_seconds{town="cachan",site="leo-lagrange",device="sw-lagrange"} 0.42
optical_state{town="cachan",site="leo-lagrange",device="sw-lagrange",port="25",state="ok"} 1
optical_rx_power_dbm{town="cachan",site="leo-lagrange",device="sw-lagrange",port="25",lane="1"} -14.2
optical_tx_power_dbm{town="cachan",site="leo-lagrange",device="sw-lagrange",port="25",lane="1"} -3.1
optical_threshold_dbm{town="cachan",device="sw-lagrange",port="25",which="rx_low_warn",source="module"} -20
optical_margin_db{town="cachan",device="sw-lagrange",port="25",lane="1",which="rx_low_warn"} 5.8
optical_drift_db{town="cachan",device="sw-lagrange",port="25",lane="1",direction="rx"} -1.2
"""


BEYOND = """uplink_target_up{target="203.0.113.53"} 1
uplink_target_rtt_seconds{target="203.0.113.53"} 0.0042
uplink_target_loss_ratio{target="203.0.113.53"} 0.05
uplink_target_up{target="203.0.113.80"} 0
"""


def portal_text(scale: int) -> str:
    steps = "\n".join(f'portal_funnel_total{{step="{s}"}} {scale * (10 - n)}' for n, s in enumerate(FUNNEL_STEPS))
    return f'{steps}\nportal_sessions_active 4\nportal_errors_total{{reason="unknown"}} 2\n{BEYOND}'


def scrape(text: str, names: tuple[str, ...], at: float) -> Scrape:
    return Scrape(at, figures(text, named(names)), zlib.compress(text.encode()), "")


def day_of(town: Town, slot: int) -> dict[str, Block]:
    """The blocks of one slot of an ordinary day: more people at noon, latency with a little noise."""
    found = {}
    for site in town.sites:
        link, noise = site.uplink.name, abs(sin(slot * 1.7))
        values: Values = {
            f"rtt/{link}": 4 + noise,
            f"loss/{link}": 0.0,
            f"clients/{site.site}": max(0.0, 20 * sin(slot / 92)),
            f"rx/{link}": -14 - noise / 5,
            f"in/{link}": 40 + 30 * sin(slot / 50),
            f"out/{link}": 10 + noise,
            f"sessions/{site.site}": 12.0,
        }
        values |= {f"funnel/{site.site}/{step}": 10.0 - n for n, step in enumerate(FUNNEL_STEPS) if slot % 24 == 0}
        for point in site.access_points:
            values |= {
                f"rtt/{point.name}": 2 + noise,
                f"clients/{point.name}": 5 + noise,
                f"airtime/{point.name}": 30.0,
            }
        for name, value in values.items():
            wide = value + 3 * noise if name.startswith("rtt") else value
            found[name] = Block(15 if not name.startswith("funnel") else 1, value, value * 0.9, value, wide, wide)
    return found


class Atlas:
    """The pages over a town that has run for a day."""

    def __init__(self, town: Town, state: Path, *, day: bool = True, **settings: Any) -> None:
        self.town = town
        shutil.copy(empty_history(), state / HISTORY_FILE)
        self.desk = Desk(town, state, **settings)
        self.now = time.time()
        self.recorder = Recorder(town, self.desk.settings, self.desk.metrics, lambda: self.now)
        self.app = self.desk.client.application
        watch, duty = self.desk.watch, self.desk.duty
        Places(town, self.desk.settings, watch, duty, self.recorder, lambda: self.now).add_to(self.app)
        self.client = self.desk.client
        self.listener = Listener(town, Policy(fail_after=3, recover_after=2))
        if day:
            self._lives_a_day()

    def _lives_a_day(self) -> None:
        start = int(self.now // 300) * 300 - DAY
        for slot in range(SLOTS):
            self.recorder.history.write(start + slot * 300, day_of(self.town, slot))
        for step in range(360):
            at = self.now - 7200 + step * 20
            self.recorder.ring.add(at, {f"rtt/{site.uplink.name}": 4 + sin(step) for site in self.town.sites})
        self.recorder.scrapes.collectors = scrape(COLLECTED, OF_COLLECTORS, self.now - 20)
        portal = scrape(portal_text(2), (*OF_PORTAL, *WANTED_OF_GATEWAY), self.now - 20)
        self.recorder.scrapes.portals = {site.site: portal for site in self.town.sites}

    def shows(self, *, silent: tuple[str, ...] = (), rounds: int = 4) -> "Atlas":
        """What the watch has just seen."""
        self.listener.now = self.now - rounds * 5
        self.listener.hears(rounds, silent=silent)
        found = self.listener.findings
        samples = tuple(
            Sample(p.name, up=True, succeeded_at=self.now - 8, clients=6)
            for s in self.town.sites
            for p in s.access_points
        )
        outcomes = [Outcome(one.target.name, one.target.name not in silent, 0.0, 0.01, None, 0.01) for one in found]
        sites = views(self.town, found, samples)
        self.desk.watch.picture = Picture(self.now, found, sites, Heard(self.now, samples), outcomes)
        self.recorder.note(self.desk.watch.picture)
        return self

    def text(self, address: str) -> str:
        answer = self.client.get(address)
        assert answer.status_code == 200, f"{address}: {answer.status_code} {answer.text[:200]}"
        return str(answer.text).replace("&#39;", "'")
