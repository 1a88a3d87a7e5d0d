"""One incident per root cause, and the sentence that whoever is called reads: who is behind it, what to ring."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from monitor_actors import Desk, Listener

from monitor.causes import Evidence, Light, in_words
from monitor.checks import check
from monitor.drills.world import drill_town
from monitor.evidence import Memory, evidence
from monitor.exposition import Figure
from monitor.incidents import Alert, Incident, Joined, Opened, State, absorb, key_of
from monitor.signals import Signals, Visited
from monitor.sites import views
from monitor.topology import elsewhere
from parvis.alerts import alerts
from parvis.inventory import Site, Town
from parvis.inventory.model import FarEnd

SITE, UPLINK, SWITCH = "bibliotheque-centrale", "fibre-biblio", "sw-biblio"


def told(name: str, *, at: float = 100.0, site: str = SITE, severity: str = "page") -> Alert:
    rule = alerts()[name]
    return Alert(name, site, "", severity, rule.layer, f"{name} ici", "Impact.", "", at, rule.cause)


def opened(alert: Alert, at: float = 100.0) -> Incident:
    return Incident(7, key_of(alert), "", alert.severity, alert.site, State.OPEN, at, at, layer=alert.layer)


def library(town: Town) -> Town:
    """The town whose library's fibre is lit from the town hall, with the operator's number."""

    def with_far(site: Site) -> Site:
        if site.site != SITE:
            return site
        far = FarEnd(device="sw-msp", port="26")
        uplink = site.uplink.model_copy(update={"far": far, "hotline": "+33 1 99 00 00 09"})
        return site.model_copy(update={"uplink": uplink})

    return town.model_copy(update={"sites": tuple(with_far(site) for site in town.sites)})


@pytest.mark.parametrize(
    ("root", "behind"),
    [
        ("VilleCoupee", "LienCoupe"),
        ("CoupureSecteur", "LienCoupe"),
        ("CoupureSecteur", "CommutateurMuet"),
        ("LienCoupe", "PasserelleMuette"),
        ("LienCoupe", "VisiteurTestEnEchec"),
        ("CommutateurMuet", "SitePresqueSansBorne"),
        ("CertificatPerime", "VisiteurTestEnEchec"),
        ("DHCPEpuise", "VisiteurTestEnEchec"),
        ("DNSMuet", "VisiteurTestEnEchec"),
        ("InternetCoupe", "VisiteurTestEnEchec"),
        ("ServiceCommunEnPanne", "InternetCoupe"),
        ("ServicePasserelleArrete", "EntonnoirCasse"),
    ],
)
def test_a_root_and_what_it_explains_are_one_incident_whichever_is_told_first(root: str, behind: str) -> None:
    above = told(root, site="" if alerts()[root].scope == "town" else SITE)
    below = told(behind, at=110.0)

    (together,) = absorb([below, above], [], set())
    assert isinstance(together, Opened)
    assert together.lead == above
    assert absorb([below], [opened(above)], set()) == [Joined(7, below)]
    late = replace(above, starts_at=200.0)
    assert absorb([late], [opened(below, 110.0)], set()) == [Joined(7, late, leads=True)]


def test_what_a_root_explains_waits_for_it_while_it_is_not_told_yet() -> None:
    below, above = told("BorneMuette", severity="ticket"), told("LienCoupe")

    assert absorb([below], [], set(), standing=[above]) == []
    assert absorb([below], [], set(), standing=[]) == [Opened(key_of(below), (below,))]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("LienCoupe", "CertificatExpire"),
        ("CommutateurMuet", "CertificatExpire"),
        ("BorneMuette", "VisiteurTestEnEchec"),
    ],
)
def test_what_has_nothing_to_do_with_each_other_stays_apart(one: str, other: str) -> None:
    assert len(absorb([told(one), told(other, at=500.0)], [], set())) == 2


def test_what_a_ticket_is_about_explains_nothing_that_calls() -> None:
    ticket = replace(told("LienCoupe"), severity="ticket")

    assert len(absorb([ticket, told("PasserelleMuette")], [], set())) == 2


def test_little_light_errors_and_losses_of_a_fibre_are_one_incident_for_as_long_as_it_lasts() -> None:
    weak = told("MargeOptiqueFaible", severity="ticket")
    lossy = told("LienDegrade", at=5000.0, severity="page-jour")

    assert absorb([lossy], [opened(weak)], set()) == [Joined(7, lossy, leads=True)]


def test_a_cut_fibre_says_when_the_light_went_who_is_behind_it_and_whom_to_ring(town: Town) -> None:
    dark = datetime(2026, 11, 23, 2, 14, tzinfo=ZoneInfo("Europe/Paris"))
    known = {SITE: Evidence(far=Light(lit=False, dark_since=dark, rx_dbm=-11.24), people=40)}

    said = in_words(told("LienCoupe"), library(town), known)
    assert said.summary == (
        "Fibre coupée vers Bibliothèque centrale : lumière perdue à 02:14, 2 bornes, env. 40 personnes. "
        "Opérateur B, FTTH-PRO-2023-007 +33 1 99 00 00 09"
    )
    assert "Dernière mesure -11,2 dBm." in said.impact


@pytest.mark.parametrize(
    ("name", "known", "words"),
    [
        ("LienCoupe", Evidence(far=Light(lit=True)), "Lien coupé, fibre éclairée"),
        ("LienCoupe", Evidence(), "LienCoupe ici, 2 bornes"),
        ("CoupureSecteur", Evidence(people=3), "CoupureSecteur ici, 2 bornes, env. 3 personnes"),
        ("LienDegrade", Evidence(near=Light(rx_dbm=-24.1, margin_db=-1.1)), "Optique à nettoyer sur place"),
        ("LienDegrade", Evidence(near=Light(rx_dbm=-9.0, margin_db=6.0)), "chez l'opérateur"),
        ("VisiteurTestEnEchec", Evidence(failing_step="page"), "étape page"),
        ("EquipementIndesirable", Evidence(intruders=("ap-1 (sw-1, port 2)",)), "derrière ap-1 (sw-1, port 2)"),
    ],
)
def test_evidence_tells_alike_failures_apart(town: Town, name: str, known: Evidence, words: str) -> None:
    said = in_words(told(name), town, {SITE: known})

    assert words in said.summary + said.impact


def test_a_switch_whose_access_points_answer_is_not_said_to_be_dead(town: Town) -> None:
    fed = frozenset(point.name for point in town.site(SITE).access_points)
    alert = replace(told("CommutateurMuet"), subject=SWITCH)

    assert "seule son adresse" in in_words(alert, town, {SITE: Evidence(answering=fed)}).impact
    dead = in_words(alert, town, {SITE: Evidence(answering=frozenset({"gw-biblio"}))})
    assert "2 bornes" in dead.summary
    assert "courant de la baie" in dead.impact


def figure(metric: str, value: float, **labels: str) -> Figure:
    return Figure(metric, {"site": SITE, **labels}, value)


def test_what_was_known_before_the_silence_is_remembered(town: Town, listener: Listener) -> None:
    """The light and the people of the moment before: once it is silent nobody can ask."""
    town = library(town)
    listener.town = town
    lit = Signals(
        (
            figure("optical_state", 1, device="sw-msp", port="26", state="ok"),
            figure("optical_rx_power_dbm", -10.0, device="sw-msp", port="26"),
        ),
        people={SITE: 40},
    )
    listener.hears(3)
    memory = Memory().after(town, views(town, listener.findings, []), lit, 1000.0)
    dark = Signals((figure("optical_state", 1, device="sw-msp", port="26", state="no_light"),), people={SITE: 0})
    listener.hears(4, silent=[UPLINK, "gw-biblio", SWITCH])
    for now in (1010.0, 1020.0):
        memory = memory.after(town, views(town, listener.findings, []), dark, now)

    found = evidence(town, listener.findings, dark, memory)[SITE]
    assert (found.people, found.far.lit, found.far.rx_dbm) == (40, False, -10.0)
    assert found.far.dark_since is not None
    assert found.far.dark_since.timestamp() == 1010.0


def test_the_monitor_judges_by_itself_whatever_the_rules_compare(town: Town, listener: Listener) -> None:
    listener.hears(3)
    gateway = {"device": "gw-biblio"}
    signals = Signals(
        (
            figure("gateway_pool_used_ratio", 0.99, **gateway),
            figure("gateway_ruleset_up", 0, **gateway),
            figure("portal_certificate_remaining_seconds", -5, **gateway),
            figure("uplink_target_up", 0, **gateway, target="192.0.2.1"),
            figure("uplink_target_up", 0, **gateway, target="192.0.2.2"),
        ),
        mains={"ups-biblio": False},
        running={(SITE, "portal"): False, (SITE, "gatewayd"): True},
        visits={SITE: Visited("dns", dns=False, hazards=("rogue-dhcp",))},
        visited_at={SITE: listener.now},
    )
    verdicts = check(drill_town(town), listener.findings, 5.0, {}, listener.now, signals=signals)

    assert {identity for identity, verdict in verdicts.items() if verdict.wrong} == {
        f"{name}/{SITE}/{subject}"
        for name, subject in (
            ("DHCPEpuise", "gw-biblio"),
            ("AdressesPresqueEpuisees", "gw-biblio"),
            ("PareFeuAbsent", "gw-biblio"),
            ("CertificatPerime", "gw-biblio"),
            ("CoupureSecteur", "ups-biblio"),
            ("ServicePasserelleArrete", "gw-biblio"),
            ("VisiteurTestEnEchec", ""),
            ("DNSMuet", ""),
            ("EquipementIndesirable", ""),
            ("InternetCoupe", ""),
        )
    }


def test_one_target_beyond_the_uplink_that_answers_is_enough(town: Town, listener: Listener) -> None:
    listener.hears(3)
    told = [figure("uplink_target_up", value, target=f"192.0.2.{value}") for value in (0, 1)]
    verdicts = check(town, listener.findings, 5.0, {}, listener.now, signals=Signals(tuple(told)))

    assert verdicts[f"InternetCoupe/{SITE}/"].wrong is False


def test_a_visit_over_a_link_that_has_just_turned_accuses_no_door(town: Town, listener: Listener) -> None:
    def accused(now: float) -> list[bool | None]:
        failed = Signals(visits={SITE: Visited("dns", dns=False)}, visited_at={SITE: now})
        verdicts = check(town, listener.findings, 5.0, {}, now, signals=failed)
        return [verdicts[f"{name}/{SITE}/"].wrong for name in ("VisiteurTestEnEchec", "DNSMuet")]

    listener.hears(3)
    well = accused(listener.now)
    listener.hears(4, silent=[UPLINK, "gw-biblio"]).hears(3)

    assert well == [True, True]
    assert accused(listener.now) == [None, None]
    assert accused(listener.now + 121) == [True, True]


SHARED = {
    "certificate": lambda site: Signals((Figure("portal_certificate_remaining_seconds", {"site": site}, -5.0),)),
    "process": lambda site: Signals(running={(site, "portal"): False, (site, "gatewayd"): True}),
    "internet": lambda site: Signals((Figure("uplink_target_up", {"site": site, "target": "192.0.2.1"}, 0.0),)),
    "visit": lambda site: Signals(visits={site: Visited("page")}),
}


@pytest.mark.parametrize("what", SHARED)
def test_what_fails_at_most_sites_at_once_is_one_fault_of_the_town(town: Town, listener: Listener, what: str) -> None:
    listener.hears(3)

    def shared(names: list[str]) -> bool | None:
        some = [SHARED[what](name) for name in names]
        figures = tuple(one for signals in some for one in signals.figures)
        running = {key: value for signals in some for key, value in signals.running.items()}
        visits = {key: value for signals in some for key, value in signals.visits.items()}
        signals = Signals(figures, running, visits)
        return check(town, listener.findings, 5.0, {}, listener.now, signals=signals)["ServiceCommunEnPanne//"].wrong

    assert shared([site.site for site in town.sites]) is True
    assert shared([site.site for site in town.sites][:2]) is False, "two sites are too few to have a fault in common"


def test_figures_that_nobody_gave_accuse_nobody(town: Town, listener: Listener) -> None:
    listener.hears(3)
    verdicts = check(town, listener.findings, 5.0, {}, listener.now, signals=Signals())

    assert [identity for identity, verdict in verdicts.items() if verdict.wrong] == []


def test_a_process_is_not_accused_behind_a_gateway_that_cannot_be_reached(town: Town, listener: Listener) -> None:
    listener.hears(3).hears(4, silent=[UPLINK, "gw-biblio"])
    signals = Signals(running={(SITE, "portal"): False, (SITE, "gatewayd"): False})
    verdicts = check(town, listener.findings, 5.0, {}, listener.now, signals=signals)

    assert verdicts[f"ServicePasserelleArrete/{SITE}/gw-biblio"].wrong is None


def test_access_points_on_another_port_than_the_inventorys_are_told(town: Town) -> None:
    site = town.site(SITE)

    def seen(*places: tuple[str, str]) -> list[tuple[str, str, str]]:
        lldp = [figure("lldp_neighbor_info", 1, device=SWITCH, port=port, remote_name=name) for name, port in places]
        return list(elsewhere(site, lldp))

    assert seen(("ap-biblio-adultes", "1"), ("ap-biblio-jeunesse", "2"), ("imprimante", "9")) == []
    assert seen(("ap-biblio-adultes", "7")) == [("ap-biblio-adultes", "sw-biblio/1", "sw-biblio/7")]
    assert seen(("ap-biblio-adultes.cachan.example", "7")) == [("ap-biblio-adultes", "sw-biblio/1", "sw-biblio/7")]
    learned = figure("port_device_info", 1, device=SWITCH, port="2", behind="ap-biblio-adultes")
    assert list(elsewhere(site, [learned])) == [("ap-biblio-adultes", "sw-biblio/1", "sw-biblio/2")]


@pytest.mark.parametrize("where", ["remote_chassis", "remote_port"])
def test_g31_an_access_point_that_tells_no_name_is_known_by_its_address(town: Town, where: str) -> None:
    point = town.site(SITE).access_points[0]
    told = figure("lldp_neighbor_info", 1, device=SWITCH, port="7", remote_name="", **{where: point.mac.text})

    assert [name for name, _, there in elsewhere(town.site(SITE), [told])] == [point.name]


def test_a_late_root_gives_the_incident_its_name_and_calls_nobody_again(desk: Desk) -> None:
    from monitor_actors import alert  # noqa: PLC0415 another alert than this file's

    desk.messenger.beats()
    desk.messenger.tells(alert("PasserelleMuette", layer="gateway", device="gw-lagrange"))
    desk.works()
    desk.messenger.tells(alert("LienCoupe", uplink="fibre-lagrange"))
    desk.works()

    (row,) = desk.incidents()
    assert (row["key"], row["title"]) == ("leo-lagrange/uplink", "LienCoupe !")
    assert len(desk.written()) == 1
