"""Hours that are valid and absurd: the answer is right, and comes soon."""

import time
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from captive_portal.hours import DAY_SECONDS, Kept
from parvis.opening import LOOKED_SECONDS, Opening

ZONE = ZoneInfo("Europe/Paris")


def at(day: int, hour: int) -> float:
    return datetime(2026, 12, day, hour, tzinfo=ZONE).timestamp()


def by_the(minutes: int, days: str) -> str:
    """Hours that have another comment every so many minutes."""
    times = [f"{n // 60:02}:{n % 60:02}" for n in range(0, 24 * 60 + 1, minutes)]
    slots = [f'{a}-{b} "{n}"' for n, (a, b) in enumerate(pairwise(times))]
    return f"{days} {', '.join(slots)}"


@pytest.mark.parametrize("minutes", [60, 5, 1])
def test_a_building_with_a_comment_for_every_minute_closes_when_it_closes(minutes: int) -> None:
    tuesday, saturday = at(1, 9), at(5, 0)

    assert Opening(by_the(minutes, "Mo-Fr"), ZONE.key).at(tuesday) == (True, saturday)


def test_no_hours_keep_whoever_asks_waiting() -> None:
    hours = Opening(by_the(1, "Mo-Su"), ZONE.key)
    begun = time.process_time()
    found = hours.at(at(1, 9))

    assert time.process_time() - begun < 1.5
    assert found == (True, None), "nothing is told of what was not looked at"


def test_hours_that_change_a_minute_change_when_they_do_and_not_where_the_look_ended() -> None:
    hours = Opening(by_the(1, "Mo-Su") + "; Dec 20 off", ZONE.key)
    closes = at(20, 0)

    assert hours.at(at(1, 9)) == (True, None)
    assert hours.at(closes - LOOKED_SECONDS) == (True, closes)


def test_a_day_far_away_is_known_and_one_that_never_comes_is_no_day() -> None:
    far = Opening("2090 Jan 1 10:00-12:00", ZONE.key).at(at(1, 9))

    assert far == (False, datetime(2090, 1, 1, 10, tzinfo=ZONE).timestamp())
    assert Opening('Mo-Su 00:00-12:00 off "a", 12:00-24:00 off "b"', ZONE.key).at(at(1, 9)) == (False, None)


def test_a_door_that_never_closes_asks_again_the_next_day() -> None:
    asked: list[float] = []

    def ask(wall: float) -> tuple[bool, float | None]:
        asked.append(wall)
        return True, None

    kept = Kept(ask)
    for hours in (0, 1, 23, 25):
        assert kept(at(1, 0) + hours * 3600) == (True, None)

    assert asked == [at(1, 0), at(1, 0) + DAY_SECONDS + 3600]
