"""Journeys (b) and (c): a device's figures reach Prometheus; a cut fibre pages once, for its cause."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from actors import DESK, MSP, SPORTS, Resident, eventually, promql, scrape
from lab.town import Lab
from parvis.catalogue import metrics
from parvis.processes import ALL, ARCHIVE, EVIDENCE, MONITOR

SHARED = "portal_shared_"
RUNNING = [process for process in ALL if process not in {EVIDENCE, ARCHIVE}]
"""This twin keeps no evidence: its two processes have a journey of their own."""
pytestmark = [pytest.mark.root, pytest.mark.slow]

CUT_OFF = {"deadline"}
"""The reason of a poll that was under way when the fault began: these polls have 1.5 s in all."""


def test_an_access_points_figures_are_found_by_a_promql_query(twin: Lab) -> None:
    took = eventually(
        lambda: promql(twin, 'sum by (device) (wifi_radio_clients{device="ap-msp-accueil"})'), "clients in Prometheus"
    )

    [found] = promql(twin, 'sum by (town, site, device) (wifi_radio_clients{device="ap-msp-accueil"})')
    print(f"found after {took:.1f} s: {found}")
    assert found["metric"] == {"town": "cachan", "site": MSP, "device": "ap-msp-accueil"}
    assert 0 <= float(found["value"][1]) < 200


def test_every_device_of_the_inventory_is_polled_and_answers(twin: Lab) -> None:
    polled = {device.name for site in twin.town.sites for device in site.polled()}

    eventually(
        lambda: {row["metric"]["device"] for row in promql(twin, "snmp_up == 1")} == polled, "every device answers"
    )
    ages = promql(twin, "max(snmp_poll_age_seconds)")
    assert 0 <= float(ages[0]["value"][1]) < 30


def test_prometheus_scrapes_every_process(twin: Lab) -> None:
    sites = len(twin.town.sites)
    expected = sum(sites if process.place == "gateway" else 1 for process in RUNNING)

    def all_up() -> bool:
        ups = [row for row in promql(twin, 'up{job!~"prometheus|alertmanager"}') if row["value"][1] == "1"]
        return len(ups) == expected

    eventually(all_up, f"{expected} targets are up")
    assert promql(twin, 'up{job!~"prometheus|alertmanager|evidence|archive"} == 0') == []


def test_a_silent_device_has_a_named_reason_and_delays_nobody(twin: Lab) -> None:
    before = failures(twin, "ap-msp-etage")
    twin.fault("ap-msp-etage", "silent")
    try:
        eventually(lambda: "silent" in reasons(twin, "ap-msp-etage", before), "the silence is named")
        named = reasons(twin, "ap-msp-etage", before)
        others = promql(twin, 'snmp_up{device!="ap-msp-etage"} == 0')
        ages = promql(twin, 'max(snmp_poll_age_seconds{device!="ap-msp-etage"})')
    finally:
        twin.heal("ap-msp-etage")

    assert named - CUT_OFF == {"silent"}
    assert others == []
    assert float(ages[0]["value"][1]) < 10


def test_an_agent_that_answers_garbage_has_its_own_reason(twin: Lab) -> None:
    before = failures(twin, "ap-src-guichets")
    twin.fault("ap-src-guichets", "garbage")
    try:
        eventually(lambda: "garbage" in reasons(twin, "ap-src-guichets", before), "the garbage is named")
        named = reasons(twin, "ap-src-guichets", before)
    finally:
        twin.heal("ap-src-guichets")

    assert named - CUT_OFF == {"garbage"}


def test_f54_a_cut_fibre_pages_once_for_the_link_and_for_nothing_behind_it(twin: Lab) -> None:
    """The site is of class A: its link pages at any hour."""
    site = twin.town.site(DESK)
    eventually(lambda: promql(twin, f'uplink_up{{site="{DESK}"}} == 1'), "the link is known to be up")
    twin.cut_fibre(DESK)
    try:
        took = eventually(lambda: events(twin, DESK), "the page", 60)
        eventually(lambda: card(twin, DESK)["uplink"]["state"] == "down", "the wall says so", 15)
        eventually(lambda: promql(twin, f'reachability_state{{site="{DESK}",state="unreachable"}} == 1'), "behind it")
    finally:
        twin.restore_fibre(DESK)

    eventually(lambda: "all-clear" in {event["kind"] for event in events(twin, DESK)}, "the all-clear", 90)
    seen = events(twin, DESK)
    print(f"paged after {took:.1f} s: {seen[0]['text']}")
    assert [(event["alert"], event["kind"]) for event in seen] == [("LienCoupe", "call"), ("LienCoupe", "all-clear")]
    assert seen[0]["person"] in {person.name for person in twin.town.people}
    assert len(site.access_points) > 1


def test_f54_an_access_point_without_power_is_down_and_its_site_is_not(twin: Lab) -> None:
    eventually(lambda: promql(twin, 'ap_up{device="ap-lagrange-tribune"} == 1'), "the access point is up")
    twin.device_off("ap-lagrange-tribune")
    try:
        eventually(lambda: promql(twin, 'ap_up{device="ap-lagrange-tribune"} == 0'), "it is seen to be down")
        assert promql(twin, f'uplink_up{{site="{SPORTS}"}} == 1')
        assert promql(twin, 'ap_up{device="ap-lagrange-gymnase"} == 1')
    finally:
        twin.device_on("ap-lagrange-tribune")
    eventually(lambda: promql(twin, 'ap_up{device="ap-lagrange-tribune"} == 1'), "it is up again", 40)


def test_the_wall_shows_every_site_in_words(twin: Lab, resident: Callable[[str], Resident]) -> None:
    resident(f"{MSP}/1").accepts()
    page = wall(twin)

    for site in twin.town.sites:
        assert site.title.fr in page
    assert "En service" in page or "En ligne" in page


def test_the_catalogue_and_the_processes_say_the_same(twin: Lab) -> None:
    """Every metric exposed is defined in the catalogue, with its kind; every metric of the catalogue is exposed."""
    gateway = str(twin.town.site(MSP).gateway.address)
    for process in RUNNING:
        text = scrape(twin, gateway if process.place == "gateway" else "127.0.0.1", process.port)
        exposed = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE))
        ours = {name: kind for name, kind in exposed.items() if is_ours(name)}
        defined = {m.name: m.kind for m in metrics().values() if m.exposed_by in {process.name, "all"}}
        here = {
            name: kind for name, kind in defined.items() if SHARED not in name
        }  # this town's gateways share nothing

        assert ours == here, process.name


def test_no_label_of_any_series_looks_like_a_residents_address(twin: Lab) -> None:
    done = twin.exec("centre", ["curl", "-sS", 'http://127.0.0.1:9090/api/v1/series?match[]={town!=""}', "-g"])
    series = json.loads(done.stdout)["data"]
    guests = re.compile(r"\b10\.1[1-4]\.\d+\.\d+\b|^2001:db8:1[1-4]:")
    equipment = {point.mac.text for site in twin.town.sites for point in site.access_points}
    mac = re.compile(r"^([0-9a-f]{2}:){5}[0-9a-f]{2}$")

    assert len(series) > 100
    wrong = [
        (row["__name__"], label)
        for row in series
        for label, text in row.items()
        if guests.search(text) or (mac.match(text) and text not in equipment and row["__name__"] != "port_info")
    ]
    assert wrong == []


def failures(twin: Lab, device: str) -> dict[str, float]:
    """How often *device*'s polls have failed, by reason."""
    found = promql(twin, f'snmp_poll_failures_total{{device="{device}"}}')
    return {row["metric"]["reason"]: float(row["value"][1]) for row in found}


def reasons(twin: Lab, device: str, before: dict[str, float]) -> set[str]:
    """The reasons for which *device*'s polls have failed since *before*; a busy machine may have missed one earlier."""
    return {reason for reason, count in failures(twin, device).items() if count > before.get(reason, 0)}


def is_ours(name: str) -> bool:
    """Whether a family is not one that prometheus_client itself adds."""
    return name == "process_info" or not (name.startswith(("process_", "python_")) or name.endswith("_created"))


def events(twin: Lab, site: str) -> list[dict[str, Any]]:
    """What was sent about a site: to whom, for what."""
    path = twin.folder / "centre" / "monitor" / "pages.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [event for event in map(json.loads, lines) if event["site"] == site]


def wall(twin: Lab, page: str = "wall") -> str:
    done = twin.exec("centre", ["curl", "-sS", f"http://127.0.0.1:{MONITOR.port}/{page}"])
    assert done.returncode == 0, done.stderr
    return done.stdout


def card(twin: Lab, site: str) -> dict[str, Any]:
    """What the wall says of one site."""
    cards = {row["site"]: row for row in json.loads(wall(twin, "wall.json"))["sites"]}
    found: dict[str, Any] = cards[site]
    return found
