"""What the monitor judges itself, so that a machine without Prometheus calls: in words, of disk and legal log too."""

from dataclasses import replace
from pathlib import Path

import pytest
from monitor_actors import Listener

from monitor.checks import check
from monitor.drills.world import drill_town
from monitor.exposition import Figure
from monitor.gathering import Gathering, own_disk
from monitor.scrapes import Scrape, Scrapes
from monitor.settings import MonitorSettings
from monitor.signals import EVIDENCE, PORTAL, Signals, Visited
from parvis.alerts import alerts
from parvis.catalogue import metric
from parvis.inventory import Town

SITE, GATEWAY = "bibliotheque-centrale", "gw-biblio"
PLACE = {"site": SITE, "device": GATEWAY}


def wrong(listener: Listener, signals: Signals) -> dict[str, str]:
    """Identity -> words of what is wrong."""
    verdicts = check(drill_town(listener.town), listener.findings, 5.0, {}, listener.now, signals=signals)
    return {identity: one.alert.summary for identity, one in verdicts.items() if one.wrong}


def disk(free: float, **labels: str) -> tuple[Figure, Figure]:
    return Figure("state_disk_free_bytes", labels, free), Figure("state_disk_size_bytes", labels, 100.0)


@pytest.mark.parametrize(("free", "told"), [(4.0, True), (6.0, False)])
def test_a_disk_that_is_nearly_full_is_told_of_the_gateway_and_of_the_monitor(
    listener: Listener, free: float, told: bool
) -> None:
    figures = (*disk(free, **PLACE, folder="state"), *disk(free, job="monitor", folder="state"))
    found = wrong(listener.hears(3), Signals(figures))

    gateway, own = f"DisquePlein/{SITE}/{GATEWAY}", "DisquePlein//monitor"
    assert (set(found) == {gateway, own}) == told
    if told:
        assert (found[gateway], found[own]) == (f"Disque bientôt plein : {GATEWAY}", "Disque bientôt plein : monitor")


def test_of_several_disks_of_a_machine_the_fullest_counts(listener: Listener) -> None:
    some = (*disk(90.0, **PLACE, folder="state"), *disk(2.0, **PLACE, folder="evidence"))

    assert set(wrong(listener.hears(3), Signals(some))) == {f"DisquePlein/{SITE}/{GATEWAY}"}


def test_a_legal_log_that_is_not_written_and_a_recorder_that_is_dead_are_told(listener: Listener) -> None:
    unwritten = Signals((Figure("evidence_write_up", PLACE, 0.0),), running={(SITE, EVIDENCE): True})
    dead = Signals(running={(SITE, EVIDENCE): False})

    assert set(wrong(listener.hears(3), unwritten)) == {f"PreuvesNonEcrites/{SITE}/{GATEWAY}"}
    assert set(wrong(listener, dead)) == {f"EnregistreurMuet/{SITE}/{GATEWAY}"}
    assert wrong(listener, Signals()) == {}, "where nobody records, nobody is missed"


def test_behind_a_cut_link_no_recorder_is_accused(listener: Listener) -> None:
    listener.hears(3).hears(4, silent=["fibre-biblio", GATEWAY, "sw-biblio"])
    verdicts = check(
        listener.town, listener.findings, 5.0, {}, listener.now, signals=Signals(running={(SITE, EVIDENCE): False})
    )

    assert verdicts[f"EnregistreurMuet/{SITE}/{GATEWAY}"].wrong is None


def test_no_message_of_the_monitors_own_has_a_hole_where_prometheus_would_fill_one(listener: Listener) -> None:
    """Every rule it judges, with labels and without: whoever is called reads words, never a template."""
    compared = tuple(
        Figure(rule.metric, {**PLACE, "port": "25"}, value)
        for rule in alerts().values()
        if rule.scope == "site" and rule.metric and metric(rule.metric).exposed_by != "monitor"
        for value in (-1e9, 1e9, 0.0)
    )
    signals = Signals(
        (*compared, *disk(1.0, **PLACE, folder="state")),
        running={(SITE, PORTAL): False, (SITE, EVIDENCE): False},
        visits={SITE: Visited("dns", dns=False, hazards=("rogue-dhcp", "rogue-ra"))},
        mains={"ups-biblio": False},
    )
    verdicts = check(drill_town(listener.town), listener.hears(3).findings, 5.0, {}, listener.now, signals=signals)
    said = {identity: verdict.alert.summary for identity, verdict in verdicts.items()}

    assert {identity: words for identity, words in said.items() if "{" in words or "$" in words} == {}
    assert said[f"ServicePasserelleArrete/{SITE}/{GATEWAY}"] == "portal ne tourne plus : Bibliothèque centrale"
    assert "(rogue-dhcp, rogue-ra)" in said[f"EquipementIndesirable/{SITE}/"]


def test_what_a_gateways_recorder_says_is_read_and_its_silence_known_once_it_has_answered(
    town: Town, tmp_path: Path
) -> None:
    scrapes = Scrapes(town, MonitorSettings(state=tmp_path))
    page = Scrape(1000.0, (Figure("evidence_write_up", {}, 1.0),), wrong="")
    scrapes.recorders = {SITE: page, "leo-lagrange": Scrape()}
    signals = Gathering(town, scrapes, None, (60.0, 45.0), lambda: 1010.0, lambda: own_disk(tmp_path)).signals()
    scrapes.recorders = {SITE: replace(page, wrong="nobody there")}
    later = Gathering(town, scrapes, None, (60.0, 45.0), lambda: 1020.0).signals()

    assert signals.value("evidence_write_up", site=SITE, device=GATEWAY) == 1
    assert signals.running[SITE, EVIDENCE]
    assert ("leo-lagrange", EVIDENCE) not in signals.running, "nobody records there"
    assert (signals.value("state_disk_free_bytes", job="monitor") or 0) > 0
    assert later.running[SITE, EVIDENCE] is False
