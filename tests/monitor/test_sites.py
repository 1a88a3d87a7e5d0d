"""The verdict on each site: one sentence, from the findings behind it."""

import pytest
from monitor_actors import Listener

from monitor.findings import State
from monitor.observations import Sample
from monitor.sites import SiteView, views

SITE = "maison-services-publics"
POINTS = ("ap-msp-accueil", "ap-msp-salle-a", "ap-msp-etage")
ALL = ("fibre-msp", "gw-msp", "sw-msp", *POINTS)


def view(listener: Listener, samples: list[Sample] | None = None) -> SiteView:
    return next(v for v in views(listener.town, listener.findings, samples or []) if v.site.site == SITE)


@pytest.mark.parametrize(
    ("silent", "state", "verdict", "points_up"),
    [
        ((), State.UP, "all-well", 3),
        (ALL, State.DOWN, "uplink-cut", 0),
        (("fibre-msp",), State.DOWN, "uplink-cut", 3),
        (POINTS, State.DOWN, "no-point-answers", 0),
        (("sw-msp", *POINTS), State.DOWN, "no-point-answers", 0),
        (POINTS[:1], State.DEGRADED, "points-silent", 2),
        (("sw-msp",), State.DEGRADED, "device-silent", 3),
        (("gw-msp",), State.DEGRADED, "device-silent", 3),
    ],
)
def test_the_verdict_names_the_root(
    listener: Listener, silent: tuple[str, ...], state: State, verdict: str, points_up: int
) -> None:
    seen = view(listener.hears(2).hears(3, silent=silent))

    assert (seen.state, seen.verdict, seen.points_up, seen.points) == (state, verdict, points_up, 3)


def test_a_site_nobody_could_ask_is_unknown(listener: Listener) -> None:
    assert view(listener.hears(9, unasked=ALL)).state is State.UNKNOWN


def test_a_site_whose_link_is_known_and_points_are_not_is_unknown(listener: Listener) -> None:
    assert view(listener.hears(9, unasked=POINTS)).verdict == "cannot-know"


def test_one_unknown_point_does_not_disturb_a_site(listener: Listener) -> None:
    seen = view(listener.hears(9, unasked=POINTS[:1]))

    assert (seen.state, seen.verdict, seen.points_up) == (State.UP, "some-unknown", 2)


def test_a_lossy_uplink_disturbs_the_site(listener: Listener) -> None:
    assert view(listener.hears(2).hears(3, lossy=["fibre-msp"])).verdict == "uplink-disturbed"


def test_the_worst_site_comes_first(listener: Listener) -> None:
    listener.hears(2).hears(3, silent=["fibre-biblio", *POINTS[:1]])

    found = views(listener.town, listener.findings, [])
    assert [v.state for v in found] == [State.DOWN, State.DEGRADED, State.UP, State.UP]
    assert found[0].site.site == "bibliotheque-centrale"


def test_clients_are_counted_only_where_they_are_known(listener: Listener) -> None:
    samples = [
        Sample(POINTS[0], up=True, succeeded_at=90.0, clients=7),
        Sample(POINTS[1], up=True, succeeded_at=80.0, clients=None),
        Sample(POINTS[2], up=False, succeeded_at=10.0, clients=5),
    ]

    seen = view(listener.hears(2), samples)
    assert (seen.clients, seen.counted, seen.oldest) == (7, 1, 90.0)


def test_without_any_figure_clients_are_unknown_not_zero(listener: Listener) -> None:
    seen = view(listener.hears(2))

    assert (seen.clients, seen.counted, seen.oldest) == (None, 0, None)
