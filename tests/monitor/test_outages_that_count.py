"""What of an outage is the operator's: a line that leads nowhere is one; time under announced work is nobody's."""

from datetime import date, datetime
from pathlib import Path

import pytest
from monitor_actors import Listener
from test_outages_recorded import BEHIND, SITE, UPLINK, Scribe

from monitor.planned import Work
from monitor.sla.desk import Desk
from monitor.sla.outages import Outage, announced
from monitor.sla.words import ticket
from parvis.inventory import Site

ALL = [UPLINK, *BEHIND]


@pytest.fixture
def scribe(listener: Listener, tmp_path: Path) -> Scribe:
    listener.now = 1_764_000_000.0
    return Scribe(listener, tmp_path)


def under_way(scribe: Scribe) -> Outage:
    return scribe.recorder.register.under_way()[UPLINK]


def test_fib03_fib04_a_line_that_leads_nowhere_is_an_outage(scribe: Scribe) -> None:
    """Its end answers, nothing beyond it does: residents have no internet, and the operator is to act."""
    leads = {SITE: True}
    scribe.recorder.beyond = lambda: leads
    scribe.sees(3)
    leads[SITE] = False
    cut_at = scribe.listener.now + 20
    scribe.sees(2)
    assert scribe.outages() == [], "a gateway whose link has just come back needs a moment"

    scribe.sees(4)
    outage = under_way(scribe)
    sheet = ticket(scribe.listener.town, _site(scribe), outage, scribe.listener.now, _desk(scribe).zone)
    assert (outage.detected_at, outage.partial) == (cut_at, False)
    assert "l'extrémité du lien répond, rien au-delà ne répond" in sheet

    scribe.starts().sees(3)
    assert under_way(scribe).number == outage.number, "a restart ends nothing, nor does that nobody knows"

    scribe.recorder.beyond = lambda: {SITE: True}
    back_at = scribe.listener.now + 20
    scribe.sees(2)
    assert scribe.outages() == [(cut_at, back_at)]


def test_fib03_a_cut_that_ends_is_not_followed_by_an_outage_of_the_gateway_that_looks_around(scribe: Scribe) -> None:
    leads: dict[str, bool] = {}
    scribe.recorder.beyond = lambda: leads
    scribe.sees(3).sees(5, silent=ALL)
    leads[SITE] = False
    scribe.sees(2)
    leads[SITE] = True
    scribe.sees(5)

    assert len(scribe.outages()) == 1
    assert scribe.outages()[0][1] is not None


def test_fib06_what_falls_into_announced_work_is_felt_and_counts_against_nobody(scribe: Scribe) -> None:
    now = scribe.listener.now
    works = [Work(now + 60, now + 260, "Onduleur remplacé", (SITE,))]
    scribe.recorder.works = lambda since, before: [w for w in works if w.ends > since and w.starts < before]
    scribe.sees(3).sees(20, silent=ALL).sees(4)
    detected, verified = scribe.outages()[0]
    assert verified is not None
    report = _desk(scribe).report(_site(scribe), _month(scribe), scribe.listener.now)

    assert [(f.starts_at, f.ends_at, f.why) for f in _only(scribe).freezes] == [
        (detected, now + 260, "travaux annoncés : Onduleur remplacé")
    ]
    assert report.felt.down == pytest.approx(verified - detected)
    assert report.contract.down == pytest.approx(verified - (now + 260)), "the work overran; that counts"


def test_work_that_was_ended_early_takes_out_no_more_than_it_lasted(scribe: Scribe) -> None:
    now = scribe.listener.now
    works = [Work(now, now + 7200, "Travaux", ())]
    scribe.recorder.works = lambda _since, _before: works
    scribe.sees(3).sees(6, silent=ALL)
    assert under_way(scribe).freezes[0].ends_at == now + 7200
    works[0] = Work(now, now + 120, "Travaux", ())
    scribe.sees(4)

    assert [freeze.ends_at for freeze in _only(scribe).freezes] == [now + 120]


def test_fib06_work_elsewhere_takes_nothing_out(scribe: Scribe) -> None:
    now = scribe.listener.now
    elsewhere = [
        Work(now, now + 7200, "Travaux", ("maison-services-publics",)),
        Work(now, now + 9e3, "x", (BEHIND[2],)),
    ]
    scribe.recorder.works = lambda _since, _before: elsewhere
    scribe.sees(3).sees(6, silent=ALL).sees(4)

    assert _only(scribe).freezes == ()
    assert announced([((0.0, 10.0), "a"), ((90.0, 99.0), "b")], (10.0, 90.0)) == []


def _site(scribe: Scribe) -> Site:
    return next(site for site in scribe.listener.town.sites if site.site == SITE)


def _desk(scribe: Scribe) -> Desk:
    return Desk(scribe.listener.town, scribe.recorder.history, scribe.recorder.register)


def _month(scribe: Scribe) -> date:
    return datetime.fromtimestamp(scribe.listener.now, _desk(scribe).zone).date()


def _only(scribe: Scribe) -> Outage:
    (found,) = scribe.recorder.register.outages(0, 1e12)
    return found
