"""A site whose equipment answers is not well while its residents have no internet, or cannot get in."""

import time
from pathlib import Path

import pytest
from monitor_actors import Desk, Listener

from monitor.checks import Verdict, check
from monitor.collectors import Heard
from monitor.drills.play import Player
from monitor.drills.world import drill_town
from monitor.exposition import Figure
from monitor.findings import State
from monitor.gathering import Gathering
from monitor.hindrances import Hindrance, barred, hindrances
from monitor.incidents import Alert
from monitor.scrapes import Scrape, Scrapes
from monitor.signals import Signals, Visited
from monitor.sites import SiteView, views
from monitor.watch import Picture
from parvis.drills import Step
from parvis.inventory import Town

SITE = "maison-services-publics"
LINK = "fibre-msp"


def view(listener: Listener, **hindered: Hindrance) -> SiteView:
    known = {name.replace("_", "-"): one for name, one in hindered.items()}
    return next(v for v in views(listener.town, listener.findings, [], known) if v.site.site == SITE)


def test_a_site_whose_internet_is_cut_is_out_of_service_since_it_was_cut(listener: Listener) -> None:
    listener.hears(5)
    cut = view(listener, maison_services_publics=Hindrance("internet-cut", 77.0))
    barred_ = view(listener, maison_services_publics=Hindrance("residents-barred", 88.0))

    assert view(listener).verdict == "all-well"
    assert (cut.state, cut.verdict, cut.since) == (State.DOWN, "internet-cut", 77.0)
    assert (barred_.state, barred_.verdict, barred_.since) == (State.DEGRADED, "residents-barred", 88.0)


def test_a_cut_fibre_says_more_than_the_internet_that_is_gone_with_it(listener: Listener) -> None:
    seen = view(listener.hears(2).hears(3, silent=[LINK]), maison_services_publics=Hindrance("internet-cut", 77.0))

    assert seen.verdict == "uplink-cut"
    assert seen.since != 77.0


def test_a_hindrance_keeps_its_beginning_until_it_is_another_or_gone() -> None:
    first = hindrances({}, {"a": False, "b": True}, {"c"}, 10.0)
    second = hindrances(first, {"a": False, "b": False}, {"a", "c"}, 20.0)

    assert first == {"a": Hindrance("internet-cut", 10.0), "c": Hindrance("residents-barred", 10.0)}
    assert second["a"] == first["a"], "the internet that is cut is what bars them"
    assert second["b"] == Hindrance("internet-cut", 20.0)
    assert hindrances(second, {"a": True}, set(), 30.0) == {}
    assert hindrances(second, {}, set(), 30.0) == {}, "what nobody knows any more is not said"


def test_only_what_is_wrong_for_long_enough_at_the_door_bars_residents() -> None:
    def verdict(layer: str, *, firing: bool = True, wrong: bool | None = True, site: str = SITE) -> Verdict:
        return Verdict(Alert("X", site, "", "page", layer, "", "", "", 0.0), wrong, firing, 0.0, 0.0)

    assert barred([verdict("door")]) == barred([verdict("portal")]) == {SITE}
    calm = [verdict("ap"), verdict("door", firing=False), verdict("door", wrong=None), verdict("door", wrong=False)]
    assert barred([*calm, verdict("portal", site="")]) == set()


def test_a_visitor_who_cannot_get_in_bars_the_site_once_it_is_an_alert(listener: Listener) -> None:
    listener.hears(5)
    verdicts: dict[str, Verdict] = {}
    signals = Signals(visits={SITE: Visited("accept")})
    for second in (0, 60, 120):
        now = listener.now + second
        verdicts = check(listener.town, listener.findings, 5.0, verdicts, now, signals=signals)
        if second < 75:
            assert barred(verdicts.values()) == set()

    assert barred(verdicts.values()) == {SITE}


@pytest.mark.parametrize(("values", "age", "known"), [((0, 0), 5, False), ((0, 1), 5, True), ((0, 0), 60, None)])
def test_what_a_gateway_last_said_of_the_internet_holds_while_it_is_fresh(
    town: Town, desk: Desk, values: tuple[int, int], age: float, known: bool | None
) -> None:
    scrapes = Scrapes(town, desk.settings)
    figures = tuple(Figure("uplink_target_up", {"target": str(n)}, float(value)) for n, value in enumerate(values))
    scrapes.portals = {SITE: Scrape(1000.0, figures, wrong="")}
    gathering = Gathering(town, scrapes, None, (60.0, 45.0), lambda: 1000.0 + age)

    assert gathering.beyond().get(SITE) == known


def test_the_wall_and_the_metric_of_the_map_are_not_green_while_the_internet_is_cut(
    desk: Desk, listener: Listener
) -> None:
    listener.now = time.time() - 25
    listener.hears(5)
    known = {SITE: Hindrance("internet-cut", time.time() - 300)}
    found = views(listener.town, listener.findings, [], known)
    desk.watch.picture = Picture(time.time(), listener.findings, found, Heard(time.time()))
    desk.metrics.show(listener.findings, found, None)
    card = desk.client.get("/wall.json").json["sites"][0]
    page = desk.client.get("/wall?lang=en").text

    assert (card["site"], card["state"]) == (SITE, "down")
    assert card["verdict"] == "Le lien répond, internet non : rien ne passe au-delà."
    assert card["since_words"] == "depuis 5 min"
    assert "The link answers, the internet does not" in page
    assert desk.counted("site_up", town="cachan", site=SITE) == 0
    assert desk.counted("site_verdict", town="cachan", site=SITE, verdict="internet-cut") == 1
    assert desk.client.get("/wall.json").json["summary"]["well"] is False


def test_in_a_drill_of_an_internet_cut_the_site_is_down_until_it_is_back(town: Town, tmp_path: Path) -> None:
    player = Player(drill_town(town), tmp_path, 1_780_000_000.0)
    steps = [Step(do="internet-off", where=SITE), Step(after=300, do="internet-on", where=SITE)]
    player.run(steps[:1], 120)
    during = dict(player.hindered)
    player.run(steps[1:], 440)

    assert during[SITE].obstacle == "internet-cut"
    assert SITE not in player.hindered or player.hindered[SITE].obstacle == "residents-barred"
