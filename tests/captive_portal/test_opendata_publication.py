"""What is published of usage, and what an attacker makes of it who keeps every release and knows the town's totals."""

import json
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captive_portal.opendata.publication import LEAST_DEVICES, Measured, held_back, published, rounded
from captive_portal.opendata.releases import NotYet, Releases

SITES = ["bibliotheque", "gymnase", "mairie", "parc"]
TODAY = date(2026, 12, 3)


def month(devices: int, sessions: int | None = None, days: int = 1) -> Measured:
    return Measured(((devices, 10**9, 10**8),) * days, devices if sessions is None else sessions, 600.0)


counts = st.one_of(st.integers(0, 15), st.integers(0, 400))
towns = st.dictionaries(st.sampled_from(SITES), counts, min_size=1)


def test_pri04_a_cell_is_shown_from_eleven_devices_of_one_day_on() -> None:
    shown = published({"mairie": month(11), "parc": month(40)})

    assert not shown["mairie"].secret
    assert shown["mairie"].devices_a_day == 10
    assert published({"mairie": month(10), "parc": month(40)})["mairie"].secret


def test_pri04_a_sum_of_days_proves_nothing_one_person_may_have_come_every_day() -> None:
    daily = Measured(((1, 10**9, 10**8),) * 30, 30, 600.0)

    assert published({"parc": daily, "mairie": month(40)})["parc"].secret


def test_pri04_a_held_back_cell_has_no_number_at_all() -> None:
    cell = published({"parc": month(3), "mairie": month(40)})["parc"]

    assert (cell.sessions, cell.devices_a_day, cell.gigabytes_down, cell.gigabytes_up, cell.median_minutes) == (
        None,
    ) * 5


@given(towns)
def test_pri04_whoever_subtracts_what_is_shown_from_the_total_is_left_with_eleven_devices(town: dict[str, int]) -> None:
    """Complementary cells: what is hidden together is empty, or holds a cell of 11 devices; or nothing is shown."""
    hidden = held_back(town)

    assert all(count >= LEAST_DEVICES for site, count in town.items() if site not in hidden)
    assert not hidden or max(town[site] for site in hidden) >= LEAST_DEVICES or hidden == set(town)


@given(towns)
def test_pri04_no_more_is_held_back_than_that(town: dict[str, int]) -> None:
    small = {site for site, count in town.items() if count < LEAST_DEVICES}

    assert len(held_back(town) - small) <= 1


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(towns, st.sampled_from(["2026-09", "2026-10", "2026-11"])), min_size=1, max_size=8))
def test_pri05_an_attacker_who_subtracts_releases_from_each_other_finds_no_cell(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[dict[str, int], str]]
) -> None:
    """Figures come late, are corrected, sites are added: the attacker keeps every release and the exact totals."""
    releases = Releases(tmp_path_factory.mktemp("published"))
    kept: list[dict[tuple[str, str], int | None]] = []
    first: dict[str, dict[str, int]] = {}
    for town, name in history:
        releases.freeze(name, {site: month(count) for site, count in town.items()}, TODAY)
        first.setdefault(name, town)
        kept.append({(row["mois"], row["id_site"]): row["sessions"] for row in releases.rows()})

    for early, late in pairwise(kept):
        assert {cell: late[cell] for cell in early} == early, "a difference between releases is what one device does"
    for name, town in first.items():
        shown = {site: kept[-1][name, site] for site in town}
        rest = [site for site, value in shown.items() if value is None]
        if len(rest) < len(town):
            assert not rest or max(town[site] for site in rest) >= LEAST_DEVICES
        assert all(value == rounded(town[site]) for site, value in shown.items() if value is not None)


@given(st.integers(0, 10**6))
def test_pri05_counts_are_multiples_of_five_and_near(count: int) -> None:
    assert rounded(count) % 5 == 0
    assert abs(rounded(count) - count) <= 2.5


def test_pri05_volumes_have_two_digits_and_lengths_steps_of_five_minutes() -> None:
    measured = Measured(((30, 123_456_789_012, 9_876_543_210),), 33, 1384.0)
    cell = published({"parc": measured})["parc"]

    assert (cell.sessions, cell.gigabytes_down, cell.gigabytes_up, cell.median_minutes) == (35, 120.0, 9.9, 25)


def test_pri05_a_month_is_published_when_it_is_over_and_once(tmp_path: Path) -> None:
    releases = Releases(tmp_path / "published")
    with pytest.raises(NotYet, match="not over"):
        releases.freeze("2026-12", {"parc": month(40)}, TODAY)

    assert releases.freeze("2026-11", {"parc": month(40), "mairie": None}, TODAY) is True
    assert releases.freeze("2026-11", {"parc": month(41), "mairie": month(50)}, TODAY) is False
    assert [(row["id_site"], row["sessions"], row["secret"]) for row in releases.rows()] == [
        ("mairie", None, False),
        ("parc", 40, False),
    ]


def test_pri08_each_release_is_written_down_and_a_change_afterwards_is_seen(tmp_path: Path) -> None:
    releases = Releases(tmp_path)
    releases.freeze("2026-10", {"parc": month(3), "mairie": month(40), "gymnase": month(90)}, TODAY)
    releases.freeze("2026-11", {"parc": month(30)}, TODAY)

    assert [(line["month"], line["released"], line["rows"], line["held_back"]) for line in releases.log()] == [
        ("2026-10", "2026-12-03", 3, 2),
        ("2026-11", "2026-12-03", 1, 0),
    ]
    assert releases.changed() == []
    file = tmp_path / "2026-11.json"
    file.write_text(json.dumps(json.loads(file.read_text())).replace("30", "31"))
    assert releases.changed() == ["2026-11"]
