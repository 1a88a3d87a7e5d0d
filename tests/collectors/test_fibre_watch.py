"""The town's light on the page: loss between two ends, drift from the reference, trend, time to the low warning."""

import os
from pathlib import Path

import pytest

from collectors.board import Board
from collectors.device import Device, Polled
from collectors.fibre import reference
from collectors.fibre.history import History, Light
from collectors.fibre.reference import Reference
from collectors.fibre.span import links
from collectors.fibre.trend import SECONDS_PER_DAY
from collectors.fibre.watch import Watch, load_history, save_history
from collectors.layout import gather
from collectors.prometheus import blocks
from collectors.sample import Sample
from parvis.inventory import load
from tests_support import Edit

NEAR, FAR = ("leo-lagrange", "sw-lagrange"), ("bibliotheque-centrale", "sw-biblio")
TODAY = 20_000
NOON = (TODAY + 0.5) * SECONDS_PER_DAY
NEAR_RX = Light("sw-lagrange", "25", "", "rx")


class Town:
    """A board that is fed by hand, and the watch over it."""

    def __init__(self, folder: Path, state: Path) -> None:
        self.devices = {
            name: Device(name=name, host="10.0.0.1", site=site, town="cachan") for site, name in (NEAR, FAR)
        }
        self.board = Board(self.devices.values(), 180)
        self.sent: list[Sample] = []
        self.watch = Watch(links(load(folder)), self.board, state, self.sent.extend)

    def polled(self, name: str, at: float = NOON, low: float | None = None, **light: float) -> None:
        """The device *name* was polled at *at*, and says *light* (rx, tx) of its port 25."""
        base = tuple(self.devices[name].labels.items())
        port = (*base, ("port", "25"))
        found = [Sample(f"optical_{way}_power_dbm", port, dbm, at) for way, dbm in light.items()]
        if low is not None:
            limit = (*port, ("which", "rx_low_warn"), ("source", "module"))
            found.append(Sample("optical_threshold_dbm", limit, low, at))
        polled = Polled(gather(base, at, found), "juniper", "Juniper", "", "", None, None, ())
        self.board.put(self.devices[name], polled, at, 0.1, 40)

    def told(self, now: float = NOON + 5) -> dict[str, float]:
        """What the watch tells: metric and the values of its labels beyond the town -> value."""
        self.watch.look(now)
        found = list(self.watch.own_samples(now))
        assert blocks(found).dropped == 0
        return {" ".join([s.metric, *(value for _, value in s.labels[1:])]): s.value for s in found}


@pytest.fixture
def town(town_folder: Path, edit: Edit, tmp_path: Path) -> Town:
    edit("sites/leo-lagrange.yml", 'port: "25",', 'port: "25", far: {device: sw-biblio, port: "25"},')
    return Town(town_folder, tmp_path)


def test_s24_the_fibre_between_two_ends_loses_what_does_not_arrive(town: Town) -> None:
    town.polled("sw-lagrange", rx=-8.5, tx=-2.0)
    town.polled("sw-biblio", rx=-7.0, tx=-3.0)

    assert town.told() == {
        "optical_span_loss_db leo-lagrange fibre-lagrange in": 5.5,
        "optical_span_loss_db leo-lagrange fibre-lagrange out": 5.0,
    }


def test_what_is_known_of_the_light_goes_to_influxdb_too(town: Town) -> None:
    town.polled("sw-lagrange", rx=-8.5, tx=-2.0)
    town.polled("sw-biblio", rx=-7.0, tx=-3.0)
    town.told()

    assert {(sample.metric, sample.value, sample.at) for sample in town.sent} == {
        ("optical_span_loss_db", 5.5, NOON + 5),
        ("optical_span_loss_db", 5.0, NOON + 5),
    }


@pytest.mark.parametrize("far", [{}, {"rx": -7.0}, {"tx": -12.0}])
def test_a_loss_needs_light_at_both_ends_and_no_fibre_amplifies(town: Town, far: dict[str, float]) -> None:
    town.polled("sw-lagrange", rx=-8.5)
    town.polled("sw-biblio", **far)

    assert town.told() == {}


