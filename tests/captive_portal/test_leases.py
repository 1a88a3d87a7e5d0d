"""Kea's lease file as it grows, is renamed, and lies half written."""

from pathlib import Path

import pytest

from captive_portal.leases import Follower, Lease

HEADER = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context\n"


def line(last: int, mac: str = "02:00:00:00:00:01", state: int = 0, lifetime: int = 3600) -> str:
    return f"10.11.0.{last},{mac},,{lifetime},1800000000,1,0,0,,{state},\n"


def addresses(leases: list[Lease]) -> list[tuple[str, bool]]:
    return [(str(lease.address), lease.mac is not None) for lease in leases]


def test_each_line_is_told_once_and_half_lines_wait(tmp_path: Path) -> None:
    file = tmp_path / "leases.csv"
    file.write_text(HEADER + line(5) + line(6)[:20])
    follower = Follower(file)
    first = follower.news()
    with file.open("a") as more:
        more.write(line(6)[20:])

    assert addresses(first) == [("10.11.0.5", True)]
    assert addresses(follower.news()) == [("10.11.0.6", True)]
    assert follower.news() == []


def test_released_declined_and_reclaimed_addresses_have_no_device(tmp_path: Path) -> None:
    file = tmp_path / "leases.csv"
    file.write_text(HEADER + line(5, lifetime=0) + line(6, state=1) + line(7, state=2) + line(8, mac="") + "nonsense\n")

    assert addresses(Follower(file).news()) == [("10.11.0.5", False), ("10.11.0.6", False), ("10.11.0.7", False)]


def test_the_file_may_appear_late_and_be_renamed_by_the_clean_up(tmp_path: Path) -> None:
    file = tmp_path / "leases.csv"
    follower = Follower(file)
    assert follower.news() == []
    assert not follower.readable

    file.write_text(HEADER + line(5))
    assert addresses(follower.news()) == [("10.11.0.5", True)]
    with file.open("a") as last_words:
        last_words.write(line(6))
    file.rename(tmp_path / "leases.csv.1")
    file.write_text(HEADER + line(7))

    assert addresses(follower.news()) == [("10.11.0.6", True), ("10.11.0.7", True)]
    assert follower.readable
    file.unlink()
    assert follower.news() == []
    assert not follower.readable, "the metric says that nothing is heard of leases"


def test_history_is_what_the_clean_up_put_aside_oldest_first(tmp_path: Path) -> None:
    (tmp_path / "leases.csv.2").write_text(HEADER + line(5))
    (tmp_path / "leases.csv.1").write_text(HEADER + line(6))

    assert addresses(Follower(tmp_path / "leases.csv").history()) == [("10.11.0.5", True), ("10.11.0.6", True)]
    (tmp_path / "leases.csv.completed").write_text(HEADER + line(7))
    assert addresses(Follower(tmp_path / "leases.csv").history()) == [("10.11.0.7", True)]


def test_a_lease_ends_on_the_clock_that_cannot_be_set_whatever_kea_writes_later(tmp_path: Path) -> None:
    file = tmp_path / "leases.csv"
    file.write_text(HEADER + line(5))
    wall = 1_799_999_000.0
    first = Follower(file, lambda: 500.0 - wall).news()[0]

    assert first.expires == 1500.0


@pytest.mark.parametrize("name", ['"', '"a', 'a"b', "'", "a&#x2cb", "\\", "%0a", "\x0c10.11.0.5", "é", "x" * 255])
def test_r52_a_device_called_anything_swallows_no_neighbours_line(tmp_path: Path, name: str) -> None:
    file = tmp_path / "leases.csv"
    mine = f"10.11.0.6,02:00:00:00:00:06,,3600,1800000000,1,0,0,{name},0,\n"
    file.write_text(HEADER + line(5) + mine + line(7), "utf-8")
    aside = tmp_path / "aside.csv"
    aside.with_name("aside.csv.2").write_text(file.read_text("utf-8"), "utf-8")

    for told in (Follower(file).news(), Follower(aside).history()):
        assert [(str(one.address), one.mac.text[-1] if one.mac else "") for one in told] == [
            ("10.11.0.5", "1"),
            ("10.11.0.6", "6"),
            ("10.11.0.7", "1"),
        ]
