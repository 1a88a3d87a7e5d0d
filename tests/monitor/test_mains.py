"""Whether the mains feeds a site: two polls must say that the battery does, or one and then silence."""

import pytest
from monitor_actors import Listener

from monitor.drills.world import drill_town
from monitor.exposition import Figure
from monitor.mains import Mains, Supply
from monitor.signals import Signals
from parvis.inventory import Town

BATTERY, UPLINK = "ups-biblio", "fibre-biblio"
SILENT = (UPLINK, "gw-biblio", "sw-biblio")


def said(on_battery: float | None, polled_at: float) -> Signals:
    place = {"site": "bibliotheque-centrale", "device": BATTERY}
    polled = Figure("snmp_poll_last_success_timestamp_seconds", place, polled_at)
    told = () if on_battery is None else (Figure("ups_on_battery", place, on_battery),)
    return Signals((*told, polled))


class Battery:
    """What the monitor knows by the library's battery."""

    def __init__(self, town: Town, listener: Listener) -> None:
        self._town = drill_town(town)
        self._listener = listener
        self.mains = Mains()

    def says(self, on_battery: float | None, polled_at: float, *, at: float, dark: bool = False) -> bool | None:
        """Whether there is mains, once it is heard at *at*; *dark*: its link is known to be down."""
        self._listener.hears(4, silent=SILENT if dark else ())
        self.mains = self.mains.after(self._town, self._listener.findings, said(on_battery, polled_at), at)
        return self.mains.known.get(BATTERY)


@pytest.fixture
def battery(town: Town, listener: Listener) -> Battery:
    return Battery(town, listener)


def test_a_blink_that_one_poll_falls_into_is_no_cut_however_long_its_answer_is_shown(battery: Battery) -> None:
    assert battery.says(0, 100.0, at=105.0) is True
    assert [battery.says(1, 130.0, at=130.0 + n) for n in (5, 25, 45, 90)] == [True] * 4
    assert battery.says(0, 160.0, at=225.0) is True
    assert battery.says(1, 400.0, at=405.0) is True, "the next blink begins anew"


def test_two_polls_are_a_cut_and_one_that_says_otherwise_ends_it(battery: Battery) -> None:
    battery.says(0, 100.0, at=105.0)
    battery.says(1, 130.0, at=135.0)

    assert battery.says(1, 160.0, at=165.0) is False
    assert battery.says(0, 190.0, at=195.0) is True


def test_a_trap_and_the_poll_that_follows_it_at_once_are_one_look(battery: Battery) -> None:
    battery.says(1, 130.0, at=131.0)

    assert battery.says(1, 132.0, at=133.0) is None
    assert battery.says(1, 162.0, at=163.0) is False


def test_a_weak_battery_of_which_one_poll_told_is_a_cut_once_the_site_is_silent(battery: Battery) -> None:
    battery.says(0, 100.0, at=105.0)

    assert battery.says(1, 130.0, at=135.0) is True
    assert battery.says(None, 130.0, at=160.0, dark=True) is False


def test_a_site_that_falls_silent_while_its_battery_said_nothing_has_lost_its_link_alone(battery: Battery) -> None:
    battery.says(0, 100.0, at=105.0)

    assert battery.says(0, 100.0, at=130.0, dark=True) is True
    assert battery.says(None, 100.0, at=220.0, dark=True) is True


def test_what_was_known_stands_for_as_long_as_the_site_is_dark_and_not_once_it_answers_without_a_word(
    battery: Battery,
) -> None:
    for polled_at in (100.0, 130.0):
        battery.says(1, polled_at, at=polled_at + 5)

    assert battery.says(None, 130.0, at=90_000.0, dark=True) is False
    assert battery.says(None, 130.0, at=90_030.0) is None
    assert battery.says(0, 90_060.0, at=90_065.0) is True


def test_nothing_is_known_of_a_battery_that_was_never_heard(battery: Battery) -> None:
    assert battery.says(None, 0.0, at=5.0) is None
    assert battery.says(None, 0.0, at=60.0, dark=True) is None


def test_a_clock_that_is_set_back_hides_no_cut() -> None:
    assert Supply(mains=True).after(True, 5000.0, True, 5005.0).after(True, 1430.0, True, 1435.0).mains is False
