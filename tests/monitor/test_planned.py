"""Announced work: who is muted, when it comes again, what is said on the spot, and what the monitor makes of it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from monitor_actors import Desk, Listener
from pydantic import ValidationError

from monitor.checks import check
from monitor.findings import State
from monitor.maintenance_commands import maintenance
from monitor.planned import DARK, Work, muted, works
from monitor.sites import views
from parvis.inventory import InventoryError, Maintenance, Town, load

PARIS = ZoneInfo("Europe/Paris")
SITE, UPLINK, SWITCH = "maison-services-publics", "fibre-msp", "sw-msp"
BEHIND_SWITCH = {SWITCH, "ap-msp-accueil", "ap-msp-salle-a", "ap-msp-etage"}


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).timestamp()


def work(**changes: object) -> Maintenance:
    usual = {"starts": "2026-03-01T02:00", "ends": "2026-03-01T04:00", "reason": "Pare-feu à jour"}
    return Maintenance.model_validate({**usual, **changes})


def local(spans: Iterator[tuple[float, float]]) -> list[str]:
    shown = [[datetime.fromtimestamp(edge, PARIS) for edge in span] for span in spans]
    return [f"{begins:%m-%d %H:%M}-{ends:%H:%M}" for begins, ends in shown]


def test_g32_work_takes_its_site_its_switch_or_the_whole_town_with_all_that_is_behind(town: Town) -> None:
    def named(*of: str) -> set[str]:
        return set(muted(town, 5.0, [Work(0.0, 10.0, "x", of)]))

    everything = named()
    assert named(SWITCH) == BEHIND_SWITCH
    assert named(SITE) == named(UPLINK) == BEHIND_SWITCH | {UPLINK, "gw-msp"}
    assert {site.gateway.name for site in town.sites} <= everything
    assert not any(name.startswith("internet") for name in everything)


def test_work_that_has_not_begun_or_is_over_mutes_nobody(town: Town) -> None:
    one = Work(10.0, 20.0, "x", (SITE,))

    assert [bool(muted(town, now, [one])) for now in (9.9, 10.0, 19.9, 20.0)] == [False, True, True, False]


def test_what_comes_every_week_keeps_its_local_hours_which_the_change_of_clocks_makes_shorter() -> None:
    weekly = work(every="week", until="2026-04-12")

    found = local(weekly.times(PARIS, at("2026-03-20"), at("2026-05-01")))
    assert found == ["03-22 02:00-04:00", "03-29 03:00-04:00", "04-05 02:00-04:00", "04-12 02:00-04:00"]


def test_a_month_without_the_day_is_passed_over() -> None:
    monthly = work(starts="2026-01-31T22:00", ends="2026-02-01T01:00", every="month")

    assert local(monthly.times(PARIS, at("2026-01-01"), at("2026-06-01"))) == [
        "01-31 22:00-01:00",
        "03-31 22:00-01:00",
        "05-31 22:00-01:00",
    ]


@given(offset=st.integers(-40 * 24, 40 * 24), length=st.integers(1, 23))
def test_whatever_is_going_on_at_an_instant_is_found_by_looking_at_that_instant(offset: int, length: int) -> None:
    begin = datetime(2026, 3, 1, 2, 0)  # noqa: DTZ001 local, as the inventory has it
    daily = work(starts=begin.isoformat(), ends=(begin + timedelta(hours=length)).isoformat(), every="day")
    now = at("2026-03-20") + offset * 3600
    everything = list(daily.times(PARIS, at("2026-01-01"), at("2026-06-01")))

    assert [s for s in everything if s[0] <= now < s[1]] == list(daily.times(PARIS, now, now + 0.001))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ends": "2026-03-20T04:00"}, "longer than 14 days"),
        ({"ends": "2026-03-03T04:00", "every": "day"}, "longer than the day"),
        ({"until": "2026-05-01"}, "say every"),
        ({"ends": "2026-03-01T01:00"}, "ends before it starts"),
        ({"reason": ""}, "at least 3 characters"),
    ],
)
def test_work_that_would_never_end_or_says_nothing_is_refused(changes: dict[str, str], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        work(**changes)


def test_work_on_something_that_does_not_exist_is_a_fault_with_its_line(town_folder: Path) -> None:
    file = town_folder / "town.yml"
    entry = "{starts: 2026-03-01T02:00, ends: 2026-03-01T04:00, reason: Fibre, of: [fibre-mps]}"
    file.write_text(file.read_text() + f"maintenance: [{entry}]\n")
    with pytest.raises(InventoryError) as refused:
        load(town_folder)

    assert [(fault.message, fault.fix) for fault in refused.value.faults] == [
        ("nothing in the town is called fibre-mps", "did you mean fibre-msp?")
    ]


def test_s32_a_cut_during_announced_work_is_shown_and_raises_no_alert(listener: Listener) -> None:
    listener.planned = muted(listener.town, 5.0, [Work(0.0, 10.0, "Fibre déplacée", (SITE,))])
    listener.hears(2).hears(30, silent=[UPLINK, "gw-msp", *BEHIND_SWITCH])
    verdicts = check(listener.town, listener.findings, 5.0, {}, listener.now)

    view = next(v for v in views(listener.town, listener.findings, []) if v.site.site == SITE)
    assert (view.state, view.planned) == (State.DOWN, "Fibre déplacée")
    assert [v.alert.identity for v in verdicts.values() if v.wrong] == []


def test_what_still_is_wrong_when_the_work_is_over_is_told_then(listener: Listener) -> None:
    listener.planned = muted(listener.town, 5.0, [Work(0.0, 10.0, "Fibre déplacée", (SITE,))])
    listener.hears(2).hears(30, silent=[UPLINK])
    during = check(listener.town, listener.findings, 5.0, {}, listener.now)
    listener.planned = {}
    listener.hears(1, silent=[UPLINK])
    verdicts = check(listener.town, listener.findings, 5.0, during, listener.now)

    assert verdicts[f"LienCoupe/{SITE}/{UPLINK}"].since == listener.now


def test_the_metric_says_which_site_and_device_are_muted(desk: Desk, listener: Listener) -> None:
    listener.planned = muted(desk.town, 5.0, [Work(0.0, 10.0, "x", (SWITCH,))])
    listener.hears(3)
    desk.metrics.show(listener.findings, views(desk.town, listener.findings, []), 5.0)

    def shown(device: str) -> float | None:
        labels = {"town": "cachan", "site": SITE, "device": device}
        return desk.registry.get_sample_value("maintenance_active", labels)

    assert [shown(device) for device in ("", "gw-msp", SWITCH, "ap-msp-etage")] == [0.0, 0.0, 1.0, 1.0]


def test_access_points_that_are_dark_by_their_hours_accuse_nobody(town: Town, tmp_path: Path) -> None:
    sites = tuple(
        site.model_copy(update={"radio_hours": "Mo-Su 06:00-23:00"}) if site.site == SITE else site
        for site in town.sites
    )
    desk = Desk(town.model_copy(update={"sites": sites}), tmp_path)

    assert desk.duty.planned(at("2026-03-02T12:00")) == {}
    night = desk.duty.planned(at("2026-03-02T23:30"))
    assert set(night.values()) == {DARK}
    assert set(night) == BEHIND_SWITCH - {SWITCH}


def told(tmp_path: Path, *words: str) -> str:
    settings = tmp_path / "monitor.toml"
    settings.write_text(f'state = "{tmp_path}"\n')
    group, *rest = words
    done = CliRunner().invoke(maintenance, [group, "--settings", str(settings), *rest])
    return done.output


def test_staff_announce_work_on_the_spot_see_it_and_end_it(desk: Desk, tmp_path: Path) -> None:
    assert "no work is announced" in told(tmp_path, "list")
    assert "announced: " in told(tmp_path, "begin", SITE, "--for", "2h", "--reason", "Baie remplacée")
    now = desk.clock()
    assert set(desk.duty.planned(now).values()) == {"Baie remplacée"}
    assert f"{SITE}  Baie remplacée" in told(tmp_path, "list")

    assert "ended: Baie remplacée" in told(tmp_path, "end", SITE)
    assert works(desk.town, desk.duty.added(), desk.clock(), desk.clock() + 1) == []


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["begin", "maison", "--for", "2h", "--reason", "Baie"], "nothing in the town is called maison"),
        (["begin", SITE, "--for", "20d", "--reason", "Baie"], "between a moment and 14 days"),
        (["begin", SITE, "--for", "soon", "--reason", "Baie"], "not a duration"),
        (["begin", SITE, "--for", "2h", "--reason", "x"], "say why"),
        (["end", SITE], "no work announced with begin is going on there"),
    ],
)
def test_a_mistake_at_the_keyboard_is_a_sentence(desk: Desk, tmp_path: Path, words: list[str], answer: str) -> None:
    assert answer in told(tmp_path, *words)
    assert desk.duty.added() == []