def test_an_end_that_fell_silent_is_not_compared_for_ever(town: Town) -> None:
    town.polled("sw-lagrange", rx=-8.5)
    town.polled("sw-biblio", tx=-3.0)
    assert len(town.told()) == 1

    town.polled("sw-lagrange", at=NOON + 1200, rx=-8.6)

    assert town.told(NOON + 1201) == {}


def test_light_is_held_to_the_reference_as_soon_as_there_is_one(town: Town, tmp_path: Path) -> None:
    town.polled("sw-lagrange", rx=-8.5)
    assert town.told() == {}

    reference.append(tmp_path, [Reference(NOON, *NEAR_RX, dbm=-6.0)])

    assert town.told() == {
        "optical_reference_dbm leo-lagrange sw-lagrange 25 rx": -6.0,
        "optical_drift_db leo-lagrange sw-lagrange 25 rx": -2.5,
    }


def test_a_port_named_with_what_python_takes_for_an_end_of_line_keeps_its_reference(tmp_path: Path) -> None:
    named = Reference(NOON, "sw-lagrange", "25\u2028\x85", "", "rx", dbm=-6.0)
    reference.append(tmp_path, [named])

    assert reference.load(tmp_path) == [named]


def test_a_bad_line_among_the_references_costs_that_line_only(town: Town, tmp_path: Path) -> None:
    reference.append(tmp_path, [Reference(NOON, *NEAR_RX, dbm=-6.0)])
    with (tmp_path / reference.FILE).open("a") as file:
        file.write("not a reference\n")
    town.polled("sw-lagrange", rx=-6.5)

    assert town.told()["optical_drift_db leo-lagrange sw-lagrange 25 rx"] == -0.5


@pytest.mark.parametrize("harm", ["octets", "a folder"])
def test_references_that_cannot_be_read_end_nothing_and_those_known_stay(town: Town, tmp_path: Path, harm: str) -> None:
    file = tmp_path / reference.FILE
    reference.append(tmp_path, [Reference(NOON, *NEAR_RX, dbm=-6.0)])
    town.polled("sw-lagrange", rx=-8.5)
    before = town.told()
    file.unlink()
    if harm == "octets":
        file.write_bytes(b"\xff\xfe\n")
    else:
        file.mkdir()
    os.utime(file, (1, 1))

    assert town.told() == before
    assert before


def test_s37_a_fibre_that_decays_is_forecast_after_a_restart(town_folder: Path, tmp_path: Path) -> None:
    past = History(days={NEAR_RX: {TODAY - back: -14 + 0.02 * back for back in range(60, 0, -1)}}, day=TODAY - 1)
    save_history(tmp_path, past)
    town = Town(town_folder, tmp_path)
    town.polled("sw-lagrange", low=-16.0, rx=-14.1)

    told = town.told()

    assert told["optical_trend_db_per_month leo-lagrange sw-lagrange 25 rx"] == pytest.approx(-0.6087, abs=0.001)
    left = told["optical_low_warning_remaining_seconds leo-lagrange sw-lagrange 25"]
    assert left / SECONDS_PER_DAY == pytest.approx(101, abs=0.01)


def test_a_day_that_ends_is_kept_and_written_when_the_watch_ends(town: Town, tmp_path: Path) -> None:
    town.polled("sw-lagrange", rx=-8.5)
    town.told()
    town.polled("sw-lagrange", at=NOON + SECONDS_PER_DAY, rx=-8.6)
    town.told(NOON + SECONDS_PER_DAY + 5)

    with town.watch.turns:
        pass

    assert load_history(tmp_path).points(NEAR_RX) == [(float(TODAY), -8.5)]


def test_a_folder_that_cannot_be_made_does_not_end_the_watch(town_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    town = Town(town_folder, tmp_path / "absent")
    (tmp_path / "absent").symlink_to(tmp_path / "file")
    town.polled("sw-lagrange", rx=-8.5)

    with town.watch.turns:
        assert town.told() == {}

    assert (tmp_path / "file").read_text() == ""
